"""One program in a VM of its own: what `run` and `stream` answer."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Union

from .shared import Isolation, Limit, Usage, raw


@dataclass(frozen=True, kw_only=True)
class Artifact:
    """A file that a program left in `/work/out`."""

    SCHEMAS: ClassVar = ("ArtifactBody",)
    #: Its path below `/work/out`.
    name: str
    #: In bytes.
    size: int
    mime_type: str
    #: MIME type → content: a text, parsed JSON, or base64 of everything else.
    data: Mapping[str, Any]

    @property
    def content(self) -> bytes:
        """Its bytes. JSON is written anew: its blanks and the order of its digits may be others."""
        content = self.data[self.mime_type]
        if not isinstance(content, str):
            return json.dumps(content, ensure_ascii=False).encode()
        return content.encode() if self.mime_type.startswith("text/") else _decoded(content)


def _decoded(content: str) -> bytes:
    # A text that is under no `text/` type (`application/x-sh`, or JSON that was not parsed) is no base64.
    try:
        return base64.b64decode(content, validate=True)
    except ValueError:
        return content.encode()


@dataclass(frozen=True, kw_only=True)
class Timings:
    """Wall times, in seconds."""

    SCHEMAS: ClassVar = ("TimingsBody",)
    queue: float
    boot: float
    compile: float
    execute: float
    total: float
    #: It ran in an interpreter that was loaded before it came.
    zygote: bool
    #: `pool`, `clone` or `boot`: which way the VM came.
    path: str | None = None


@dataclass(frozen=True, kw_only=True)
class Failure:
    """Why there is no result of the program."""

    SCHEMAS: ClassVar = ("FailureBody",)
    code: str
    message: str


@dataclass(frozen=True, kw_only=True)
class RunResult:
    """How a program ended: well or not, it is a result and no exception."""

    SCHEMAS: ClassVar = ("ExecuteResponse",)
    #: `ok`, `error`, `timeout`, `oom` or `killed`; within a stream also `rejected` and `internal`.
    status: Literal["ok", "error", "timeout", "oom", "killed", "rejected", "internal"]
    #: What it printed; bytes that are no UTF-8 replaced.
    stdout: str
    stderr: str
    stdout_truncated: bool
    stderr_truncated: bool
    #: Seconds that it ran.
    exec_time: float
    timings: Timings
    usage: Usage
    #: What it left in `/work/out`.
    artifacts: tuple[Artifact, ...]
    #: What else there is to know.
    notes: tuple[str, ...]
    trace_id: str
    exit_code: int | None = None
    signal: int | None = None
    #: `compile` or `execute`: where it ended.
    phase: str | None = None
    #: One sentence about why it is not `ok`.
    error: str | None = None
    limit: Limit | None = None
    failure: Failure | None = None
    isolation: Isolation | None = None
    stdout_base64: str | None = None
    stderr_base64: str | None = None

    @property
    def ok(self) -> bool:
        """It ended by itself, with exit code 0."""
        return self.status == "ok"

    @property
    def stdout_bytes(self) -> bytes:
        """What it printed, byte for byte."""
        return raw(self.stdout, self.stdout_base64)

    @property
    def stderr_bytes(self) -> bytes:
        """The same of standard error."""
        return raw(self.stderr, self.stderr_base64)

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, Any]:
        """A notebook's view: what it printed, and an image that it left."""
        end = [] if self.ok else [f"[{self.error or self.status}]"]
        printed = [part for part in (self.stdout, self.stderr) if part]
        shown: dict[str, Any] = {"text/plain": "\n".join([part.rstrip("\n") for part in printed] + end)}
        images = [one for one in self.artifacts if one.mime_type in ("image/png", "image/jpeg")]
        if images:
            shown[images[0].mime_type] = images[0].data[images[0].mime_type]
        return shown


@dataclass(frozen=True, kw_only=True)
class JobOutput:
    """A piece of what a program prints, as it comes."""

    SCHEMAS: ClassVar = ()
    stream: Literal["stdout", "stderr"]
    data: str


#: What `stream` tells: output as it comes, and one result at the end.
RunEvent = Union[JobOutput, RunResult]
