"""Programs in documents: they run, and print what stands behind `# → ` in them."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
_BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_SAYS = "# → "


def blocks(document: Path) -> list[str]:
    """The programs of a document."""
    return _BLOCK.findall(document.read_text())


def printed(program: str, folder: Path) -> str:
    """What a program prints; one that fails is a failure."""
    path = folder / "program.py"
    path.write_text(program)
    done = subprocess.run([sys.executable, path], cwd=folder, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout


def check(program: str, folder: Path) -> None:
    """A program prints what it says."""
    said = [line.split(_SAYS, 1)[1] for line in program.splitlines() if _SAYS in line]
    assert said and printed(program, folder).splitlines() == said


def check_page(name: str, folder: Path) -> None:
    """The programs of a page of `docs/integrations`."""
    programs = blocks(ROOT / "docs" / "integrations" / name)
    assert programs
    for program in programs:
        check(program, folder)
