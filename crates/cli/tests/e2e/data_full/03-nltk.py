"""Stems, n-grams, a grammar and a classifier with nltk, all without its data."""
import nltk
from nltk.metrics import edit_distance
from nltk.stem import PorterStemmer, SnowballStemmer
from nltk.tokenize import RegexpTokenizer, TreebankWordTokenizer
from nltk.util import ngrams

text = "The runners were running easily, weren't they? Prices rose 3.5% on Monday."
tokens = TreebankWordTokenizer().tokenize(text)
print(tokens)
print([PorterStemmer().stem(word) for word in RegexpTokenizer(r"[a-z]+").tokenize(text.lower())])
print([SnowballStemmer("german").stem(word) for word in ["Häuser", "gelaufen", "Kindern"]])
print(list(ngrams("to be or not".split(), 2)), edit_distance("kitten", "sitting"))
print(nltk.FreqDist("abracadabra").most_common(2))
grammar = nltk.CFG.fromstring("S -> NP VP\nNP -> 'Ann' | 'dogs'\nVP -> V NP\nV -> 'likes'")
print(*nltk.ChartParser(grammar).parse("Ann likes dogs".split()))
train = [({"last": name[-1]}, kind) for name, kind in [("Anna", "f"), ("Maria", "f"), ("Peter", "m"), ("Oskar", "m")]]
print(nltk.NaiveBayesClassifier.train(train).classify({"last": "a"}))
try:
    nltk.word_tokenize("No data here.")
except LookupError as error:
    print("LookupError:", "punkt" in str(error))
