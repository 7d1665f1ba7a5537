"""Events put together to one answer. Pure: events in, callbacks called, an answer out."""

from __future__ import annotations

import codecs
from collections.abc import Callable
from dataclasses import dataclass, field

from ._errors import OutputTooLarge, ProtocolError
from .models import (
    CellEnd,
    CellError,
    CellEvent,
    CellOutput,
    CommandResult,
    Execution,
    Exit,
    InterpreterRenewed,
    LateOutput,
    Logs,
    Output,
    ProcessEvent,
    ProcessInfo,
    Result,
    Shown,
)
from .models.cells import ErrorInfo

OnText = Callable[[str], object]
OnResult = Callable[[Result], object]


#: Bytes of each output that are taken when nobody says another number: a guest may write without an end.
OUTPUT_BYTES = 64 * 1024 * 1024


@dataclass
class Texts:
    """Both outputs as they grow: characters that are cut between two pieces are whole again."""

    on_stdout: OnText | None = None
    on_stderr: OnText | None = None
    #: Bytes of each.
    limit: int = OUTPUT_BYTES
    _sizes: dict[str, int] = field(default_factory=dict)
    _decoders: dict[str, codecs.IncrementalDecoder] = field(default_factory=dict)
    _parts: dict[str, list[str]] = field(default_factory=dict)

    def add(self, stream: str, data: bytes) -> None:
        """A piece. A terminal's counts as standard output."""
        name = "stderr" if stream == "stderr" else "stdout"
        if name not in self._decoders:
            self._decoders[name] = codecs.getincrementaldecoder("utf-8")("replace")
        room = self.limit - self._sizes.get(name, 0)
        self._sizes[name] = self._sizes.get(name, 0) + len(data)
        self._keep(name, self._decoders[name].decode(data[:room]))
        if len(data) > room:
            logs = self.end()
            raise OutputTooLarge(self.limit, logs.stdout, logs.stderr)

    def end(self) -> Logs:
        """All of it."""
        for name, decoder in self._decoders.items():
            self._keep(name, decoder.decode(b"", final=True))
        whole = {name: "".join(parts) for name, parts in self._parts.items()}
        return Logs(stdout=whole.get("stdout", ""), stderr=whole.get("stderr", ""))

    def _keep(self, name: str, text: str) -> None:
        if not text:
            return
        self._parts.setdefault(name, []).append(text)
        callback = self.on_stderr if name == "stderr" else self.on_stdout
        if callback is not None:
            callback(text)


@dataclass
class CommandGathering:
    """A process' events to its result."""

    texts: Texts
    _process: int | None = None
    _exit: Exit | None = None

    def add(self, event: ProcessEvent) -> None:
        """One event."""
        if isinstance(event, ProcessInfo):
            self._process = event.id
        elif isinstance(event, Output):
            self.texts.add(event.stream, event.raw)
        elif isinstance(event, Exit):
            self._exit = event

    def result(self, process: int | None = None) -> CommandResult:
        """After the last."""
        number = self._process if process is None else process
        if self._exit is None or number is None:
            raise ProtocolError("a process ended without an exit")
        logs = self.texts.end()
        return CommandResult(stdout=logs.stdout, stderr=logs.stderr, exit=self._exit, process=number)


@dataclass
class CellGathering:
    """A cell's events to its execution."""

    texts: Texts
    on_result: OnResult | None = None
    _results: list[Result] = field(default_factory=list)
    _late: list[LateOutput] = field(default_factory=list)
    _error: ErrorInfo | None = None
    _renewed: bool = False
    _end: CellEnd | None = None

    def add(self, event: CellEvent) -> None:
        """One event."""
        if isinstance(event, CellOutput) and event.late:
            self._late.append(LateOutput(stream=event.stream, data=event.data, cell=event.cell))
        elif isinstance(event, CellOutput):
            self.texts.add(event.stream, event.raw)
        elif isinstance(event, Shown) and not event.late:
            self._results.append(event.result)
            if self.on_result is not None:
                self.on_result(event.result)
        elif isinstance(event, CellError):
            self._error = ErrorInfo(name=event.name, value=event.value, traceback=event.traceback)
        elif isinstance(event, InterpreterRenewed):
            self._renewed = True
        elif isinstance(event, CellEnd):
            self._end = event

    def execution(self, context: int | None) -> Execution:
        """After the last."""
        end = self._end
        if end is None or end.cell is None:
            raise ProtocolError("a cell ended without its end")
        return Execution(
            status=end.status,
            results=tuple(self._results),
            logs=self.texts.end(),
            late=tuple(self._late),
            renewed=self._renewed,
            exec_time=end.exec_time,
            isolation=end.isolation,
            cell=end.cell,
            context=context,
            error=self._error,
            exit_code=end.exit_code,
            stopped=end.stopped,
            lost=end.lost,
        )
