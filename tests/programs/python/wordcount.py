"""Word statistics of standard input; arguments choose what is shown."""
import argparse
import sys
import textwrap
import unicodedata
from collections import Counter

parser = argparse.ArgumentParser(prog="wordcount")
parser.add_argument("--top", type=int, default=3)
parser.add_argument("--min-length", type=int, default=1)
parser.add_argument("title", nargs="+")
options = parser.parse_args()


def plain(word: str) -> str:
    decomposed = unicodedata.normalize("NFD", word.casefold())
    return "".join(c for c in decomposed if not unicodedata.combining(c)).strip(".,;:!?'\"«»—")


lines = sys.stdin.read().splitlines()
words = [w for line in lines for w in map(plain, line.split()) if len(w) >= options.min_length]
print(" ".join(options.title).center(40, "="))
print(f"{len(lines)} lines, {len(words)} words, {len(set(words))} different")
for word, times in sorted(Counter(words).items(), key=lambda pair: (-pair[1], pair[0]))[: options.top]:
    print(f"{word:>12} {'#' * times} {times}")
print(textwrap.fill(" ".join(dict.fromkeys(words)), width=40, initial_indent="* ", subsequent_indent="  "))
print("longest:", max(words, key=lambda w: (len(w), w)), "| run as", __name__)
