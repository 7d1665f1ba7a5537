# Made from `_async/contexts.py` by `scripts/unasync.py`: change that one.
"""Contexts of a sandbox: interpreters that keep their variables from one cell to the next."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from typing_extensions import Unpack

from .. import _routes as routes
from .._decode import decode, decode_list
from .._events import CELL_LAST, CONTEXT_LAST, cell_event
from .._gather import CellGathering, OnResult, OnText, Texts
from .._streams import EventReader
from ..models import CellEvent, ContextInfo, Execution
from ..options import CellOptions, ContextOptions
from .stream import Stream
from .transport import Transport


class Cells:
    """Runs cells of one sandbox."""

    def __init__(self, transport: Transport, sandbox: str) -> None:
        self._transport = transport
        self._sandbox = sandbox

    def run(
        self,
        body: Mapping[str, Any],
        *,
        on_stdout: OnText | None,
        on_stderr: OnText | None,
        on_result: OnResult | None,
    ) -> Execution:
        """A cell to its end."""
        if on_stdout is None and on_stderr is None and on_result is None:
            call = routes.RUN_CELL(self._sandbox, body=body, read_seconds=None)
            return decode(Execution, self._transport.json(call))
        gathering = CellGathering(Texts(on_stdout, on_stderr), on_result)
        with self.stream(body) as events:
            for event in events:
                gathering.add(event)
        return gathering.execution(body.get("context"))

    def stream(self, body: Mapping[str, Any]) -> Stream[CellEvent]:
        """A cell as it runs."""
        call = routes.RUN_CELL(self._sandbox, body=body, **routes.EVENTS)
        return Stream(self._transport, call, EventReader(cell_event, CELL_LAST))


class Context:
    """One context."""

    def __init__(self, transport: Transport, sandbox: str, info: ContextInfo) -> None:
        self._transport = transport
        self._sandbox = sandbox
        self._cells = Cells(transport, sandbox)
        #: What was known of it when it was made or listed.
        self.info = info

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.id} of {self.info.language}>"

    @property
    def id(self) -> int:
        """Its name in the API."""
        return self.info.id

    def run_code(
        self,
        code: str,
        *,
        on_stdout: OnText | None = None,
        on_stderr: OnText | None = None,
        on_result: OnResult | None = None,
        **options: Unpack[CellOptions],
    ) -> Execution:
        """Runs a cell; callbacks hear of it as it runs."""
        body = {"on_disconnect": "kill", **options, "code": code, "context": self.id}
        return self._cells.run(body, on_stdout=on_stdout, on_stderr=on_stderr, on_result=on_result)

    def stream_code(self, code: str, **options: Unpack[CellOptions]) -> Stream[CellEvent]:
        """Runs a cell; what is told of it, as it runs."""
        return self._cells.stream({"on_disconnect": "kill", **options, "code": code, "context": self.id})

    def events(self, from_offset: int = 0) -> Stream[CellEvent]:
        """All that was told of it from there on, as far as it is kept, and what comes; without an end of its own."""
        params = {"from": str(from_offset)}
        call = routes.CONTEXT_EVENTS(self._sandbox, self.id, params=params, **routes.EVENTS)
        return Stream(self._transport, call, EventReader(cell_event, CONTEXT_LAST))

    def interrupt(self) -> None:
        """Ctrl-C for the cell that runs; variables stay."""
        self._transport.bytes(routes.INTERRUPT(self._sandbox, self.id))

    def restart(self) -> None:
        """A new interpreter: variables go, files stay."""
        self._transport.bytes(routes.RESTART(self._sandbox, self.id))

    def delete(self) -> None:
        """Away with it, and with the cells that wait."""
        self._transport.bytes(routes.DELETE_CONTEXT(self._sandbox, self.id))


class Contexts:
    """Contexts of one sandbox; there may be 8."""

    def __init__(self, transport: Transport, sandbox: str) -> None:
        self._transport = transport
        self._sandbox = sandbox

    def create(self, language: str | None = None, **options: Unpack[ContextOptions]) -> Context:
        """A new one of python, node or bash; of the sandbox's own language when absent."""
        body = {"language": language, **options}
        answer = self._transport.json(routes.CREATE_CONTEXT(self._sandbox, body=body))
        return Context(self._transport, self._sandbox, decode(ContextInfo, answer))

    def list(self) -> list[Context]:
        """All there are."""
        answer = self._transport.json(routes.LIST_CONTEXTS(self._sandbox))
        infos = decode_list(ContextInfo, answer)
        return [Context(self._transport, self._sandbox, info) for info in infos]
