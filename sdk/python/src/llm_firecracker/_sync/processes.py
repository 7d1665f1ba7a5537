# Made from `_async/processes.py` by `scripts/unasync.py`: change that one.
"""Processes of a sandbox, and commands: processes whose end one waits for."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from typing import Any, Literal

from typing_extensions import Unpack

from .. import _routes as routes
from .._decode import decode, decode_list
from .._errors import ConnectionFailed, ProcessEnded, StdinClosed, TooManyProcesses
from .._events import PROCESS_LAST, process_event
from .._gather import OUTPUT_BYTES, CommandGathering, OnText, Texts
from .._streams import EventReader
from ..models import CommandResult, ProcessEvent, ProcessInfo
from ..options import CommandOptions, ProcessOptions
from .files import Files
from .stream import Stream
from .tasks import beside
from .transport import Transport


class Process:
    """One process of a sandbox."""

    def __init__(self, transport: Transport, sandbox: str, info: ProcessInfo) -> None:
        self._transport = transport
        self._sandbox = sandbox
        #: What was known of it last; see `refresh`.
        self.info = info

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.id} {self.info.argv!r}>"

    @property
    def id(self) -> int:
        """Its name in the API."""
        return self.info.id

    def refresh(self) -> ProcessInfo:
        """What is known of it now; `exit` is there once it ended."""
        answer = self._transport.json(routes.GET_PROCESS(self._sandbox, self.id))
        self.info = decode(ProcessInfo, answer)
        return self.info

    def follow(self, from_offset: int = 0) -> Stream[ProcessEvent]:
        """What it wrote from there on, as far as it is kept, what comes, and its end."""
        params = {"from": str(from_offset)}
        call = routes.FOLLOW(self._sandbox, self.id, params=params, **routes.EVENTS)
        return Stream(self._transport, call, EventReader(process_event, PROCESS_LAST))

    def wait(
        self,
        *,
        on_stdout: OnText | None = None,
        on_stderr: OnText | None = None,
        max_output_bytes: int = OUTPUT_BYTES,
    ) -> CommandResult:
        """Its end, with what is kept of its output; `OutputTooLarge` when that is more than is wanted."""
        gathering = CommandGathering(Texts(on_stdout, on_stderr, max_output_bytes))
        with self.follow() as events:
            for event in events:
                gathering.add(event)
        return gathering.result(self.id)

    def write(self, data: str | bytes) -> None:
        """Feeds its standard input, or types into its terminal; waits until the sandbox has taken it."""
        content = data.encode() if isinstance(data, str) else data
        self._input(content, {})

    def close_stdin(self, data: str | bytes = b"") -> None:
        """The end of its standard input, after a last piece."""
        content = data.encode() if isinstance(data, str) else data
        self._input(content, {"close": "true"})

    def signal(
        self, signal: str | int = "SIGTERM", to: Literal["process", "group", "all"] | None = None
    ) -> None:
        """Sends a signal; `to` says who gets it."""
        body = {"signal": str(signal), "to": to}
        self._transport.bytes(routes.SIGNAL(self._sandbox, self.id, body=body))

    def resize(self, rows: int, columns: int) -> None:
        """Its terminal has another size."""
        body = {"rows": rows, "columns": columns}
        self._transport.bytes(routes.RESIZE(self._sandbox, self.id, body=body))

    def forget(self) -> None:
        """Away with it, with all that it started and with its output."""
        self._transport.bytes(routes.FORGET(self._sandbox, self.id))

    def _input(self, content: bytes, params: Mapping[str, str]) -> None:
        call = routes.STDIN(self._sandbox, self.id, params=params, content=content, read_seconds=None)
        self._transport.bytes(call)


class Processes:
    """Processes of one sandbox."""

    def __init__(self, transport: Transport, sandbox: str) -> None:
        self._transport = transport
        self._sandbox = sandbox

    def start(self, command: str | Sequence[str], **options: Unpack[ProcessOptions]) -> Process:
        """Starts a process that runs on by itself. A text is a line for bash, a list a program and its arguments."""
        body = routes.command_body(command, {**options, "background": True})
        info = decode(ProcessInfo, self._transport.json(routes.START(self._sandbox, body=body)))
        return Process(self._transport, self._sandbox, info)

    def list(self) -> list[Process]:
        """All that are not forgotten, those that ended too."""
        infos = decode_list(ProcessInfo, self._transport.json(routes.LIST_PROCESSES(self._sandbox)))
        return [Process(self._transport, self._sandbox, info) for info in infos]

    def get(self, process: int) -> Process:
        """One by its number."""
        answer = self._transport.json(routes.GET_PROCESS(self._sandbox, process))
        return Process(self._transport, self._sandbox, decode(ProcessInfo, answer))

    def stream(self, command: str | Sequence[str], **options: Unpack[ProcessOptions]) -> Stream[ProcessEvent]:
        """Starts a process and follows it: `ProcessInfo`, then `Output` as it comes, then `Exit`."""
        body = routes.command_body(command, {**options, "background": False})
        call = routes.START(self._sandbox, body=body, **routes.EVENTS)
        return Stream(self._transport, call, EventReader(process_event, PROCESS_LAST))

    def forget_ended(self) -> int:
        """Forgets those that ended, the older half of them; what they left running ends. Says how many."""
        ended = [process for process in self.list() if process.info.exit is not None]
        old = ended[: (len(ended) + 1) // 2]
        for process in old:
            process.forget()
        return len(old)


class Commands:
    """Commands of one sandbox: run, and done."""

    def __init__(self, processes: Processes, transport: Transport, sandbox: str) -> None:
        self._processes = processes
        self._files = Files(transport, sandbox)
        self._transport = transport
        self._sandbox = sandbox

    def run(
        self,
        command: str | Sequence[str],
        *,
        stdin: str | bytes | None = None,
        on_stdout: OnText | None = None,
        on_stderr: OnText | None = None,
        max_output_bytes: int = OUTPUT_BYTES,
        **options: Unpack[CommandOptions],
    ) -> CommandResult:
        """Runs a command to its end. A text is a line for bash, a list a program and its arguments.

        An output over `max_output_bytes` ends it with `OutputTooLarge`. A command may have any length: what a request
        does not take goes by a file in `/tmp`.
        What it left in the background runs on. A sandbox keeps 256 processes: when it is full, the older half of
        those that ended is forgotten, and what these left running ends.
        """
        wanted: dict[str, Any] = {"on_disconnect": "kill", **options}
        wanted["stdin"] = "empty" if stdin is None else "open"
        if routes.too_long(command):
            command = self._filed(command)
        gathering = CommandGathering(Texts(on_stdout, on_stderr, max_output_bytes))
        with ExitStack() as stack:
            events = stack.enter_context(self._started(command, wanted))
            for event in events:
                gathering.add(event)
                if isinstance(event, ProcessInfo) and stdin is not None:
                    data, process = stdin, Process(self._transport, self._sandbox, event)
                    stack.enter_context(beside(lambda: _feed(process, data)))
        return gathering.result()

    def _filed(self, command: str | Sequence[str]) -> list[str]:
        path = f"/tmp/.command-{uuid.uuid4().hex}"
        content, shorter = routes.filed(command, path)
        self._files.write(path, content)
        return shorter

    def _started(self, command: str | Sequence[str], options: Mapping[str, Any]) -> Stream[ProcessEvent]:
        try:
            return self._stream(command, options).opened()
        except TooManyProcesses:
            if not self._processes.forget_ended():
                raise
        return self._stream(command, options).opened()

    def _stream(self, command: str | Sequence[str], options: Mapping[str, Any]) -> Stream[ProcessEvent]:
        body = routes.command_body(command, {**options, "background": False})
        call = routes.START(self._sandbox, body=body, **routes.EVENTS)
        return Stream(self._transport, call, EventReader(process_event, PROCESS_LAST))


def _feed(process: Process, data: str | bytes) -> None:
    """All of its input. A process that ends without reading it is no failure, as in a pipe of a shell."""
    try:
        process.close_stdin(data)
    except (ProcessEnded, StdinClosed, ConnectionFailed):
        return
