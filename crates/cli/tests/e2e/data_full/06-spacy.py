"""Tokens, sentences, rules and a trained classifier with spaCy, from a blank pipeline."""
import random

import spacy
from spacy.matcher import Matcher
from spacy.training import Example

nlp = spacy.blank("en")
nlp.add_pipe("sentencizer")
doc = nlp("Dr. Smith paid $3.50 in the U.K. on 3 May. It wasn't much!")
print([token.text for token in doc])
print([sentence.text for sentence in doc.sents])
matcher = Matcher(nlp.vocab)
matcher.add("PRICE", [[{"TEXT": "$"}, {"LIKE_NUM": True}]])
print([doc[start:end].text for _, start, end in matcher(doc)])
ruler = nlp.add_pipe("entity_ruler")
ruler.add_patterns([{"label": "GPE", "pattern": "U.K."}, {"label": "PERSON", "pattern": [{"LOWER": "smith"}]}])
print([(entity.text, entity.label_) for entity in nlp(doc.text).ents])

random.seed(1)
spacy.util.fix_random_seed(1)
learner = spacy.blank("en")
category = learner.add_pipe("textcat")
for label in ("good", "bad"):
    category.add_label(label)
texts = [("I love it", 1), ("wonderful and lovely", 1), ("I hate it", 0), ("terrible and ugly", 0)]
examples = [
    Example.from_dict(learner.make_doc(text), {"cats": {"good": good, "bad": 1 - good}}) for text, good in texts
]
optimizer = learner.initialize(lambda: examples)
for _ in range(20):
    learner.update(examples, sgd=optimizer)
print({text: max(learner(text).cats, key=learner(text).cats.get) for text, _ in texts})
try:
    spacy.load("en_core_web_sm")
except OSError as error:
    print(str(error)[:40])
