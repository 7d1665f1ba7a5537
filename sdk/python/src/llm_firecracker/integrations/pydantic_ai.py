"""A workspace for Pydantic AI: `FirecrackerWorkspace()` is a backend with commands and files."""

from __future__ import annotations

import errno
import math
import posixpath
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from typing import TypeVar

import anyio
from pydantic_ai.workspaces import (
    CommandResult,
    FileEntry,
    WorkspaceCommand,
    WorkspaceOutputLimitError,
    WorkspaceRef,
    WorkspaceTimeoutError,
    WorkspaceUnavailableError,
)
from typing_extensions import Unpack

from .. import AsyncClient, AsyncSandbox
from .._async import native
from .._errors import FileError, OutputTooLarge, ProcessNotStarted, ReadTooLarge, SandboxNotFound, StreamCut
from ..models import Entry
from ..options import CommandOptions, SandboxOptions
from ._programs import not_executable

T = TypeVar("T")

PROVIDER = "llm-firecracker"
WORK_DIR = "/work"


class FirecrackerWorkspace:
    """One sandbox as a workspace: made at the first operation, or the one that `ref` names.

    It is never ended here: call `destroy`, or let its time run out.
    """

    def __init__(
        self,
        ref: WorkspaceRef | None = None,
        *,
        client: AsyncClient | None = None,
        **options: Unpack[SandboxOptions],
    ) -> None:
        if ref is not None and ref.provider != PROVIDER:
            raise ValueError(f"the ref is of {ref.provider!r}, not of {PROVIDER!r}")
        self._ref = ref
        self._client = client or AsyncClient()
        self._options: SandboxOptions = {"image": "agent", **options}
        self._sandbox: AsyncSandbox | None = None
        self._lock = anyio.Lock()

    @property
    def ref(self) -> WorkspaceRef | None:
        """The sandbox's name, once there is one."""
        return self._ref

    async def working_dir(self) -> str:
        """Where commands start."""
        await self._ready()
        return WORK_DIR

    async def aclose(self) -> None:
        """Gives the connections back; the sandbox stays."""
        await self._client.aclose()

    async def destroy(self) -> None:
        """Ends the sandbox with all in it."""
        if self._ref is not None:
            with suppress(SandboxNotFound):
                await (await self._client.get_sandbox(self._ref.id)).aclose()

    async def run(
        self,
        command: WorkspaceCommand,
        *,
        shell: bool = False,
        env: Mapping[str, str] | None = None,
        timeout: float | None = None,
    ) -> CommandResult:
        """Runs a command to its end."""
        _check(command, shell, timeout)
        sandbox = await self._ready()
        what = command if isinstance(command, str) else list(command)
        options: CommandOptions = {"env": env or {}, "limits": {"timeout": timeout}}
        try:
            result = await self._alive(lambda: sandbox.commands.run(what, **options))
        except OutputTooLarge as error:
            raise WorkspaceOutputLimitError(
                str(error), limit=error.limit, stdout=error.stdout, stderr=error.stderr
            ) from error
        except ProcessNotStarted as error:
            program = str(what[0])
            code = 126 if await not_executable(sandbox, program, WORK_DIR) else 127
            return CommandResult(exit_code=code, stdout="", stderr=error.detail)
        if result.exit.status == "timeout":
            message = f"the command took longer than {timeout} seconds and was killed"
            raise WorkspaceTimeoutError(message, stdout=result.stdout, stderr=result.stderr)
        return CommandResult(exit_code=result.exit_code, stdout=result.stdout, stderr=result.stderr)

    async def read_bytes(self, path: str) -> bytes:
        """A file's bytes."""
        sandbox = await self._ready()
        try:
            return await self._file(path, lambda: native.read(sandbox, path))
        except ReadTooLarge as error:
            raise OSError(errno.EFBIG, str(error), path) from error

    async def write_bytes(self, path: str, data: bytes) -> None:
        """Puts a file there, through a link, with the folders above it."""
        sandbox = await self._ready()
        await self._file(path, lambda: native.write(sandbox, path, data))

    async def stat(self, path: str) -> FileEntry:
        """What there is, through links."""
        sandbox = await self._ready()
        entry = await self._file(path, lambda: native.followed(sandbox, path))
        return _file_entry(path, entry)

    async def list_dir(self, path: str) -> Sequence[FileEntry]:
        """A folder's entries."""
        sandbox = await self._ready()
        entry = await self._file(path, lambda: native.followed(sandbox, path))
        if entry.kind != "folder":
            raise NotADirectoryError(f"not a folder: {path}")
        listing = await self._file(path, lambda: sandbox.files.list(path))
        if listing.truncated:
            raise OSError(f"{path} has more entries than a listing holds ({len(listing)})")
        return [_file_entry(one.path, await self._followed(sandbox, one)) for one in listing]

    async def make_dir(self, path: str) -> None:
        """A folder, with those above it."""
        sandbox = await self._ready()

        async def make() -> None:
            # The API leaves what is there, a file too where it is a folder's last part.
            if await sandbox.files.exists(path) and (await native.followed(sandbox, path)).kind != "folder":
                raise FileExistsError(f"there is a file: {path}")
            await sandbox.files.make_folder(path)

        await self._file(path, make)

    async def remove(self, path: str) -> None:
        """Away with a file, or a folder and all in it; of a link, the link."""
        sandbox = await self._ready()

        async def remove() -> None:
            entry = await sandbox.files.stat(path)
            target = path if entry.kind == "link" else await native.resolve(sandbox, path)
            if posixpath.commonpath([target, WORK_DIR]) == target:
                raise ValueError("the working folder and those above it stay")
            await sandbox.files.remove(path)

        await self._file(path, remove)

    async def exists(self, path: str) -> bool:
        """Whether the path leads to something."""
        try:
            await self.stat(path)
        except OSError:
            return False
        return True

    async def realpath(self, path: str) -> str:
        """The path without links."""
        sandbox = await self._ready()
        return await self._file(path, lambda: native.resolve(sandbox, path))

    async def _ready(self) -> AsyncSandbox:
        """The sandbox: one, however many ask first."""
        async with self._lock:
            if self._sandbox is None:
                self._sandbox = await self._made() if self._ref is None else await self._attached(self._ref)
                # A model may think for longer than the idle time.
                self._sandbox.keep_alive()
            return self._sandbox

    async def _made(self) -> AsyncSandbox:
        # Shielded: a sandbox that is made while its caller is cancelled must be known by its ref.
        with anyio.CancelScope(shield=True):
            sandbox = await self._client.create_sandbox(**self._options)
            self._ref = WorkspaceRef(provider=PROVIDER, id=sandbox.id)
        return sandbox

    async def _attached(self, ref: WorkspaceRef) -> AsyncSandbox:
        try:
            return await self._client.get_sandbox(ref.id)
        except SandboxNotFound as error:
            raise WorkspaceUnavailableError(f"there is no sandbox {ref.id}; it may have ended") from error

    async def _file(self, path: str, work: Callable[[], Awaitable[T]]) -> T:
        sandbox = await self._ready()
        return await self._alive(lambda: native.with_own_errors(sandbox, path, work))

    async def _alive(self, work: Callable[[], Awaitable[T]]) -> T:
        """What `work` does; a sandbox that is gone is told in Pydantic AI's word."""
        try:
            return await work()
        except SandboxNotFound as error:
            raise WorkspaceUnavailableError("the sandbox has ended") from error
        except StreamCut as error:
            if await self._is_gone():
                raise WorkspaceUnavailableError("the sandbox has ended") from error
            raise

    async def _is_gone(self) -> bool:
        try:
            await (await self._ready()).refresh()
        except SandboxNotFound:
            return True
        return False

    async def _followed(self, sandbox: AsyncSandbox, entry: Entry) -> Entry:
        """What a link leads to; a link that leads nowhere, or in a circle, is itself."""
        if entry.kind != "link":
            return entry
        try:
            return await native.followed(sandbox, entry.path)
        except (FileError, OSError):
            return entry


def _file_entry(path: str, entry: Entry) -> FileEntry:
    is_dir = entry.kind == "folder"
    size = entry.size if entry.kind == "file" else None
    return FileEntry(name=posixpath.basename(path), path=path, is_dir=is_dir, size=size)


def _check(command: WorkspaceCommand, shell: bool, timeout: float | None) -> None:
    if isinstance(command, str) != shell:
        raise TypeError("a text needs shell=True, a list of arguments shell=False")
    if timeout is not None and not (math.isfinite(timeout) and timeout > 0):
        raise ValueError("timeout must be a positive finite number or None")
