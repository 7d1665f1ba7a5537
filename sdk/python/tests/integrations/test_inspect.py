"""Inspect's own conformance suite, and a whole evaluation with its mock model."""

from __future__ import annotations

from collections.abc import AsyncIterator
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import pytest
from blocks import check_page
from inspect_ai import Task, eval_async
from inspect_ai.dataset import Sample
from inspect_ai.model import ModelOutput, ModelUsage, get_model
from inspect_ai.scorer import includes
from inspect_ai.solver import generate, use_tools
from inspect_ai.tool import bash
from inspect_ai.util import SandboxUnavailableError
from inspect_ai.util._sandbox.self_check import *  # noqa: F403

from llm_firecracker.integrations.inspect import FirecrackerConfig, FirecrackerSandboxEnvironment

#: Checks that a sandbox here cannot satisfy, and why.
CANNOT = {
    "test_exec_as_user": "guests have two users, their own and root: none can be added to an image that is read-only",
}


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def sandbox_env(request: pytest.FixtureRequest) -> AsyncIterator[Any]:
    name = getattr(request.node, "originalname", "")
    if name in CANNOT:
        request.node.add_marker(pytest.mark.xfail(reason=CANNOT[name], strict=True))
    environments = await FirecrackerSandboxEnvironment.sample_init("self_check", FirecrackerConfig(), {})
    yield environments["default"]
    await FirecrackerSandboxEnvironment.sample_cleanup("self_check", None, environments, False)



pytestmark = pytest.mark.anyio


def test_inspect_finds_the_provider_by_itself() -> None:
    [found] = [one for one in entry_points(group="inspect_ai") if one.name == "llm_firecracker"]
    assert found.load().FirecrackerSandboxEnvironment is FirecrackerSandboxEnvironment


async def test_what_was_left_is_cleaned_up_by_command() -> None:
    environments = await FirecrackerSandboxEnvironment.sample_init("left", None, {})
    environment = environments["default"].as_type(FirecrackerSandboxEnvironment)
    connection = await environment.connection()
    assert connection.command == f"llm-firecracker sandbox exec {environment.sandbox.id} -t -- bash -l"
    await FirecrackerSandboxEnvironment.cli_cleanup(None)
    with pytest.raises(SandboxUnavailableError):
        await environment.exec(["true"])
    await environment.aclose()


async def test_an_evaluation_runs_its_tool_in_a_vm(tmp_path: Any) -> None:
    outputs = [
        ModelOutput.for_tool_call("mockllm/model", "bash", {"command": "cat note.txt; uname -s"}),
        ModelOutput.from_content("mockllm/model", "the note says 42"),
    ]
    for output in outputs:
        # Counting tokens would fetch a tokenizer.
        output.usage = ModelUsage(input_tokens=1, output_tokens=1, total_tokens=2)
    task = Task(
        dataset=[Sample(input="What does the note say?", target="42", files={"note.txt": "42\n"})],
        solver=[use_tools(bash(timeout=20)), generate()],
        scorer=includes(),
        sandbox="firecracker",
    )
    [log] = await eval_async(task, model=get_model("mockllm/model", custom_outputs=outputs), log_dir=str(tmp_path))
    assert log.status == "success", log.error
    assert log.samples is not None
    [sample] = log.samples
    said = [message.text for message in sample.messages if message.role == "tool"]
    assert said == ["42\nLinux\n"] or said == ["42\nLinux"], said
    assert sample.scores is not None and sample.scores["includes"].value == "C"


def test_the_page_is_true(tmp_path: Path) -> None:
    check_page("inspect.md", tmp_path)
