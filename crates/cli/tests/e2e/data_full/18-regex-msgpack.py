"""Patterns that only regex has, and records packed by msgpack."""
import msgpack
import regex

print(regex.findall(r"\p{Lu}\p{Ll}+", "Äpfel und Birnen aus Ürzig"))
print(regex.search(r"(?:colour){e<=1}", "the color red").group(), regex.fullmatch(r"(\((?:[^()]|(?1))*\))", "(a(b)c)").group(1))
packed = msgpack.packb({"a": [1, 2.5, None], "b": b"\0", "ü": True})
print(len(packed), msgpack.unpackb(packed))
