# Made from `_async/client.py` by `scripts/unasync.py`: change that one.
"""The client of one service."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import httpx2
from typing_extensions import Self, Unpack

from .. import _routes as routes
from .._decode import decode, decode_list
from .._events import RUN_LAST, run_event
from .._local import LocalOptions, LocalService
from .._streams import SseReader
from ..models import Image, Language, Readiness, RunEvent, RunResult, SandboxInfo
from ..options import RunOptions, SandboxOptions
from .sandbox import Sandbox
from .stream import Stream
from .transport import Transport


class Client:
    """Runs programs and makes sandboxes, at one service.

    `url` and `key` are `LLM_FIRECRACKER_URL` (else `http://127.0.0.1:8080`) and `LLM_FIRECRACKER_KEY` when absent.
    """

    def __init__(
        self, url: str | None = None, *, key: str | None = None, http: httpx2.Client | None = None
    ) -> None:
        self._transport = Transport(url, key, http)

    @classmethod
    def local(
        cls,
        binary: str | os.PathLike[str] | None = None,
        *,
        state_dir: str | os.PathLike[str] | None = None,
        arguments: Sequence[str] = (),
    ) -> Self:
        """A client with a service of its own: the binary, on a free port of loopback, from the first request to `close`.

        The binary is `LLM_FIRECRACKER_BIN`, else `llm-firecracker` of `PATH`, when absent. Other users of the machine
        can reach a port of loopback: on a shared one, run a service with keys instead.
        """
        client = cls()
        options = LocalOptions(binary, state_dir, tuple(arguments))
        client._transport = Transport(None, None, None, LocalService(options))
        return client

    def close(self) -> None:
        """Gives the connections back; a local service ends with its VMs. Sandboxes of another one go on."""
        self._transport.close()

    def __enter__(self) -> Self:
        self._transport.start()
        return self

    def __exit__(self, *raised: object) -> None:
        self.close()

    def run(self, code: str, language: str | None = None, **options: Unpack[RunOptions]) -> RunResult:
        """Runs a program in a VM of its own. How it ended is in the answer; only a refusal is raised."""
        body = routes.job_body(code, language, options)
        call = routes.RUN(body=body, read_seconds=routes.JOB_READ_SECONDS)
        return decode(RunResult, self._transport.json(call))

    def stream(self, code: str, language: str | None = None, **options: Unpack[RunOptions]) -> Stream[RunEvent]:
        """The same; `JobOutput` as it comes, then the `RunResult`. Who leaves early ends the program."""
        body = routes.job_body(code, language, options)
        # A program may be silent for as long as it may run.
        call = routes.RUN(body=body, accept="text/event-stream", read_seconds=routes.JOB_READ_SECONDS)
        return Stream(self._transport, call, SseReader(run_event, RUN_LAST))

    @contextmanager
    def sandbox(
        self, language: str | None = None, **options: Unpack[SandboxOptions]
    ) -> Iterator[Sandbox]:
        """A sandbox for the time of a `with`."""
        sandbox = self.create_sandbox(language, **options)
        with sandbox:
            yield sandbox

    def create_sandbox(self, language: str | None = None, **options: Unpack[SandboxOptions]) -> Sandbox:
        """A sandbox that stays until it is closed or its time is up."""
        body = {"language": language, **options}
        call = routes.CREATE_SANDBOX(body=body, read_seconds=routes.JOB_READ_SECONDS)
        return Sandbox(self._transport, decode(SandboxInfo, self._transport.json(call)))

    def get_sandbox(self, id: str) -> Sandbox:
        """One that is there, by its name."""
        info = decode(SandboxInfo, self._transport.json(routes.GET_SANDBOX(id)))
        return Sandbox(self._transport, info)

    def sandboxes(self) -> list[Sandbox]:
        """All of this key."""
        infos = decode_list(SandboxInfo, self._transport.json(routes.LIST_SANDBOXES()))
        return [Sandbox(self._transport, info) for info in infos]

    def languages(self) -> list[Language]:
        """What programs may be written in."""
        return decode_list(Language, self._transport.json(routes.LANGUAGES()))

    def images(self) -> list[Image]:
        """What jobs and sandboxes may boot from."""
        return decode_list(Image, self._transport.json(routes.IMAGES()))

    def ready(self) -> Readiness:
        """Whether a job would find what it needs."""
        return decode(Readiness, self._transport.json(routes.READY(answers_with=503)))
