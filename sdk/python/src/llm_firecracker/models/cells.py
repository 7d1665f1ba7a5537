"""Contexts (interpreters that keep their variables) and what is told of their cells."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Union

from .._display import Trusted, inert
from .processes import Exit
from .shared import Isolation, Status, raw


@dataclass(frozen=True, kw_only=True)
class ContextInfo:
    """What the service says of a context."""

    SCHEMAS: ClassVar = ("ContextBody",)
    id: int
    language: str
    #: Where its interpreter starts.
    cwd: str
    #: Cells that it took so far.
    cells: int
    #: Its interpreter among the sandbox's processes; `None`: the next cell gets a new one.
    process: int | None = None


@dataclass(frozen=True, kw_only=True)
class Logs:
    """What a cell printed."""

    SCHEMAS: ClassVar = ("Logs",)
    stdout: str = ""
    stderr: str = ""


@dataclass(frozen=True, kw_only=True)
class Result:
    """A value that a cell showed. A notebook shows the parts of it that cannot run anything; see `trusted`."""

    SCHEMAS: ClassVar = ("ResultBody",)
    #: MIME type → text, or base64.
    data: Mapping[str, str]
    #: It is that of the last expression.
    is_result: bool

    @property
    def text(self) -> str:
        """As text."""
        return self.data.get("text/plain", "")

    def trusted(self) -> Trusted:
        """For a notebook that is to show all of it, HTML and scripts too: only for code that is yours."""
        return Trusted(self.data)

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, Any]:
        return inert(self.data)


@dataclass(frozen=True, kw_only=True)
class LateOutput:
    """What a cell that is over left behind printed later; `cell` is `None` where nobody knows whose it is."""

    SCHEMAS: ClassVar = ("LateBody",)
    stream: Literal["stdout", "stderr"]
    data: str
    cell: int | None = None


@dataclass(frozen=True, kw_only=True)
class Lost:
    """What became of an interpreter. The next cell finds a new one."""

    SCHEMAS: ClassVar = ("LostBody",)
    #: `ended`, `not_interruptible`, `silent`, `misbehaved`, `not_started`, `restarted` or `sandbox_gone`.
    reason: str
    detail: str
    exit: Exit | None = None


@dataclass(frozen=True, kw_only=True)
class ErrorInfo:
    """An error that a cell did not catch."""

    SCHEMAS: ClassVar = ("CellErrorBody",)
    #: Its class.
    name: str
    #: Its message.
    value: str
    traceback: str


@dataclass(frozen=True, kw_only=True)
class _Told:
    #: Its number among all that is told of the context.
    offset: int
    #: Where to go on.
    next_offset: int
    cell: int | None = None


@dataclass(frozen=True, kw_only=True)
class CellBegun(_Told):
    """A cell runs."""

    SCHEMAS: ClassVar = ("PlainBody", "CellTold")


@dataclass(frozen=True, kw_only=True)
class InterpreterRenewed(_Told):
    """A new interpreter: variables are gone."""

    SCHEMAS: ClassVar = ("PlainBody", "CellTold")


@dataclass(frozen=True, kw_only=True)
class CellOutput(_Told):
    """A cell printed."""

    SCHEMAS: ClassVar = ("PrintedBody", "CellTold")
    stream: Literal["stdout", "stderr"]
    data: str
    #: Printed by what a cell that is over left behind.
    late: bool
    base64: str | None = None

    @property
    def raw(self) -> bytes:
        """Byte for byte."""
        return raw(self.data, self.base64)


@dataclass(frozen=True, kw_only=True)
class Shown(_Told):
    """A cell showed a value."""

    SCHEMAS: ClassVar = ("ShownBody", "CellTold")
    #: `result` is the last expression's.
    shown: Literal["display", "result"]
    late: bool
    data: Mapping[str, str]

    @property
    def result(self) -> Result:
        """As `Execution.results` has it."""
        return Result(data=self.data, is_result=self.shown == "result")


@dataclass(frozen=True, kw_only=True)
class CellError(_Told):
    """What a cell did not catch."""

    SCHEMAS: ClassVar = ("CellErrorBody", "CellTold")
    name: str
    value: str
    traceback: str


@dataclass(frozen=True, kw_only=True)
class CellEnd(_Told):
    """A cell is over."""

    SCHEMAS: ClassVar = ("CellEndBody", "CellTold")
    status: Status
    exec_time: float
    isolation: Isolation
    exit_code: int | None = None
    #: What stopped it: `interrupt`, `timeout`, `output` or `context`.
    stopped: str | None = None
    #: What became of the interpreter with all variables; `None`: they are there for the next cell.
    lost: Lost | None = None


@dataclass(frozen=True, kw_only=True)
class ContextLost(_Told):
    """The interpreter ended between cells."""

    SCHEMAS: ClassVar = ("LostBody", "CellTold")
    reason: str
    detail: str
    exit: Exit | None = None


#: What is told of a context.
CellEvent = Union[CellBegun, InterpreterRenewed, CellOutput, Shown, CellError, CellEnd, ContextLost]


@dataclass(frozen=True, kw_only=True)
class Execution:
    """How a cell ended, and all that it showed and printed."""

    SCHEMAS: ClassVar = ("ExecuteCellBody", "CellEndBody")
    status: Status
    results: tuple[Result, ...]
    logs: Logs
    #: What others printed meanwhile: what cells before it left behind.
    late: tuple[LateOutput, ...]
    #: It found a new interpreter, without the variables of before.
    renewed: bool
    exec_time: float
    isolation: Isolation
    cell: int
    #: Where it ran; `None` where callbacks were told of a cell of the language's own context.
    context: int | None
    error: ErrorInfo | None = None
    exit_code: int | None = None
    stopped: str | None = None
    lost: Lost | None = None

    @property
    def ok(self) -> bool:
        """It ended by itself and without an error."""
        return self.status == "ok"

    @property
    def text(self) -> str | None:
        """The last expression's value as text."""
        values = [one.text for one in self.results if one.is_result]
        return values[-1] if values else None

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, Any]:
        """A notebook's view: what it printed, its error, and the last value's inert parts."""
        shown = inert(self.results[-1].data) if self.results else {}
        trace = self.error.traceback if self.error else ""
        parts = [self.logs.stdout, self.logs.stderr, trace, str(shown.get("text/plain", ""))]
        return {**shown, "text/plain": "\n".join(part.rstrip("\n") for part in parts if part)}
