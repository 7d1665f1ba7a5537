"""Bag of words, TF-IDF and word vectors of a few short texts with gensim."""
from gensim import corpora, models, similarities
from gensim.models import Word2Vec
from gensim.test.utils import common_texts

dictionary = corpora.Dictionary(common_texts)
corpus = [dictionary.doc2bow(text) for text in common_texts]
tfidf = models.TfidfModel(corpus)
index = similarities.MatrixSimilarity(tfidf[corpus], num_features=len(dictionary))
query = dictionary.doc2bow("human computer interaction".split())
ranking = sorted(enumerate(index[tfidf[query]].tolist()), key=lambda pair: (-round(pair[1], 4), pair[0]))
print(len(dictionary), [(number, round(score, 3)) for number, score in ranking[:3]])

lsi = models.LsiModel(tfidf[corpus], id2word=dictionary, num_topics=2, random_seed=1)
print("topics:", lsi.num_topics, [len(document) for document in lsi[tfidf[corpus]]])
words = Word2Vec(common_texts, vector_size=16, window=3, min_count=1, workers=1, seed=1, epochs=5)
print(words.wv["computer"].shape, len(words.wv.most_similar("trees", topn=3)))
