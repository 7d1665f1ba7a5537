# Made from `_async/stream.py` by `scripts/unasync.py`: change that one.
"""A stream of events, as it comes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Generic, TypeVar

import httpx2
from typing_extensions import Self

from .._errors import StreamCut
from .._routes import Call
from .._streams import EventReader
from .tasks import cleaning_up
from .transport import Transport

T = TypeVar("T")


class Stream(Generic[T]):
    """Events of one request; it is sent when the first is asked for, or at `with`.

    Who leaves before the last event leaves by the end of a `with`, which closes the connection at once.
    """

    def __init__(self, transport: Transport, call: Call, reader: EventReader[T]) -> None:
        self._transport = transport
        self._call = call
        self._reader = reader
        self._response: httpx2.Response | None = None
        self._events: Iterator[T] | None = None

    @property
    def next_offset(self) -> int | None:
        """Where to go on, should this stream be cut; `None` where it does not say."""
        return self._reader.next_offset

    def opened(self) -> Self:
        """Sends the request; a refusal is raised here."""
        if self._response is None:
            self._response = self._transport.open(self._call)
            self._events = self._read(self._response)
        return self

    def close(self) -> None:
        """Closes the connection: the service sees its client leave."""
        if self._response is not None:
            with cleaning_up():
                self._response.close()

    def __enter__(self) -> Self:
        return self.opened()

    def __exit__(self, *raised: object) -> None:
        self.close()

    def __iter__(self) -> Iterator[T]:
        return self

    def __next__(self) -> T:
        self.opened()
        if self._events is None:
            raise StopIteration
        try:
            return self._events.__next__()
        except BaseException:
            # Over, broken or cancelled: in each case nothing more is read.
            self.close()
            raise

    def _read(self, response: httpx2.Response) -> Iterator[T]:
        try:
            for piece in response.iter_bytes():
                for event in self._reader.feed(piece):
                    yield event
                if self._reader.complete:
                    return
        except (httpx2.TransportError, httpx2.StreamError) as error:
            raise StreamCut(f"the stream broke: {error}", self._reader.next_offset) from error
        self._reader.finish()
