"""An executor for smolagents: `CodeAgent(…, executor=FirecrackerExecutor(…))`."""

from __future__ import annotations

import base64
from io import BytesIO
from typing import Any

import PIL.Image
from smolagents.local_python_executor import CodeOutput
from smolagents.monitoring import AgentLogger, LogLevel
from smolagents.remote_executors import RemotePythonExecutor
from smolagents.utils import AgentError
from typing_extensions import Unpack

from .. import Client, Sandbox
from ..models import Execution
from ..options import SandboxOptions

#: Seconds that one step of an agent may run.
STEP_SECONDS = 120.0
#: Types of images, the best first.
IMAGE_TYPES = ("image/png", "image/jpeg")


class FirecrackerExecutor(RemotePythonExecutor):  # type: ignore[misc] # smolagents has no types
    """Runs an agent's Python in a sandbox of its own, one interpreter for all steps. `cleanup` ends it."""

    def __init__(
        self,
        additional_imports: list[str] | None = None,
        logger: AgentLogger | None = None,
        *,
        client: Client | None = None,
        step_timeout: float = STEP_SECONDS,
        **options: Unpack[SandboxOptions],
    ) -> None:
        super().__init__(additional_imports or [], logger or AgentLogger(level=LogLevel.ERROR), allow_pickle=False)
        self._own_client = client is None
        self._client = client or Client()
        self._step_timeout = step_timeout
        # There is no network to install from later: packages are there from the beginning, or not at all.
        packages = [*options.pop("packages", ()), *self.additional_imports]
        if packages:
            options["packages"] = packages
        options.setdefault("image", "agent")
        self.sandbox: Sandbox = self._client.create_sandbox("python", **options)
        # A model may think for longer than the idle time.
        self.sandbox.keep_alive()
        self.installed_packages = list(self.additional_imports)

    def run_code_raise_errors(self, code: str) -> CodeOutput:
        """Runs one step. A final answer and a value come back; an error is smolagents' own."""
        execution = self.sandbox.run_code(code, timeout=self._step_timeout)
        logs = execution.logs.stdout + execution.logs.stderr
        if execution.error is not None and execution.error.name == self.FINAL_ANSWER_EXCEPTION:
            value = execution.error.value
            if value == _IN_FILE:
                value = self.sandbox.files.read_text(_ANSWER_FILE)
            answer = self._deserialize_final_answer(value, self.allow_pickle)
            return CodeOutput(output=answer, logs=logs, is_final_answer=True)
        if not execution.ok:
            raise AgentError(f"{logs}\n{_failure(execution)}", self.logger)
        return CodeOutput(output=_value(execution), logs=logs, is_final_answer=False)

    def install_packages(self, additional_imports: list[str]) -> list[str]:
        """Tools may need packages; all must be in the image or among those that it was made with."""
        for package in additional_imports:
            found = self.sandbox.commands.run(["python3", "-c", _IS_THERE, package])
            if not found.ok:
                message = f"{package} is not in the sandbox, which has no network: name it in additional_imports"
                raise AgentError(message, self.logger)
        return additional_imports

    def _patch_final_answer_with_exception(self, final_answer_tool: Any) -> None:
        """smolagents has the answer come as an exception's message, of which a sandbox tells 64 KiB; more goes by a file."""
        super()._patch_final_answer_with_exception(final_answer_tool)
        forward = type(final_answer_tool).forward
        forward.__source__ = forward.__source__.replace(_RAISE, _RAISE_OR_FILE)

    def cleanup(self) -> None:
        """Ends the sandbox."""
        self.sandbox.close()
        if self._own_client:
            self._client.close()


#: Where an answer lies that is too long for a message, and the message then.
_ANSWER_FILE = "/tmp/.final-answer"
_IN_FILE = "in a file"
#: Characters of an answer that is told as a message.
_MESSAGE_CHARS = 16_000
#: What smolagents' tool does with an answer, and what it does here.
_RAISE = "FinalAnswerException(_serialize_with_fallback(self._forward(*args, **kwargs)))"
_RAISE_OR_FILE = f"""FinalAnswerException((
                lambda answer: answer
                if len(answer) <= {_MESSAGE_CHARS}
                else (open("{_ANSWER_FILE}", "w").write(answer), "{_IN_FILE}")[1]
            )(_serialize_with_fallback(self._forward(*args, **kwargs))))"""
#: Whether a distribution is installed, by its name.
_IS_THERE = "import sys, importlib.metadata as m; m.version(sys.argv[1])"


def _failure(execution: Execution) -> str:
    if execution.error is not None:
        return f"Executing code yielded an error:\n{execution.error.traceback}"
    lost = f": {execution.lost.detail}" if execution.lost else ""
    return f"Executing code ended with {execution.status}{lost}"


def _value(execution: Execution) -> Any:
    """The last expression's value, or without one what was shown last: an image, else its text."""
    values = [one for one in execution.results if one.is_result] or list(execution.results)
    if not values:
        return None
    for mime in IMAGE_TYPES:
        if (encoded := values[-1].data.get(mime)) is not None:
            return PIL.Image.open(BytesIO(base64.b64decode(encoded)))
    return values[-1].text
