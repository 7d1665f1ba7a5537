"""The client of one service."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import httpx2
from typing_extensions import Self, Unpack

from .. import _routes as routes
from .._decode import decode, decode_list
from .._events import RUN_LAST, run_event
from .._local import LocalOptions, LocalService
from .._streams import SseReader
from ..models import Image, Language, Readiness, RunEvent, RunResult, SandboxInfo
from ..options import RunOptions, SandboxOptions
from .sandbox import AsyncSandbox
from .stream import AsyncStream
from .transport import AsyncTransport


class AsyncClient:
    """Runs programs and makes sandboxes, at one service.

    `url` and `key` are `LLM_FIRECRACKER_URL` (else `http://127.0.0.1:8080`) and `LLM_FIRECRACKER_KEY` when absent.
    """

    def __init__(
        self, url: str | None = None, *, key: str | None = None, http: httpx2.AsyncClient | None = None
    ) -> None:
        self._transport = AsyncTransport(url, key, http)

    @classmethod
    def local(
        cls,
        binary: str | os.PathLike[str] | None = None,
        *,
        state_dir: str | os.PathLike[str] | None = None,
        arguments: Sequence[str] = (),
    ) -> Self:
        """A client with a service of its own: the binary, on a free port of loopback, from the first request to `aclose`.

        The binary is `LLM_FIRECRACKER_BIN`, else `llm-firecracker` of `PATH`, when absent. Other users of the machine
        can reach a port of loopback: on a shared one, run a service with keys instead.
        """
        client = cls()
        options = LocalOptions(binary, state_dir, tuple(arguments))
        client._transport = AsyncTransport(None, None, None, LocalService(options))
        return client

    async def aclose(self) -> None:
        """Gives the connections back; a local service ends with its VMs. Sandboxes of another one go on."""
        await self._transport.aclose()

    async def __aenter__(self) -> Self:
        await self._transport.start()
        return self

    async def __aexit__(self, *raised: object) -> None:
        await self.aclose()

    async def run(self, code: str, language: str | None = None, **options: Unpack[RunOptions]) -> RunResult:
        """Runs a program in a VM of its own. How it ended is in the answer; only a refusal is raised."""
        body = routes.job_body(code, language, options)
        call = routes.RUN(body=body, read_seconds=routes.JOB_READ_SECONDS)
        return decode(RunResult, await self._transport.json(call))

    def stream(self, code: str, language: str | None = None, **options: Unpack[RunOptions]) -> AsyncStream[RunEvent]:
        """The same; `JobOutput` as it comes, then the `RunResult`. Who leaves early ends the program."""
        body = routes.job_body(code, language, options)
        # A program may be silent for as long as it may run.
        call = routes.RUN(body=body, accept="text/event-stream", read_seconds=routes.JOB_READ_SECONDS)
        return AsyncStream(self._transport, call, SseReader(run_event, RUN_LAST))

    @asynccontextmanager
    async def sandbox(
        self, language: str | None = None, **options: Unpack[SandboxOptions]
    ) -> AsyncIterator[AsyncSandbox]:
        """A sandbox for the time of an `async with`."""
        sandbox = await self.create_sandbox(language, **options)
        async with sandbox:
            yield sandbox

    async def create_sandbox(self, language: str | None = None, **options: Unpack[SandboxOptions]) -> AsyncSandbox:
        """A sandbox that stays until it is closed or its time is up."""
        body = {"language": language, **options}
        call = routes.CREATE_SANDBOX(body=body, read_seconds=routes.JOB_READ_SECONDS)
        return AsyncSandbox(self._transport, decode(SandboxInfo, await self._transport.json(call)))

    async def get_sandbox(self, id: str) -> AsyncSandbox:
        """One that is there, by its name."""
        info = decode(SandboxInfo, await self._transport.json(routes.GET_SANDBOX(id)))
        return AsyncSandbox(self._transport, info)

    async def sandboxes(self) -> list[AsyncSandbox]:
        """All of this key."""
        infos = decode_list(SandboxInfo, await self._transport.json(routes.LIST_SANDBOXES()))
        return [AsyncSandbox(self._transport, info) for info in infos]

    async def languages(self) -> list[Language]:
        """What programs may be written in."""
        return decode_list(Language, await self._transport.json(routes.LANGUAGES()))

    async def images(self) -> list[Image]:
        """What jobs and sandboxes may boot from."""
        return decode_list(Image, await self._transport.json(routes.IMAGES()))

    async def ready(self) -> Readiness:
        """Whether a job would find what it needs."""
        return decode(Readiness, await self._transport.json(routes.READY(answers_with=503)))
