"""A stream of events, as it comes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Generic, TypeVar

import httpx2
from typing_extensions import Self

from .._errors import StreamCut
from .._routes import Call
from .._streams import EventReader
from .tasks import cleaning_up
from .transport import AsyncTransport

T = TypeVar("T")


class AsyncStream(Generic[T]):
    """Events of one request; it is sent when the first is asked for, or at `async with`.

    Who leaves before the last event leaves by the end of an `async with`, which closes the connection at once.
    """

    def __init__(self, transport: AsyncTransport, call: Call, reader: EventReader[T]) -> None:
        self._transport = transport
        self._call = call
        self._reader = reader
        self._response: httpx2.Response | None = None
        self._events: AsyncIterator[T] | None = None

    @property
    def next_offset(self) -> int | None:
        """Where to go on, should this stream be cut; `None` where it does not say."""
        return self._reader.next_offset

    async def opened(self) -> Self:
        """Sends the request; a refusal is raised here."""
        if self._response is None:
            self._response = await self._transport.open(self._call)
            self._events = self._read(self._response)
        return self

    async def aclose(self) -> None:
        """Closes the connection: the service sees its client leave."""
        if self._response is not None:
            with cleaning_up():
                await self._response.aclose()

    async def __aenter__(self) -> Self:
        return await self.opened()

    async def __aexit__(self, *raised: object) -> None:
        await self.aclose()

    def __aiter__(self) -> AsyncIterator[T]:
        return self

    async def __anext__(self) -> T:
        await self.opened()
        if self._events is None:
            raise StopAsyncIteration
        try:
            return await self._events.__anext__()
        except BaseException:
            # Over, broken or cancelled: in each case nothing more is read.
            await self.aclose()
            raise

    async def _read(self, response: httpx2.Response) -> AsyncIterator[T]:
        try:
            async for piece in response.aiter_bytes():
                for event in self._reader.feed(piece):
                    yield event
                if self._reader.complete:
                    return
        except (httpx2.TransportError, httpx2.StreamError) as error:
            raise StreamCut(f"the stream broke: {error}", self._reader.next_offset) from error
        self._reader.finish()
