"""Processes of a sandbox, and commands: processes whose end one waits for."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
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
from .files import AsyncFiles
from .stream import AsyncStream
from .tasks import beside
from .transport import AsyncTransport


class AsyncProcess:
    """One process of a sandbox."""

    def __init__(self, transport: AsyncTransport, sandbox: str, info: ProcessInfo) -> None:
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

    async def refresh(self) -> ProcessInfo:
        """What is known of it now; `exit` is there once it ended."""
        answer = await self._transport.json(routes.GET_PROCESS(self._sandbox, self.id))
        self.info = decode(ProcessInfo, answer)
        return self.info

    def follow(self, from_offset: int = 0) -> AsyncStream[ProcessEvent]:
        """What it wrote from there on, as far as it is kept, what comes, and its end."""
        params = {"from": str(from_offset)}
        call = routes.FOLLOW(self._sandbox, self.id, params=params, **routes.EVENTS)
        return AsyncStream(self._transport, call, EventReader(process_event, PROCESS_LAST))

    async def wait(
        self,
        *,
        on_stdout: OnText | None = None,
        on_stderr: OnText | None = None,
        max_output_bytes: int = OUTPUT_BYTES,
    ) -> CommandResult:
        """Its end, with what is kept of its output; `OutputTooLarge` when that is more than is wanted."""
        gathering = CommandGathering(Texts(on_stdout, on_stderr, max_output_bytes))
        async with self.follow() as events:
            async for event in events:
                gathering.add(event)
        return gathering.result(self.id)

    async def write(self, data: str | bytes) -> None:
        """Feeds its standard input, or types into its terminal; waits until the sandbox has taken it."""
        content = data.encode() if isinstance(data, str) else data
        await self._input(content, {})

    async def close_stdin(self, data: str | bytes = b"") -> None:
        """The end of its standard input, after a last piece."""
        content = data.encode() if isinstance(data, str) else data
        await self._input(content, {"close": "true"})

    async def signal(
        self, signal: str | int = "SIGTERM", to: Literal["process", "group", "all"] | None = None
    ) -> None:
        """Sends a signal; `to` says who gets it."""
        body = {"signal": str(signal), "to": to}
        await self._transport.bytes(routes.SIGNAL(self._sandbox, self.id, body=body))

    async def resize(self, rows: int, columns: int) -> None:
        """Its terminal has another size."""
        body = {"rows": rows, "columns": columns}
        await self._transport.bytes(routes.RESIZE(self._sandbox, self.id, body=body))

    async def forget(self) -> None:
        """Away with it, with all that it started and with its output."""
        await self._transport.bytes(routes.FORGET(self._sandbox, self.id))

    async def _input(self, content: bytes, params: Mapping[str, str]) -> None:
        call = routes.STDIN(self._sandbox, self.id, params=params, content=content, read_seconds=None)
        await self._transport.bytes(call)


class AsyncProcesses:
    """Processes of one sandbox."""

    def __init__(self, transport: AsyncTransport, sandbox: str) -> None:
        self._transport = transport
        self._sandbox = sandbox

    async def start(self, command: str | Sequence[str], **options: Unpack[ProcessOptions]) -> AsyncProcess:
        """Starts a process that runs on by itself. A text is a line for bash, a list a program and its arguments."""
        body = routes.command_body(command, {**options, "background": True})
        info = decode(ProcessInfo, await self._transport.json(routes.START(self._sandbox, body=body)))
        return AsyncProcess(self._transport, self._sandbox, info)

    async def list(self) -> list[AsyncProcess]:
        """All that are not forgotten, those that ended too."""
        infos = decode_list(ProcessInfo, await self._transport.json(routes.LIST_PROCESSES(self._sandbox)))
        return [AsyncProcess(self._transport, self._sandbox, info) for info in infos]

    async def get(self, process: int) -> AsyncProcess:
        """One by its number."""
        answer = await self._transport.json(routes.GET_PROCESS(self._sandbox, process))
        return AsyncProcess(self._transport, self._sandbox, decode(ProcessInfo, answer))

    def stream(self, command: str | Sequence[str], **options: Unpack[ProcessOptions]) -> AsyncStream[ProcessEvent]:
        """Starts a process and follows it: `ProcessInfo`, then `Output` as it comes, then `Exit`."""
        body = routes.command_body(command, {**options, "background": False})
        call = routes.START(self._sandbox, body=body, **routes.EVENTS)
        return AsyncStream(self._transport, call, EventReader(process_event, PROCESS_LAST))

    async def forget_ended(self) -> int:
        """Forgets those that ended, the older half of them; what they left running ends. Says how many."""
        ended = [process for process in await self.list() if process.info.exit is not None]
        old = ended[: (len(ended) + 1) // 2]
        for process in old:
            await process.forget()
        return len(old)


class AsyncCommands:
    """Commands of one sandbox: run, and done."""

    def __init__(self, processes: AsyncProcesses, transport: AsyncTransport, sandbox: str) -> None:
        self._processes = processes
        self._files = AsyncFiles(transport, sandbox)
        self._transport = transport
        self._sandbox = sandbox

    async def run(
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
            command = await self._filed(command)
        gathering = CommandGathering(Texts(on_stdout, on_stderr, max_output_bytes))
        async with AsyncExitStack() as stack:
            events = await stack.enter_async_context(await self._started(command, wanted))
            async for event in events:
                gathering.add(event)
                if isinstance(event, ProcessInfo) and stdin is not None:
                    data, process = stdin, AsyncProcess(self._transport, self._sandbox, event)
                    await stack.enter_async_context(beside(lambda: _feed(process, data)))
        return gathering.result()

    async def _filed(self, command: str | Sequence[str]) -> list[str]:
        path = f"/tmp/.command-{uuid.uuid4().hex}"
        content, shorter = routes.filed(command, path)
        await self._files.write(path, content)
        return shorter

    async def _started(self, command: str | Sequence[str], options: Mapping[str, Any]) -> AsyncStream[ProcessEvent]:
        try:
            return await self._stream(command, options).opened()
        except TooManyProcesses:
            if not await self._processes.forget_ended():
                raise
        return await self._stream(command, options).opened()

    def _stream(self, command: str | Sequence[str], options: Mapping[str, Any]) -> AsyncStream[ProcessEvent]:
        body = routes.command_body(command, {**options, "background": False})
        call = routes.START(self._sandbox, body=body, **routes.EVENTS)
        return AsyncStream(self._transport, call, EventReader(process_event, PROCESS_LAST))


async def _feed(process: AsyncProcess, data: str | bytes) -> None:
    """All of its input. A process that ends without reading it is no failure, as in a pipe of a shell."""
    try:
        await process.close_stdin(data)
    except (ProcessEnded, StdinClosed, ConnectionFailed):
        return
