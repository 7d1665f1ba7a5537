"""Looks at a sandbox now and then, so that its idle time does not pass while a model thinks."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from ._errors import ConnectionFailed, LimitReached, NotFound, Unavailable

#: Looks within one idle time: some may fail.
LOOKS = 4


@dataclass
class KeepAlive:
    """A thread of its own: programs with and without `async` have one. It ends by `stop`, or with the sandbox."""

    #: One look.
    look: Callable[[], object]
    #: Seconds without a request after which the sandbox ends.
    idle_timeout: float
    #: What is done at the end.
    done: Callable[[], object] | None = None
    _stopped: threading.Event = field(default_factory=threading.Event)

    def start(self) -> None:
        """Begins."""
        threading.Thread(target=self._run, daemon=True).start()

    def stop(self) -> None:
        """Ends it."""
        self._stopped.set()

    def _run(self) -> None:
        self._look_on()
        if self.done is not None:
            self.done()

    def _look_on(self) -> None:
        while not self._stopped.wait(self.idle_timeout / LOOKS):
            try:
                self.look()
            except NotFound:
                return
            except (ConnectionFailed, LimitReached, Unavailable):
                continue
