"""smolagents' agent with a model that says what it is told to, and what its executors promise.

smolagents has no suite for executors of others: these are what its agents rely on.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import PIL.Image
import pytest
from blocks import check_page
from smolagents import CodeAgent, tool
from smolagents.models import ChatMessage, MessageRole, Model
from smolagents.utils import AgentError

from llm_firecracker import Client
from llm_firecracker.integrations.smolagents import FirecrackerExecutor


class Script(Model):  # type: ignore[misc] # smolagents has no types
    """A model that says one prepared thing after the other."""

    def __init__(self, *said: str) -> None:
        super().__init__(model_id="script")
        self._said = iter(said)
        self.heard: list[Any] = []

    def generate(self, messages: list[Any], **_: Any) -> ChatMessage:
        self.heard.append(messages)
        return ChatMessage(role=MessageRole.ASSISTANT, content=f"Thought: next.\n<code>\n{next(self._said)}\n</code>")


@tool
def shout(text: str) -> str:
    """Says it louder.

    Args:
        text: What to say.
    """
    return text.upper() + "!"


@pytest.fixture
def executor() -> Iterator[FirecrackerExecutor]:
    executor = FirecrackerExecutor()
    yield executor
    executor.cleanup()


def test_an_agent_keeps_its_variables_and_answers() -> None:
    model = Script("x = 41\nprint('seen', x)", "final_answer(x + 1)")
    with CodeAgent(tools=[], model=model, executor=FirecrackerExecutor(), verbosity_level=0) as agent:
        assert agent.run("What is next?") == 42
    assert "seen 41" in str(model.heard[1])


def test_tools_run_in_the_vm() -> None:
    model = Script("import platform\nfinal_answer(shout('hi') + platform.node())")
    executor = FirecrackerExecutor()
    with CodeAgent(tools=[shout], model=model, executor=executor, verbosity_level=0) as agent:
        answer = agent.run("Shout.")
        assert answer.startswith("HI!") and answer != "HI!" + __import__("platform").node()


def test_an_error_goes_back_to_the_model() -> None:
    model = Script("1 / 0", "final_answer('it was told')")
    with CodeAgent(tools=[], model=model, executor=FirecrackerExecutor(), verbosity_level=0) as agent:
        assert agent.run("Fail once.") == "it was told"
    assert "ZeroDivisionError" in str(model.heard[1])


def test_arguments_of_the_task_are_there() -> None:
    model = Script("final_answer(sum(numbers) + len(names['a']))")
    with CodeAgent(tools=[], model=model, executor=FirecrackerExecutor(), verbosity_level=0) as agent:
        assert agent.run("Sum.", additional_args={"numbers": [1, 2, 3], "names": {"a": "xy"}}) == 8


@pytest.mark.parametrize(
    "code, answer",
    [
        ("final_answer({'a': (1, 2.5), 'b': {3}})", {"a": (1, 2.5), "b": {3}}),
        ("final_answer(None)", None),
        ("final_answer('x' * 300000)", "x" * 300000),
        ("final_answer(b'\\x00\\xff')", b"\x00\xff"),
    ],
)
def test_answers_keep_their_types(code: str, answer: object) -> None:
    with CodeAgent(tools=[], model=Script(code), executor=FirecrackerExecutor(), verbosity_level=0) as agent:
        assert agent.run("Answer.") == answer


def test_values_and_output(executor: FirecrackerExecutor) -> None:
    output = executor.run_code_raise_errors("print('out')\n6 * 7")
    assert (output.output, output.logs, output.is_final_answer) == ("42", "out\n", False)
    assert executor.run_code_raise_errors("x = 1").output is None


def test_errors_are_raised_and_the_interpreter_stays(executor: FirecrackerExecutor) -> None:
    executor.run_code_raise_errors("kept = 'kept'")
    for code, said in [("def broken(:", "SyntaxError"), ("raise KeyError('k')", "KeyError"), ("exit(3)", "error")]:
        with pytest.raises(AgentError, match=said):
            executor.run_code_raise_errors(code)
    assert executor.run_code_raise_errors("kept").output == "'kept'"


def test_a_step_without_an_end_is_ended() -> None:
    executor = FirecrackerExecutor(step_timeout=1)
    try:
        with pytest.raises(AgentError, match="timeout|KeyboardInterrupt"):
            executor.run_code_raise_errors("while True: pass")
        assert executor.run_code_raise_errors("1 + 1").output == "2"
    finally:
        executor.cleanup()


def test_an_image_comes_as_an_image() -> None:
    executor = FirecrackerExecutor(image="python-data")
    try:
        code = "import matplotlib.pyplot as plt\nplt.plot([1, 2]);"
        assert isinstance(executor.run_code_raise_errors(code).output, PIL.Image.Image)
    finally:
        executor.cleanup()


def test_packages_that_are_not_there_are_named(executor: FirecrackerExecutor) -> None:
    assert executor.install_packages(["pip"]) == ["pip"]
    with pytest.raises(AgentError, match="no-such-package is not in the sandbox"):
        executor.install_packages(["no-such-package"])


def test_cleanup_ends_the_vm() -> None:
    executor = FirecrackerExecutor()
    executor.cleanup()
    with Client() as client:
        assert executor.sandbox.id not in [one.id for one in client.sandboxes()]


def test_the_page_is_true(tmp_path: Path) -> None:
    check_page("smolagents.md", tmp_path)
