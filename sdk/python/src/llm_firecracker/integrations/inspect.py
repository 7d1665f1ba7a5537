"""A sandbox provider for Inspect (`inspect_ai`): `sandbox="firecracker"`.

Settings are a `FirecrackerConfig`, or its fields in a TOML file: `sandbox=("firecracker", "sandbox.toml")`.
"""

from __future__ import annotations

import errno
import posixpath
import shlex
import tomllib
from pathlib import Path
from typing import Any, Literal, overload

from inspect_ai.util import (
    ExecResult,
    OutputLimitExceededError,
    SandboxConnection,
    SandboxEnvironment,
    SandboxEnvironmentConfigType,
    SandboxEnvironmentLimits,
    SandboxUnavailableError,
    SandboxUserUnsupportedError,
    sandboxenv,
)
from pydantic import BaseModel, ConfigDict

from .. import AsyncClient, AsyncSandbox
from .._async import native
from .._errors import (
    ConnectionFailed,
    OutputTooLarge,
    ProcessNotStarted,
    ReadTooLarge,
    RootForbidden,
    SandboxNotFound,
)
from ..options import CommandOptions, SandboxLimits, SandboxOptions
from ._programs import not_executable

#: Where a sample's files are, and where commands start.
WORK_DIR = "/work"
#: Seconds that a sandbox stays for one sample at most; the service may allow less.
SANDBOX_SECONDS = 3600.0
#: Sandboxes that a key may have where nobody configured another number.
KEY_SANDBOXES = 4
#: Of a sandbox' metadata: whose task it is for.
TASK = "inspect_task"
#: Users that are the sandbox's own.
OWN_USERS = frozenset({"job", "10000"})
ROOT_USERS = frozenset({"root", "0"})


class FirecrackerConfig(BaseModel):
    """What a task may set. Everything has a default."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    #: The service; absent: `LLM_FIRECRACKER_URL` and `LLM_FIRECRACKER_KEY`.
    url: str | None = None
    image: str = "agent"
    #: MiB of each sample's VM.
    memory_mib: int | None = None
    timeout: float = SANDBOX_SECONDS
    idle_timeout: float | None = None
    packages: tuple[str, ...] = ()
    writable: bool = False


@sandboxenv(name="firecracker")
class FirecrackerSandboxEnvironment(SandboxEnvironment):
    """A microVM for a sample."""

    def __init__(self, client: AsyncClient, sandbox: AsyncSandbox) -> None:
        super().__init__()
        self._client = client
        #: For what Inspect has no word for.
        self.sandbox = sandbox

    @classmethod
    async def sample_init(
        cls, task_name: str, config: SandboxEnvironmentConfigType | None, metadata: dict[str, str]
    ) -> dict[str, SandboxEnvironment]:
        settings = _settings(config)
        client = AsyncClient(settings.url)
        try:
            sandbox = await client.create_sandbox(**_options(settings, task_name))
        except BaseException:
            await client.aclose()
            raise
        # A model, and its queue, may take longer than the idle time.
        sandbox.keep_alive()
        return {"default": cls(client, sandbox)}

    @classmethod
    async def sample_cleanup(
        cls,
        task_name: str,
        config: SandboxEnvironmentConfigType | None,
        environments: dict[str, SandboxEnvironment],
        interrupted: bool,
    ) -> None:
        for environment in environments.values():
            await environment.as_type(FirecrackerSandboxEnvironment).aclose()

    @classmethod
    def config_deserialize(cls, config: dict[str, Any]) -> BaseModel:
        return FirecrackerConfig(**config)

    @classmethod
    def default_concurrency(cls) -> int | None:
        return KEY_SANDBOXES

    @classmethod
    async def cli_cleanup(cls, id: str | None) -> None:
        async with AsyncClient() as client:
            for sandbox in await client.sandboxes():
                if sandbox.id == id or (id is None and TASK in sandbox.info.metadata):
                    await sandbox.aclose()

    async def connection(self, *, user: str | None = None) -> SandboxConnection:
        as_whom = ["--user", _user(user)] if user is not None else []
        command = ["llm-firecracker", "sandbox", "exec", self.sandbox.id, "-t", *as_whom, "--", "bash", "-l"]
        return SandboxConnection(type="firecracker", command=shlex.join(command))

    def default_polling_interval(self) -> float:
        return 0.2

    async def aclose(self) -> None:
        """Ends the VM."""
        try:
            await self.sandbox.aclose()
        finally:
            await self._client.aclose()

    async def exec(
        self,
        cmd: list[str],
        input: str | bytes | None = None,
        cwd: str | None = None,
        env: dict[str, str] | None = None,
        user: str | None = None,
        timeout: int | None = None,
        timeout_retry: bool = True,
        concurrency: bool = True,
    ) -> ExecResult[str]:
        options: CommandOptions = {
            "cwd": self._absolute(cwd or WORK_DIR),
            "env": env or {},
            "user": _user(user),
            "limits": {"timeout": timeout},
        }
        try:
            most = SandboxEnvironmentLimits.MAX_EXEC_OUTPUT_SIZE
            result = await self.sandbox.commands.run(cmd, stdin=input, max_output_bytes=most, **options)
        except OutputTooLarge as error:
            limit = SandboxEnvironmentLimits.MAX_EXEC_OUTPUT_SIZE_STR
            kept = error.stdout or error.stderr
            raise OutputLimitExceededError(limit_str=limit, truncated_output=kept) from error
        except ProcessNotStarted as error:
            return await self._not_started(cmd, options["cwd"] or WORK_DIR, error)
        except RootForbidden as error:
            raise SandboxUserUnsupportedError(error.detail) from error
        except (SandboxNotFound, ConnectionFailed) as error:
            raise SandboxUnavailableError(str(error)) from error
        if result.exit.status == "timeout":
            raise TimeoutError(f"the command took longer than {timeout} seconds")
        return ExecResult(result.ok, result.exit_code, result.stdout, result.stderr)

    async def write_file(self, file: str, contents: str | bytes) -> None:
        path = self._absolute(file)
        await native.with_own_errors(self.sandbox, path, lambda: native.write(self.sandbox, path, contents))

    @overload
    async def read_file(self, file: str, text: Literal[True] = True) -> str: ...

    @overload
    async def read_file(self, file: str, text: Literal[False]) -> bytes: ...

    async def read_file(self, file: str, text: bool = True) -> str | bytes:
        path = self._absolute(file)
        most = SandboxEnvironmentLimits.MAX_READ_FILE_SIZE
        try:
            content = await native.with_own_errors(self.sandbox, path, lambda: native.read(self.sandbox, path, most))
        except ReadTooLarge as error:
            limit = SandboxEnvironmentLimits.MAX_READ_FILE_SIZE_STR
            raise OutputLimitExceededError(limit_str=limit, truncated_output=None) from error
        return content.decode() if text else content

    def _absolute(self, path: str) -> str:
        return posixpath.normpath(posixpath.join(WORK_DIR, path))

    async def _not_started(self, cmd: list[str], cwd: str, error: ProcessNotStarted) -> ExecResult[str]:
        """A program that is there and may not be run is an error; one that is not there a result, as of a shell."""
        if not await self.sandbox.files.exists(cwd):
            raise native.own(errno.ENOENT, cwd) from error
        if await not_executable(self.sandbox, cmd[0], cwd):
            raise native.own(errno.EACCES, cmd[0]) from error
        return ExecResult(False, 127, "", error.detail)


def _settings(config: SandboxEnvironmentConfigType | None) -> FirecrackerConfig:
    if isinstance(config, FirecrackerConfig):
        return config
    if isinstance(config, str):
        return FirecrackerConfig(**tomllib.loads(Path(config).read_text()))
    return FirecrackerConfig() if config is None else FirecrackerConfig(**config.model_dump())


def _options(settings: FirecrackerConfig, task_name: str) -> SandboxOptions:
    limits: SandboxLimits = {}
    if settings.memory_mib is not None:
        limits["memory_mib"] = settings.memory_mib
    return {
        "image": settings.image,
        "timeout": settings.timeout,
        "idle_timeout": settings.idle_timeout,
        "limits": limits,
        "packages": settings.packages,
        "writable": settings.writable,
        "metadata": {TASK: task_name[:60]},
    }


def _user(user: str | None) -> Literal["sandbox", "root"]:
    if user is None or user in OWN_USERS:
        return "sandbox"
    if user in ROOT_USERS:
        return "root"
    raise SandboxUserUnsupportedError(f"a sandbox has its own user and, where that is allowed, root: not {user!r}")
