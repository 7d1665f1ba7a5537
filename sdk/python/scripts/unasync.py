#!/usr/bin/env python3
"""Makes `_sync` from `_async`: the same client without `async`.

    python scripts/unasync.py           writes it
    python scripts/unasync.py --check   says what is not current, and fails

`tasks.py` of both is written by hand: it is where the two differ.
"""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent.parent / "src" / "llm_firecracker"
SOURCE, TARGET = PACKAGE / "_async", PACKAGE / "_sync"
BY_HAND = {"tasks.py"}
HEADER = "# Made from `_async/{name}` by `scripts/unasync.py`: change that one.\n"

#: In this order; each on whole words.
WORDS = [
    (r"async (def|with|for)\b", r"\1"),
    (r"await ", ""),
    (r"`async with`", "`with`"),
    (r"__a(enter|exit|iter|next)__", r"__\1__"),
    (r"StopAsyncIteration", "StopIteration"),
    (r"enter_async_context", "enter_context"),
    (r"Awaitable\[(\w+)\]", r"\1"),
    (r"import Awaitable, ", "import "),
    (r"asynccontextmanager", "contextmanager"),
    (r"AsyncGenerator\[(\w+), None\]", r"Generator[\1, None, None]"),
    (r"Async([A-Z]\w*)", r"\1"),
    (r"\ba(close|closing|read|iter_bytes)\b", r"\1"),
    (r"`async` programs", "programs without `async`"),
    (r"An (?=`with`)", "A "),
    (r"an (?=`with`)", "a "),
]


def without_async(name: str, text: str) -> str:
    """A module of `_async` as `_sync` has it."""
    for pattern, replacement in WORDS:
        text = re.sub(pattern, replacement, text)
    return HEADER.format(name=name) + text


def made() -> dict[str, str]:
    """The modules of `_sync`, by name."""
    sources = sorted(path for path in SOURCE.glob("*.py") if path.name not in BY_HAND)
    texts = {path.name: without_async(path.name, path.read_text()) for path in sources}
    texts["__init__.py"] = '"""The client without `async`, made by `scripts/unasync.py`."""\n'
    return texts


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    check = parser.parse_args().check
    wanted = made()
    there = {path.name: path.read_text() for path in TARGET.glob("*.py") if path.name not in BY_HAND}
    stale = sorted(name for name in wanted.keys() | there.keys() if wanted.get(name) != there.get(name))
    if check:
        for name in stale:
            print(f"_sync/{name} is not current: run scripts/unasync.py", file=sys.stderr)
        return 1 if stale else 0
    for name in stale:
        if name in wanted:
            (TARGET / name).write_text(wanted[name])
        else:
            (TARGET / name).unlink()
    return 0


if __name__ == "__main__":
    sys.exit(main())
