"""Pydantic AI's own conformance suite for workspaces."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
from blocks import check_page
from pydantic_ai.workspaces import WorkspaceBackend, WorkspaceRef
from pydantic_ai.workspaces.conformance import WorkspaceBackendSuite

from llm_firecracker.integrations.pydantic_ai import FirecrackerWorkspace


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class TestFirecracker(WorkspaceBackendSuite):
    @pytest.fixture
    async def made(self) -> AsyncIterator[list[FirecrackerWorkspace]]:
        """All that a test makes; ended with it."""
        all_of_them: list[FirecrackerWorkspace] = []
        yield all_of_them
        for backend in all_of_them:
            await backend.destroy()
            await backend.aclose()

    @pytest.fixture
    def fresh_backend(self, made: list[FirecrackerWorkspace]) -> Callable[[], WorkspaceBackend]:
        def make() -> WorkspaceBackend:
            made.append(FirecrackerWorkspace())
            return made[-1]

        return make

    @pytest.fixture
    def backend(self, fresh_backend: Callable[[], WorkspaceBackend]) -> WorkspaceBackend:
        return fresh_backend()

    @pytest.fixture
    def attach_backend(self, made: list[FirecrackerWorkspace]) -> Callable[[WorkspaceRef], WorkspaceBackend]:
        def attach(ref: WorkspaceRef) -> WorkspaceBackend:
            made.append(FirecrackerWorkspace(ref))
            return made[-1]

        return attach

    @pytest.fixture
    def destroy_environment(self) -> Callable[[WorkspaceBackend], Awaitable[None]]:
        async def destroy(backend: WorkspaceBackend) -> None:
            assert isinstance(backend, FirecrackerWorkspace)
            await backend.destroy()

        return destroy


def test_the_page_is_true(tmp_path: Path) -> None:
    check_page("pydantic-ai.md", tmp_path)
