"""What became of a program that did not start."""

from __future__ import annotations

import posixpath

from .. import AsyncSandbox
from .._async.native import followed

#: Where programs are looked for, as a sandbox's processes do.
PATH = ("/usr/local/bin", "/usr/bin", "/bin")


async def not_executable(sandbox: AsyncSandbox, program: str, cwd: str) -> bool:
    """Whether a program that did not start is there at all."""
    folders = (cwd,) if "/" in program else PATH
    for folder in folders:
        try:
            entry = await followed(sandbox, posixpath.join(folder, program))
        except OSError:
            continue
        if entry.kind in ("file", "folder"):
            return True
    return False
