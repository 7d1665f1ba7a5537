"""What requests may say besides what the methods name: the keyword arguments of `run`, `sandbox`, `commands.run`, ….

The names are the API's own (`/docs` of a service tells bounds and defaults); a test compares them with `/openapi.json`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, TypedDict, Union

#: Of the work folder: path → text, or bytes.
Files = Mapping[str, Union[str, bytes]]


class RunOptions(TypedDict, total=False):
    """Of `Client.run` and `Client.stream`."""

    #: An image by name; absent: the language's own.
    image: str | None
    args: Sequence[str]
    stdin: str | None
    env: Mapping[str, str]
    files: Files
    #: Packages besides the image's, as far as the operator allows.
    packages: Sequence[str]
    #: The program's file, such as `src/app.py`; absent: `main` with the language's extension.
    entry: str | None
    #: Seconds that the program, and the compiler, may run.
    timeout: float | None
    compile_timeout: float | None
    cpu_seconds: int | None
    memory_mib: int | None
    vcpus: int | None
    pids: int | None
    #: Bytes kept of stdout, and of stderr.
    output_bytes: int | None
    file_size_bytes: int | None
    #: Bring back what is left in `/work/out`; on unless `False`.
    artifacts: bool | None
    fresh_interpreter: bool | None
    normalize_time: float | None
    trace_id: str | None


class SandboxLimits(TypedDict, total=False):
    """`limits` of a sandbox: for all of it."""

    memory_mib: int | None
    vcpus: int | None
    pids: int | None
    file_size_bytes: int | None
    #: Of a writable root file system, in MiB of the memory.
    writable_mib: int | None


class SandboxOptions(TypedDict, total=False):
    """Of `Client.sandbox` and `Client.create_sandbox`."""

    #: An image by name; absent: the language's own, without a language `agent` once it is built.
    image: str | None
    #: Seconds after which it ends, and without a request.
    timeout: float | None
    idle_timeout: float | None
    #: In the environment of each process.
    env: Mapping[str, str]
    metadata: Mapping[str, str]
    limits: SandboxLimits
    packages: Sequence[str]
    #: A root file system that can be written to, where the operator allows it.
    writable: bool | None


class ProcessLimits(TypedDict, total=False):
    """`limits` of one process and what it starts."""

    #: Seconds that it may run.
    timeout: float | None
    cpu_seconds: int | None
    memory_mib: int | None
    pids: int | None
    file_size_bytes: int | None


class PtySize(TypedDict):
    """A terminal's size, in characters."""

    rows: int
    columns: int


class CommandOptions(TypedDict, total=False):
    """Of `commands.run`."""

    #: Absolute; absent: `/work`.
    cwd: str | None
    env: Mapping[str, str]
    limits: ProcessLimits
    #: `root` only where the operator allows it.
    user: Literal["sandbox", "root"]
    #: What becomes of it when nobody follows it any more: `kill` when absent, so cancelling ends it.
    on_disconnect: Literal["keep", "kill"]


class ProcessOptions(CommandOptions, total=False):
    """Of `processes.start`; `on_disconnect` is `keep` when absent."""

    #: A terminal instead of pipes.
    pty: PtySize | None
    stdin: Literal["empty", "open"]
    #: Bytes kept of its output for who asks later.
    kept_bytes: int | None


class CellOptions(TypedDict, total=False):
    """Of `run_code`."""

    #: Seconds that the cell may run, then it is interrupted.
    timeout: float | None
    stdin: str | None
    args: Sequence[str]
    #: Set before it runs, and left so.
    env: Mapping[str, str]
    #: `kill` when absent: who stops waiting interrupts the cell; variables stay.
    on_disconnect: Literal["keep", "kill"]


class ContextOptions(TypedDict, total=False):
    """Of `contexts.create`."""

    #: Where it starts; absolute. Absent: `/work`.
    cwd: str | None
    env: Mapping[str, str]
