"""Each example runs, and prints what it says at its end; so do the blocks of both READMEs."""

from __future__ import annotations

from pathlib import Path

import pytest
from blocks import ROOT, blocks, check, printed

pytestmark = pytest.mark.service

PYTHON = Path(__file__).resolve().parent.parent
EXAMPLES = sorted((PYTHON / "examples").glob("*.py"))
#: Behind this line of an example stands what it prints, each line a comment.
PRINTS = "# prints:\n"
BLOCKS = blocks(PYTHON / "README.md") + blocks(ROOT / "README.md")


def expected(program: str) -> str:
    assert PRINTS in program, "an example says what it prints"
    lines = program.split(PRINTS)[1].splitlines()
    return "".join(line.removeprefix("#").removeprefix(" ") + "\n" for line in lines)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_prints_what_it_says(path: Path, tmp_path: Path) -> None:
    program = path.read_text()
    assert printed(program, tmp_path) == expected(program)


@pytest.mark.parametrize("block", BLOCKS, ids=range(len(BLOCKS)))
def test_a_block_of_the_readme_prints_what_it_says(block: str, tmp_path: Path) -> None:
    check(block, tmp_path)


def test_there_are_examples() -> None:
    assert len(EXAMPLES) >= 8 and len(BLOCKS) >= 7
