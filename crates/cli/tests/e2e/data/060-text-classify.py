"""Bag of words, TF-IDF and naive Bayes on short support messages."""
import numpy as np
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.metrics.pairwise import cosine_similarity
from sklearn.naive_bayes import MultinomialNB
from sklearn.pipeline import make_pipeline

train = [
    ("my invoice shows the wrong amount", "billing"),
    ("please refund the second payment", "billing"),
    ("the card payment was declined twice", "billing"),
    ("invoice for march is missing", "billing"),
    ("app crashes when I open the map", "bug"),
    ("error message after the latest update", "bug"),
    ("the map screen stays blank and then crashes", "bug"),
    ("login button does nothing since update", "bug"),
    ("how do I change my password", "account"),
    ("delete my account and all data", "account"),
    ("cannot change the e-mail of my account", "account"),
]
texts, labels = zip(*train)
counts = CountVectorizer(stop_words="english").fit(texts)
matrix = counts.transform(texts)
totals = np.asarray(matrix.sum(axis=0)).ravel()
words = counts.get_feature_names_out()
order = sorted(range(len(words)), key=lambda i: (-totals[i], words[i]))[:6]
print("vocabulary:", len(words), [(str(words[i]), int(totals[i])) for i in order])

model = make_pipeline(TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True), MultinomialNB(alpha=0.3)).fit(texts, labels)
for message in ["refund my invoice", "update crashes the app", "I want to change my account password"]:
    prob = dict(zip(model.classes_, model.predict_proba([message])[0]))
    print(f"{message!r}: {model.predict([message])[0]}", {str(k): round(float(v), 3) for k, v in sorted(prob.items())})

tfidf = TfidfVectorizer().fit_transform(texts)
sim = cosine_similarity(tfidf)
np.fill_diagonal(sim, 0)
i, j = np.unravel_index(np.argmax(sim), sim.shape)
print(f"most alike: {texts[i]!r} and {texts[j]!r} ({sim[i, j]:.3f})")
