"""Names of events to what they are here. Pure; `None` for a name that a newer service uses."""

from __future__ import annotations

from typing import Any

from ._decode import decode
from .models import (
    CellBegun,
    CellEnd,
    CellError,
    CellEvent,
    CellOutput,
    Changed,
    ContextLost,
    Exit,
    Expiring,
    InterpreterRenewed,
    JobOutput,
    Moved,
    Output,
    Overflow,
    ProcessEvent,
    ProcessInfo,
    RunEvent,
    RunResult,
    Shown,
    WatchEnded,
    WatchEvent,
    Watching,
)

#: The events after which nothing comes.
RUN_LAST = frozenset({"result"})
PROCESS_LAST = frozenset({"exit"})
CELL_LAST = frozenset({"end"})
WATCH_LAST = frozenset({"end"})
#: A context's events end with the context, which is told as an error.
CONTEXT_LAST: frozenset[str] = frozenset()

_PROCESS: dict[str, type[ProcessInfo] | type[Output] | type[Expiring] | type[Exit]] = {
    "started": ProcessInfo,
    "output": Output,
    "expiring": Expiring,
    "exit": Exit,
}
_CELL: dict[str, type[Any]] = {
    "begun": CellBegun,
    "renewed": InterpreterRenewed,
    "output": CellOutput,
    "display": Shown,
    "result": Shown,
    "error": CellError,
    "end": CellEnd,
    "lost": ContextLost,
}
_WATCH: dict[str, type[Any]] = {
    "watching": Watching,
    "moved": Moved,
    "overflow": Overflow,
    "end": WatchEnded,
    "created": Changed,
    "modified": Changed,
    "removed": Changed,
}


def run_event(name: str, body: dict[str, Any]) -> RunEvent | None:
    """Of a job."""
    if name in ("stdout", "stderr"):
        return decode(JobOutput, {**body, "stream": name})
    return decode(RunResult, body) if name in RUN_LAST else None


def process_event(name: str, body: dict[str, Any]) -> ProcessEvent | None:
    """Of a process."""
    kind = _PROCESS.get(name)
    return decode(kind, body) if kind is not None else None


def cell_event(name: str, body: dict[str, Any]) -> CellEvent | None:
    """Of a context."""
    kind = _CELL.get(name)
    made: CellEvent | None = decode(kind, body) if kind is not None else None
    return made


def watch_event(name: str, body: dict[str, Any]) -> WatchEvent | None:
    """Of a watch."""
    kind = _WATCH.get(name)
    if kind is None:
        return None
    made: WatchEvent = decode(kind, {**body, "change": name} if kind is Changed else body)
    return made
