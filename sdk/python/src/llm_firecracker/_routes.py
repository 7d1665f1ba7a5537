"""Requests, without I/O. Which routes of the API are used stands here alone; a test compares them with `/openapi.json`."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Union
from urllib.parse import quote

from .options import Files

#: Seconds of silence until a stream counts as dead: it says that it is alive every 15.
STREAM_READ_SECONDS = 60.0
#: Seconds for what the service answers by itself.
READ_SECONDS = 60.0
#: Seconds for a program's answer: a turn (60), compiling (300), running (300), artifacts and some room.
JOB_READ_SECONDS = 720.0

Body = Union[bytes, Iterable[bytes], AsyncIterable[bytes]]


@dataclass(frozen=True)
class Route:
    """A method and a path as the API's description has it."""

    method: str
    path: str

    def __call__(self, *ids: object, **fields: Any) -> Call:
        """A request of it: `ids` take the places of `{…}` in the path."""
        parts = self.path.split("/")
        names = iter(ids)
        filled = [quote(str(next(names)), safe="") if part.startswith("{") else part for part in parts]
        return Call(self.method, "/".join(filled), **fields)


@dataclass(frozen=True)
class Call:
    """One request."""

    method: str
    path: str
    params: Mapping[str, str] = field(default_factory=dict)
    #: What goes as JSON.
    body: Mapping[str, Any] | None = None
    #: Or bytes.
    content: Body | None = None
    accept: str = "application/json"
    #: Seconds of silence until it fails; `None`: as long as it takes.
    read_seconds: float | None = READ_SECONDS
    #: A status besides 2xx whose body is an answer and no refusal.
    answers_with: int | None = None

    @property
    def can_repeat(self) -> bool:
        """It may be sent once more: what goes with it is not used up."""
        return self.content is None or isinstance(self.content, bytes)

    @property
    def has_content(self) -> bool:
        """Something goes with it."""
        return self.body is not None or self.content is not None


RUN = Route("POST", "/api/v1/execute")
LANGUAGES = Route("GET", "/api/v1/languages")
IMAGES = Route("GET", "/api/v1/rootfs")
READY = Route("GET", "/readyz")
LIST_SANDBOXES = Route("GET", "/api/v1/sandboxes")
CREATE_SANDBOX = Route("POST", "/api/v1/sandboxes")
GET_SANDBOX = Route("GET", "/api/v1/sandboxes/{id}")
EXTEND_SANDBOX = Route("PATCH", "/api/v1/sandboxes/{id}")
DELETE_SANDBOX = Route("DELETE", "/api/v1/sandboxes/{id}")
RUN_CELL = Route("POST", "/api/v1/sandboxes/{id}/execute")
LIST_CONTEXTS = Route("GET", "/api/v1/sandboxes/{id}/contexts")
CREATE_CONTEXT = Route("POST", "/api/v1/sandboxes/{id}/contexts")
DELETE_CONTEXT = Route("DELETE", "/api/v1/sandboxes/{id}/contexts/{context}")
CONTEXT_EVENTS = Route("GET", "/api/v1/sandboxes/{id}/contexts/{context}/events")
INTERRUPT = Route("POST", "/api/v1/sandboxes/{id}/contexts/{context}/interrupt")
RESTART = Route("POST", "/api/v1/sandboxes/{id}/contexts/{context}/restart")
LIST_PROCESSES = Route("GET", "/api/v1/sandboxes/{id}/processes")
START = Route("POST", "/api/v1/sandboxes/{id}/processes")
GET_PROCESS = Route("GET", "/api/v1/sandboxes/{id}/processes/{process}")
FORGET = Route("DELETE", "/api/v1/sandboxes/{id}/processes/{process}")
FOLLOW = Route("GET", "/api/v1/sandboxes/{id}/processes/{process}/output")
STDIN = Route("POST", "/api/v1/sandboxes/{id}/processes/{process}/stdin")
SIGNAL = Route("POST", "/api/v1/sandboxes/{id}/processes/{process}/signal")
RESIZE = Route("POST", "/api/v1/sandboxes/{id}/processes/{process}/resize")
READ_FILE = Route("GET", "/api/v1/sandboxes/{id}/files")
WRITE_FILE = Route("PUT", "/api/v1/sandboxes/{id}/files")
REMOVE = Route("DELETE", "/api/v1/sandboxes/{id}/files")
WATCH = Route("GET", "/api/v1/sandboxes/{id}/files/watch")
LIST_FOLDER = Route("GET", "/api/v1/sandboxes/{id}/entries")
STAT = Route("GET", "/api/v1/sandboxes/{id}/entries/stat")
MAKE_FOLDER = Route("POST", "/api/v1/sandboxes/{id}/folders")
MOVE = Route("POST", "/api/v1/sandboxes/{id}/move")

#: Every one of them.
ROUTES = [value for value in list(globals().values()) if isinstance(value, Route)]

EVENTS = {"accept": "application/x-ndjson", "read_seconds": STREAM_READ_SECONDS}


def job_body(code: str, language: str | None, options: Mapping[str, Any]) -> dict[str, Any]:
    """The body of a job: files as the API has them."""
    body = {"code": code, "language": language, **options}
    if (files := options.get("files")) is not None:
        body["files"] = request_files(files)
    return body


def request_files(files: Files) -> list[dict[str, str]]:
    """Texts as they are, bytes as base64."""
    return [
        {"path": path, "content": content}
        if isinstance(content, str)
        else {"path": path, "data": base64.b64encode(content).decode()}
        for path, content in files.items()
    ]


#: Arguments that a process may have in a request, and their bytes with the ends of each: the API's bounds, less the few
#: that `bash -c` adds.
MAX_ARGS = 1000
MAX_ARG_BYTES = 128 * 1024 - 256
#: Runs the program whose arguments lie in a file, each with a NUL behind it; the file goes before the program comes.
_FROM_FILE = 'mapfile -d "" -t argv < "$1" && rm -f -- "$1" && exec -- "${argv[@]}"'


def too_long(command: str | Sequence[str]) -> bool:
    """Whether a command does not go into a request, which takes no more than 128 KiB of it."""
    parts = [command] if isinstance(command, str) else command
    return len(parts) > MAX_ARGS or sum(len(part.encode()) + 1 for part in parts) > MAX_ARG_BYTES


def filed(command: str | Sequence[str], path: str) -> tuple[bytes, list[str]]:
    """A command that is too long: what is put into the file, and what is run then."""
    if isinstance(command, str):
        return command.encode(), ["/bin/bash", path]
    content = b"".join(part.encode() + b"\0" for part in command)
    return content, ["/bin/bash", "-c", _FROM_FILE, "bash", path]


def command_body(command: str | Iterable[str], options: Mapping[str, Any]) -> dict[str, Any]:
    """A text is a line for bash, a list is a program and its arguments."""
    what = {"cmd": command} if isinstance(command, str) else {"argv": list(command)}
    return {**what, **options}
