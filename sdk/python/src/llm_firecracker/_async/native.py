"""Files as Python's own functions have them, for frameworks: Python's errors, links that are followed, permissions.

The API's `file_conflict` is one code for EISDIR, ENOTDIR, EEXIST and ENOTEMPTY; which of them it was is asked for
afterwards, of the file system as it is then.
"""

from __future__ import annotations

import errno
import os
import posixpath
from collections.abc import Awaitable, Callable
from typing import TypeVar

from .._errors import DiskFull, FileConflict, FileError, FileForbidden, FileNotFound, FileTooLarge
from ..models import Entry
from .files import READ_BYTES, AsyncFiles
from .sandbox import AsyncSandbox

T = TypeVar("T")

#: Links that are followed until it counts as a loop, as Linux has it.
MAX_LINKS = 40


async def resolve(sandbox: AsyncSandbox, path: str) -> str:
    """The path without links, as `realpath -m` has it: what is missing stays as it is written.

    A loop is `OSError` ELOOP.
    """
    waiting = [part for part in path.split("/") if part][::-1]
    here, links = "/", 0
    while waiting:
        part = waiting.pop()
        if part in (".", ".."):
            here = posixpath.dirname(here) if part == ".." else here
            continue
        step = posixpath.join(here, part)
        entry = await _entry(sandbox.files, step)
        if entry is None or entry.kind != "link" or entry.target is None:
            here = step
            continue
        links += 1
        if links > MAX_LINKS:
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), path)
        waiting += [part for part in entry.target.split("/") if part][::-1]
        here = "/" if entry.target.startswith("/") else here
    return here


async def followed(sandbox: AsyncSandbox, path: str) -> Entry:
    """The entry that a path leads to, through links."""
    entry = await sandbox.files.stat(path)
    return entry if entry.kind != "link" else await sandbox.files.stat(await resolve(sandbox, path))


async def write(sandbox: AsyncSandbox, path: str, content: str | bytes) -> None:
    """Writes as `open(path, "wb")` does: through a link, and only where the file that is there lets its user.

    The API puts another file in its place instead, which asks the folder's permission and gives it usual ones.
    """
    target, there = path, await _entry(sandbox.files, path)
    if there is not None and there.kind == "link":
        target = await resolve(sandbox, path)
        there = await _entry(sandbox.files, target)
    if there is not None and there.kind == "file" and not await _is_writable(sandbox, target):
        raise own(errno.EACCES, path)
    if there is not None and there.kind == "other":
        raise OSError(errno.EINVAL, "not a regular file", path)
    await sandbox.files.write(target, content)
    if there is not None and there.kind == "file":
        await _keep_mode(sandbox, there)


async def read(sandbox: AsyncSandbox, path: str, most: int | None = None) -> bytes:
    """A regular file's bytes; `ReadTooLarge` when they are more than `most`."""
    entry = await followed(sandbox, path)
    if entry.kind == "other":
        raise OSError(errno.EINVAL, "not a regular file", path)
    return await sandbox.files.read(path, READ_BYTES if most is None else most)


async def with_own_errors(sandbox: AsyncSandbox, path: str, work: Callable[[], Awaitable[T]]) -> T:
    """What `work` does with a path; what the sandbox refuses is raised as Python has it, with the path."""
    try:
        return await work()
    except FileConflict as error:
        raise own(await _conflict(sandbox.files, path), path) from error
    except FileNotFound as error:
        raise own(errno.ENOENT, path) from error
    except FileForbidden as error:
        raise own(errno.EACCES, path) from error
    except DiskFull as error:
        raise own(errno.ENOSPC, path) from error
    except FileTooLarge as error:
        raise own(errno.EFBIG, path) from error
    except FileError as error:
        raise OSError(errno.EINVAL, error.detail, path) from error


def own(number: int, path: str) -> OSError:
    """Python's error of a number: `OSError` chooses the class."""
    return OSError(number, os.strerror(number).lower(), path)


async def _conflict(files: AsyncFiles, path: str) -> int:
    """Which conflict it was: with a folder above that is none, with a folder, or with a file."""
    above = await _entry(files, posixpath.dirname(path))
    if above is None or above.kind == "file":
        return errno.ENOTDIR
    there = await _entry(files, path)
    return errno.EISDIR if there is not None and there.kind == "folder" else errno.EEXIST


async def _is_writable(sandbox: AsyncSandbox, path: str) -> bool:
    return (await sandbox.commands.run(["test", "-w", path])).ok


async def _keep_mode(sandbox: AsyncSandbox, before: Entry) -> None:
    now = await sandbox.files.stat(before.path)
    if now.mode != before.mode:
        await sandbox.commands.run(["chmod", before.mode, before.path])


async def _entry(files: AsyncFiles, path: str) -> Entry | None:
    try:
        return await files.stat(path)
    except FileError:
        return None
