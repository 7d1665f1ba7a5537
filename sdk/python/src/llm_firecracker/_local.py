"""A service of one's own: the binary, started on a free port of loopback, ended with its client."""

from __future__ import annotations

import atexit
import collections
import os
import re
import shutil
import subprocess
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ._errors import LocalServiceFailed

#: Where the binary is, when `PATH` does not say it.
BINARY_VARIABLE = "LLM_FIRECRACKER_BIN"
BINARY = "llm-firecracker"
#: Seconds until it listens: it looks at the host's engines first, which under emulation boots a small guest.
START_SECONDS = 60.0
#: Seconds that it may take to end its VMs after SIGTERM: `server.drain_seconds` (30) and some room.
STOP_SECONDS = 40.0
#: Last lines of what it says that an error has.
KEPT_LINES = 20
_LISTENING = re.compile(r"listening on (127\.0\.0\.1:\d+)")


@dataclass(frozen=True)
class LocalOptions:
    """How to start it."""

    #: The binary; absent: `LLM_FIRECRACKER_BIN`, else `llm-firecracker` of `PATH`.
    binary: str | os.PathLike[str] | None = None
    #: Its state folder; absent: as the binary has it. Two services cannot share one.
    state_dir: str | os.PathLike[str] | None = None
    #: More of `serve`'s arguments, such as `["--config", "config.toml"]`.
    arguments: Sequence[str] = ()

    def command(self) -> list[str]:
        """The command line."""
        state = [] if self.state_dir is None else ["--state-dir", os.fspath(self.state_dir)]
        return [self._binary(), "serve", "--listen", "127.0.0.1:0", *state, *self.arguments]

    def _binary(self) -> str:
        named = self.binary or os.environ.get(BINARY_VARIABLE)
        if named:
            if not Path(named).is_file():
                raise LocalServiceFailed(f"there is no binary at {os.fspath(named)}")
            return os.fspath(named)
        if (found := shutil.which(BINARY)) is None:
            raise LocalServiceFailed(f"{BINARY} is not in PATH; install it or set {BINARY_VARIABLE}")
        return found


@dataclass
class LocalService:
    """One process of the binary. Starting is done once, however many ask; ending is final."""

    options: LocalOptions
    _process: subprocess.Popen[str] | None = None
    _reader: threading.Thread | None = None
    _url: str | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _said: collections.deque[str] = field(default_factory=lambda: collections.deque(maxlen=KEPT_LINES))
    _listening: threading.Event = field(default_factory=threading.Event)

    def start(self) -> str:
        """Its address; starts it at the first call."""
        with self._lock:
            if self._url is None:
                self._url = self._started()
            return self._url

    def stop(self) -> None:
        """Ends it, with its VMs."""
        with self._lock:
            process, self._process = self._process, None
        if process is None:
            return
        atexit.unregister(self.stop)
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
        self._gone(process)

    def _gone(self, process: subprocess.Popen[str]) -> None:
        """Its end, and that of what it says."""
        process.wait()
        if self._reader is not None:
            self._reader.join()

    def _started(self) -> str:
        # A process group of its own: Ctrl-C is for the program, which then closes its client.
        self._process = subprocess.Popen(
            self.options.command(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            process_group=0,
        )
        atexit.register(self.stop)
        self._reader = threading.Thread(target=self._listen, args=(self._process,), daemon=True)
        self._reader.start()
        self._listening.wait(START_SECONDS)
        if self._url is None:
            process, self._process = self._process, None
            process.kill()
            self._gone(process)
            raise LocalServiceFailed("the service did not start: " + " | ".join(self._said))
        return self._url

    def _listen(self, process: subprocess.Popen[str]) -> None:
        """Reads what it says, to its end: a pipe that nobody reads would stop it."""
        if process.stderr is None:
            return
        with process.stderr as said:
            for line in said:
                self._said.append(line.rstrip())
                if (found := _LISTENING.search(line)) is not None:
                    self._url = f"http://{found[1]}"
                    self._listening.set()
        self._listening.set()
