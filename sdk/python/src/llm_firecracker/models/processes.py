"""Processes of a sandbox, what they write, and how they end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Literal, Union

from .shared import Isolation, Limit, Status, Usage, raw


@dataclass(frozen=True, kw_only=True)
class Exit:
    """How a process ended."""

    SCHEMAS: ClassVar = ("ExitBody",)
    status: Status
    #: Seconds that it ran.
    exec_time: float
    usage: Usage
    isolation: Isolation
    #: The offset where its output ends.
    written_bytes: int
    #: How often the limit of processes and threads refused a new one.
    pids_refused: int
    exit_code: int | None = None
    signal: int | None = None
    limit: Limit | None = None

    @property
    def returncode(self) -> int:
        """As a shell has it: the exit code, or 128 and the signal's number."""
        if self.exit_code is not None:
            return self.exit_code
        return 128 + (self.signal or 0)


@dataclass(frozen=True, kw_only=True)
class ProcessInfo:
    """What the service says of a process; as an event: it runs."""

    SCHEMAS: ClassVar = ("ProcessBody",)
    #: Its name in the API.
    id: int
    #: Its number inside the sandbox.
    pid: int
    argv: tuple[str, ...]
    cwd: str
    user: Literal["sandbox", "root"]
    #: It has a terminal.
    pty: bool
    on_disconnect: Literal["keep", "kill"]
    started_at: datetime
    isolation: Isolation
    #: `None` while it runs.
    exit: Exit | None = None


@dataclass(frozen=True, kw_only=True)
class Output:
    """A piece of what a process wrote."""

    SCHEMAS: ClassVar = ("OutputBody",)
    stream: Literal["stdout", "stderr", "terminal"]
    #: As text; bytes that are no UTF-8 replaced.
    data: str
    #: Of its first byte, among all that the process wrote.
    offset: int
    #: Of the first byte behind it.
    next_offset: int
    base64: str | None = None

    @property
    def raw(self) -> bytes:
        """Byte for byte."""
        return raw(self.data, self.base64)


@dataclass(frozen=True, kw_only=True)
class Expiring:
    """The sandbox ends by itself soon, unless it is used (`idle`) or given more time (`total`)."""

    SCHEMAS: ClassVar = ("ExpiringBody",)
    limit: Literal["idle", "total"]
    seconds_left: float


#: What is told of a process that is followed; `Exit` is the last.
ProcessEvent = Union[ProcessInfo, Output, Expiring, Exit]


@dataclass(frozen=True, kw_only=True)
class CommandResult:
    """A command that ended: with which code, is its own affair."""

    SCHEMAS: ClassVar = ()
    stdout: str
    stderr: str
    exit: Exit
    #: Its number among the sandbox's processes.
    process: int

    @property
    def ok(self) -> bool:
        """It ended by itself, with exit code 0."""
        return self.exit.status == "ok"

    @property
    def exit_code(self) -> int:
        """As a shell has it: the exit code, or 128 and the signal's number."""
        return self.exit.returncode

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> Mapping[str, Any]:
        end = "" if self.ok else f"[{self.exit.status}: {self.exit_code}]"
        parts = [part.rstrip("\n") for part in (self.stdout, self.stderr, end) if part]
        return {"text/plain": "\n".join(parts)}
