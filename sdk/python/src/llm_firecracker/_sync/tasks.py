"""What programs without `async` do in their own way; `_async/tasks.py` is the counterpart. Not generated."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

from .._keep_alive import KeepAlive
from .._routes import Call

if TYPE_CHECKING:
    from .transport import Transport

T = TypeVar("T")


@contextmanager
def beside(work: Callable[[], None]) -> Iterator[None]:
    """Has `work` done while the block runs; the block's end waits for it, unless the block fails."""
    failed: list[BaseException] = []

    def guarded() -> None:
        try:
            work()
        except BaseException as error:
            failed.append(error)

    thread = threading.Thread(target=guarded, daemon=True)
    thread.start()
    yield
    thread.join()
    if failed:
        raise failed[0]


@contextmanager
def cleaning_up() -> Iterator[None]:
    """A block that is done even when its task is cancelled, which only `async` ones are."""
    yield


def keeping_alive(transport: Transport, call: Call, idle_timeout: float) -> KeepAlive:
    """Has a sandbox looked at from a thread."""
    alive = KeepAlive(lambda: transport.json(call), idle_timeout)
    alive.start()
    return alive


def sleep(seconds: float) -> None:
    """Waits."""
    time.sleep(seconds)


def in_thread(work: Callable[[], T]) -> T:
    """Something that blocks: here nobody minds."""
    return work()
