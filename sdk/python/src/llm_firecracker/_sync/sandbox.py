# Made from `_async/sandbox.py` by `scripts/unasync.py`: change that one.
"""A sandbox: a VM that stays, with processes, interpreters and files."""

from __future__ import annotations

import weakref
from collections.abc import Mapping
from typing import Any

from typing_extensions import Self, Unpack

from .. import _routes as routes
from .._decode import decode
from .._errors import SandboxNotFound
from .._gather import OnResult, OnText
from .._keep_alive import KeepAlive
from ..models import CellEvent, Execution, SandboxInfo
from ..options import CellOptions
from .contexts import Cells, Context, Contexts
from .files import Files
from .processes import Commands, Processes
from .stream import Stream
from .tasks import cleaning_up, keeping_alive
from .transport import Transport


class Sandbox:
    """One sandbox. It ends with `with`, by `close`, or when its time is up."""

    def __init__(self, transport: Transport, info: SandboxInfo) -> None:
        self._transport = transport
        self._cells = Cells(transport, info.id)
        self._alive: KeepAlive | None = None
        #: What was known of it last; see `refresh`.
        self.info = info
        self.files = Files(transport, info.id)
        self.processes = Processes(transport, info.id)
        self.commands = Commands(self.processes, transport, info.id)
        self.contexts = Contexts(transport, info.id)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.id} of {self.info.image}>"

    @property
    def id(self) -> str:
        """Its name."""
        return self.info.id

    def run_code(
        self,
        code: str,
        *,
        language: str | None = None,
        context: Context | int | None = None,
        on_stdout: OnText | None = None,
        on_stderr: OnText | None = None,
        on_result: OnResult | None = None,
        **options: Unpack[CellOptions],
    ) -> Execution:
        """Runs a cell in a context, or in the language's own: variables stay for the next cell of it.

        An error that the cell does not catch is in the answer's `error`. Callbacks hear of the cell as it runs.
        """
        body = _cell(code, language, context, options)
        return self._cells.run(body, on_stdout=on_stdout, on_stderr=on_stderr, on_result=on_result)

    def stream_code(
        self,
        code: str,
        *,
        language: str | None = None,
        context: Context | int | None = None,
        **options: Unpack[CellOptions],
    ) -> Stream[CellEvent]:
        """The same; what is told of the cell, as it runs."""
        return self._cells.stream(_cell(code, language, context, options))

    def refresh(self) -> SandboxInfo:
        """What is known of it now."""
        self.info = decode(SandboxInfo, self._transport.json(routes.GET_SANDBOX(self.id)))
        return self.info

    def extend(self, timeout: float) -> SandboxInfo:
        """More time: seconds from now."""
        call = routes.EXTEND_SANDBOX(self.id, body={"timeout": timeout})
        self.info = decode(SandboxInfo, self._transport.json(call))
        return self.info

    def keep_alive(self) -> None:
        """Has its idle time not pass as long as this object is there and not closed; its total time does."""
        if self._alive is None:
            self._alive = keeping_alive(self._transport, routes.GET_SANDBOX(self.id), self.info.idle_timeout)
            weakref.finalize(self, self._alive.stop)

    def close(self) -> None:
        """Ends it with all in it; one that ended by itself is as good."""
        if self._alive is not None:
            self._alive.stop()
        try:
            with cleaning_up():
                self._transport.bytes(routes.DELETE_SANDBOX(self.id))
        except SandboxNotFound:
            return

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *raised: object) -> None:
        self.close()


def _cell(
    code: str, language: str | None, context: Context | int | None, options: Mapping[str, Any]
) -> dict[str, Any]:
    number = context.id if isinstance(context, Context) else context
    return {"on_disconnect": "kill", **options, "code": code, "language": language, "context": number}
