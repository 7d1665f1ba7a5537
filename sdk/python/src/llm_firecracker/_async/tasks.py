"""What `async` programs and others do in different ways; `_sync/tasks.py` is the counterpart, written by hand."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import anyio
import anyio.to_thread

from .._keep_alive import KeepAlive
from .._routes import Call
from .._sync.transport import Transport

if TYPE_CHECKING:
    from .transport import AsyncTransport

T = TypeVar("T")

#: Seconds that cleaning up may take when its task is cancelled.
CLEANUP_SECONDS = 10.0


@asynccontextmanager
async def beside(work: Callable[[], Coroutine[Any, Any, None]]) -> AsyncIterator[None]:
    """Has `work` done while the block runs; the block's end waits for it, unless the block fails."""
    try:
        async with anyio.create_task_group() as group:
            group.start_soon(work)
            yield
    except BaseExceptionGroup as several:
        # A task group wraps what is raised in it; callers match on the error itself.
        raise several.exceptions[0] from None


@contextmanager
def cleaning_up() -> Iterator[None]:
    """A block that is done even when its task is cancelled."""
    with anyio.move_on_after(CLEANUP_SECONDS, shield=True):
        yield


def keeping_alive(transport: AsyncTransport, call: Call, idle_timeout: float) -> KeepAlive:
    """Has a sandbox looked at from a thread, whose client is one without `async`: it has no event loop."""
    url, key = transport.address
    plain = Transport(url, key, None)
    alive = KeepAlive(lambda: plain.json(call), idle_timeout, plain.close)
    alive.start()
    return alive


async def sleep(seconds: float) -> None:
    """Waits."""
    await anyio.sleep(seconds)


async def in_thread(work: Callable[[], T]) -> T:
    """Something that blocks."""
    return await anyio.to_thread.run_sync(work)
