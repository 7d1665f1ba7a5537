"""What tests share. Those marked `service` ask a service that runs; without one they fail and say so."""

from __future__ import annotations

import os

import pytest


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What lies in `integrations` needs a service, too."""
    for item in items:
        if "integrations" in item.path.parts:
            item.add_marker(pytest.mark.service)


def pytest_runtest_setup(item: pytest.Item) -> None:
    if item.get_closest_marker("service") and not os.environ.get("LLM_FIRECRACKER_URL"):
        pytest.fail("not run: LLM_FIRECRACKER_URL names no service; scripts/test-sdk-python.sh starts one", pytrace=False)
