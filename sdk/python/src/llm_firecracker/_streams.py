"""Bytes of a stream to its events, without I/O: JSON lines, and server-sent events.

Lines end at LF alone: `str.splitlines` would also cut at U+2028 and the like, which JSON leaves in texts as they are.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any, Generic, TypeVar

from ._errors import ProblemError, ProtocolError, StreamCut

T = TypeVar("T")

#: Makes something of an event's name and body; `None` for an event that is not known here.
Make = Callable[[str, dict[str, Any]], T | None]
#: Of an event that says that the service still lives.
ALIVE = "alive"
#: Of the event that ends a stream with a problem.
ERROR = "error"
#: One line: a cell's largest result (2 MiB) as base64 in JSON, and room besides.
MAX_LINE_BYTES = 64 * 1024 * 1024


class Lines:
    """Cuts bytes into lines."""

    def __init__(self) -> None:
        self._rest = bytearray()

    def feed(self, data: bytes) -> Iterator[str]:
        """The lines that are whole now."""
        self._rest += data
        *whole, rest = self._rest.split(b"\n")
        if len(rest) > MAX_LINE_BYTES:
            raise ProtocolError(f"a line of a stream is over {MAX_LINE_BYTES} bytes")
        self._rest = bytearray(rest)
        for line in whole:
            yield line.decode("utf-8", "replace")


class EventReader(Generic[T]):
    """Events of one stream. `last` are the names of those that end it."""

    def __init__(self, make: Make[T], last: frozenset[str]) -> None:
        self._make = make
        self._last = last
        self._lines = Lines()
        #: Where to go on, when the stream says so.
        self.next_offset: int | None = None
        #: The last event was there.
        self.complete = False

    def feed(self, data: bytes) -> Iterator[T]:
        """The events that are whole now; raises the problem that ends a stream."""
        for line in self._lines.feed(data):
            named = self._named(line)
            if named is None or self.complete:
                continue
            name, body = named
            if name == ERROR and "code" in body:
                raise ProblemError.of(body)
            if isinstance(offset := body.get("next_offset"), int):
                self.next_offset = offset
            self.complete = name in self._last
            if (made := self._make(name, body)) is not None:
                yield made

    def finish(self) -> None:
        """The bytes are over: raises when the last event was not among them."""
        if not self.complete and self._last:
            raise StreamCut("the stream ended before its last event", self.next_offset)

    def _named(self, line: str) -> tuple[str, dict[str, Any]] | None:
        """A JSON line's event."""
        if not line:
            return None
        body = _object(line)
        name = str(body.get("event"))
        return None if name == ALIVE else (name, body)


class SseReader(EventReader[T]):
    """The same of server-sent events, each of which has one line of data."""

    def __init__(self, make: Make[T], last: frozenset[str]) -> None:
        super().__init__(make, last)
        self._name = ""

    def _named(self, line: str) -> tuple[str, dict[str, Any]] | None:
        field, _, value = line.rstrip("\r").partition(":")
        value = value.removeprefix(" ")
        if field == "event":
            self._name = value
        return (self._name, _object(value)) if field == "data" else None


def _object(text: str) -> dict[str, Any]:
    try:
        body = json.loads(text)
    except ValueError as error:
        raise ProtocolError("a line of a stream is no JSON") from error
    if not isinstance(body, dict):
        raise ProtocolError("a line of a stream is no object")
    return body
