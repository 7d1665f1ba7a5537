"""Files of a sandbox."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import BinaryIO

import httpx2

from .. import _routes as routes
from .._decode import decode
from .._errors import ConnectionFailed, FileNotFound, ReadTooLarge
from .._events import WATCH_LAST, watch_event
from .._streams import EventReader
from ..models import Entry, Listing, WatchEvent, Written
from .stream import AsyncStream
from .tasks import in_thread
from .transport import AsyncTransport

#: Bytes of a file that are read when nobody says another number. A guest may put a link to `/dev/zero` anywhere.
READ_BYTES = 1024 * 1024 * 1024
#: Bytes of an upload that are read at a time.
PIECE_BYTES = 256 * 1024


class AsyncFiles:
    """Files of one sandbox, of any size. Paths are absolute."""

    def __init__(self, transport: AsyncTransport, sandbox: str) -> None:
        self._transport = transport
        self._sandbox = sandbox

    async def read(self, path: str, max_bytes: int = READ_BYTES) -> bytes:
        """A file's bytes; `ReadTooLarge` when there are more than are wanted."""
        content = bytearray()
        async with aclosing(self.download(path)) as pieces:
            async for piece in pieces:
                content += piece
                if len(content) > max_bytes:
                    raise ReadTooLarge(path, max_bytes)
        return bytes(content)

    async def read_text(self, path: str, encoding: str = "utf-8", max_bytes: int = READ_BYTES) -> str:
        """A file's text."""
        return (await self.read(path, max_bytes)).decode(encoding)

    async def download(self, path: str) -> AsyncGenerator[bytes, None]:
        """A file's bytes, piece by piece, however many."""
        call = routes.READ_FILE(self._sandbox, params={"path": path}, accept="*/*")
        response = await self._transport.open(call)
        try:
            async for piece in response.aiter_bytes():
                yield piece
        except httpx2.TransportError as error:
            raise ConnectionFailed(f"reading {path} broke off: {error}") from error
        finally:
            await response.aclose()

    async def write(self, path: str, content: str | bytes | BinaryIO) -> Written:
        """Puts a file there, and the folders above it; one that is there is replaced once all bytes are in."""
        data = content.encode() if isinstance(content, str) else content
        body = data if isinstance(data, bytes) else _pieces(data)
        call = routes.WRITE_FILE(self._sandbox, params={"path": path}, content=body, read_seconds=None)
        return decode(Written, await self._transport.json(call))

    async def list(self, path: str, depth: int = 1) -> Listing:
        """A folder's entries, as many levels down; at most 4096."""
        params = {"path": path, "depth": str(depth)}
        return decode(Listing, await self._transport.json(routes.LIST_FOLDER(self._sandbox, params=params)))

    async def stat(self, path: str) -> Entry:
        """One entry; of a link, itself."""
        return decode(Entry, await self._transport.json(routes.STAT(self._sandbox, params={"path": path})))

    async def exists(self, path: str) -> bool:
        """Whether there is anything under that name."""
        try:
            await self.stat(path)
        except FileNotFound:
            return False
        return True

    async def make_folder(self, path: str) -> None:
        """A folder, and those above it; one that is there is left."""
        await self._transport.bytes(routes.MAKE_FOLDER(self._sandbox, body={"path": path}))

    async def move(self, source: str, target: str) -> None:
        """Another path, within one file system (`/work`, `/tmp`); a file that is there is replaced."""
        await self._transport.bytes(routes.MOVE(self._sandbox, body={"from": source, "to": target}))

    async def remove(self, path: str) -> None:
        """Away with a file, or a folder and all in it."""
        await self._transport.bytes(routes.REMOVE(self._sandbox, params={"path": path}))

    def watch(self, path: str, depth: int = 1) -> AsyncStream[WatchEvent]:
        """What changes in a folder, as many levels down, from the first event (`Watching`) on."""
        params = {"path": path, "depth": str(depth)}
        call = routes.WATCH(self._sandbox, params=params, **routes.EVENTS)
        return AsyncStream(self._transport, call, EventReader(watch_event, WATCH_LAST))


async def _pieces(source: BinaryIO) -> AsyncIterator[bytes]:
    while piece := await in_thread(lambda: source.read(PIECE_BYTES)):
        yield piece
