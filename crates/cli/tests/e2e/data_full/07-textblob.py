"""Sentiment, inflection and counts with textblob, as far as it needs no corpora."""
from textblob import TextBlob, Word
from textblob.sentiments import PatternAnalyzer
from textblob.tokenizers import WordTokenizer

blob = TextBlob("The food was great. The service was terribly slow!", analyzer=PatternAnalyzer())
print(round(blob.sentiment.polarity, 3), round(blob.sentiment.subjectivity, 3))
print(Word("mouse").pluralize(), Word("wolves").singularize(), Word("recieve").spellcheck()[0][0])
print(blob.upper()[:12], blob.lower().find("service"), blob[4:8])
print(TextBlob("bad").sentiment.polarity < 0 < TextBlob("good").sentiment.polarity)
