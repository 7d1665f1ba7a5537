"""What goes wrong between a client and its service, one class a kind; which one, the problem's `code` decides.

A program that failed is none of these: its result says so.
"""

from __future__ import annotations

from typing import Any


class FirecrackerError(Exception):
    """The root of all errors of this package."""


class ConnectionFailed(FirecrackerError):
    """The service cannot be reached, or the connection to it broke."""


class ProtocolError(FirecrackerError):
    """The service answered something that is no answer of its API."""


class StreamCut(FirecrackerError):
    """A stream ended before its last event. What is missed can be asked for from `next_offset`, where it has one."""

    def __init__(self, message: str, next_offset: int | None = None) -> None:
        super().__init__(message)
        self.next_offset = next_offset


class OutputTooLarge(FirecrackerError):
    """A command wrote more than is wanted of it, and was ended; the beginnings of both outputs are here."""

    def __init__(self, limit: int, stdout: str, stderr: str) -> None:
        super().__init__(f"the command wrote more than {limit} bytes")
        self.limit = limit
        self.stdout = stdout
        self.stderr = stderr


class ReadTooLarge(FirecrackerError):
    """A file has more bytes than are wanted of it."""

    def __init__(self, path: str, limit: int) -> None:
        super().__init__(f"{path} has more than {limit} bytes")
        self.limit = limit


class LocalServiceFailed(FirecrackerError):
    """The service of the local mode could not be started; the message has its last words."""


class ProblemError(FirecrackerError):
    """The service refused a request, or failed at it (RFC 9457)."""

    #: The stable code: match on this where a class is too coarse.
    code: str
    #: The HTTP status; 0 for an end that was told within a stream.
    status: int
    #: What happened and what to do.
    detail: str
    #: The request's field that is to blame.
    field: str | None
    #: The job's name in the service's events and logs.
    trace_id: str | None
    #: Seconds after which it is worth trying again.
    retry_after: float | None

    @classmethod
    def of(cls, body: dict[str, Any], retry_after: float | None = None) -> ProblemError:
        """The error of a problem's body: of the class that its code has, else of this one."""
        code = str(body.get("code", "unknown"))
        detail = str(body.get("detail", ""))
        error = CODES.get(code, ProblemError)(f"{detail} [{code}]")
        status = body.get("status")
        field, trace_id = body.get("field"), body.get("trace_id")
        error.code, error.detail = code, detail
        error.status = status if isinstance(status, int) else 0
        error.field = str(field) if field is not None else None
        error.trace_id = str(trace_id) if trace_id is not None else None
        error.retry_after = retry_after
        return error


class InvalidRequest(ProblemError):
    """A field is missing, unknown or out of bounds; `field` names it."""


class PackagesRefused(InvalidRequest):
    """The packages may not be asked for here, or cannot be had."""


class TooLarge(InvalidRequest):
    """A body or a program is over its bound."""


class Unauthorized(ProblemError):
    """No key, or none that counts."""


class Forbidden(ProblemError):
    """This key, or this service, does not allow it."""


class RootForbidden(Forbidden):
    """This service has no processes of root in its guests."""


class NotFound(ProblemError):
    """There is no such thing; it may have ended."""


class SandboxNotFound(NotFound):
    """There is no such sandbox; it may have ended."""


class ProcessNotFound(NotFound):
    """The sandbox has no such process; it may have been forgotten."""


class ContextNotFound(NotFound):
    """The sandbox has no such context; it may have been deleted."""


class Conflict(ProblemError):
    """Not now: what is asked for does not go with the state of things."""


class ProcessEnded(Conflict):
    """The process has ended."""


class StdinClosed(Conflict):
    """The process takes no input: it was started without, or it is closed."""


class ProcessNotStarted(ProblemError):
    """The process did not start: its program or its folder is at fault, `detail` says which."""


class FileError(ProblemError, OSError):
    """The sandbox's file system refuses it."""


class FileNotFound(FileError, NotFound, FileNotFoundError):
    """There is no such file."""


class FileForbidden(FileError, PermissionError):
    """The sandbox's user may not do that there."""


class FileConflict(FileError, Conflict):
    """What is there is of another kind, not empty or in use."""


class FileTooLarge(FileError):
    """The file is larger than a file may be there."""


class DiskFull(FileError):
    """The sandbox's disk is full."""


class LimitReached(ProblemError):
    """There are as many as there may be, or it is asked too often: `retry_after` says when to come back."""


class RateLimited(LimitReached):
    """It is asked too often, and went on for longer than the client waits by itself."""


class TooManyProcesses(LimitReached):
    """The sandbox keeps as many processes as it may: forget ended ones."""


class Unavailable(ProblemError):
    """The service cannot do it now; later it may."""


class NotSupported(ProblemError):
    """This service, image or language has no such thing."""


class ServiceFailed(ProblemError):
    """The sandbox or the service failed; the reason is in its log, under `trace_id`."""


#: Each code of the API and what it is raised as. A code that is not here is a plain `ProblemError`.
CODES: dict[str, type[ProblemError]] = {
    "args_invalid": InvalidRequest,
    "code_empty": InvalidRequest,
    "code_not_utf8": InvalidRequest,
    "env_invalid": InvalidRequest,
    "field_invalid": InvalidRequest,
    "files_invalid": InvalidRequest,
    "image_unknown": InvalidRequest,
    "json_invalid": InvalidRequest,
    "language_unknown": InvalidRequest,
    "limit_invalid": InvalidRequest,
    "memory_invalid": InvalidRequest,
    "pattern_blocked": InvalidRequest,
    "timeout_invalid": InvalidRequest,
    "trace_id_invalid": InvalidRequest,
    "vcpus_invalid": InvalidRequest,
    "method_not_allowed": InvalidRequest,
    "request_timeout": InvalidRequest,
    "content_encoding_unsupported": InvalidRequest,
    "media_type_unsupported": InvalidRequest,
    "upgrade_required": InvalidRequest,
    "packages_refused": PackagesRefused,
    "packages_unresolved": PackagesRefused,
    "body_too_large": TooLarge,
    "code_too_large": TooLarge,
    "unauthorized": Unauthorized,
    "forbidden": Forbidden,
    "egress_unknown": Forbidden,
    "guest_root_forbidden": RootForbidden,
    "host_not_allowed": Forbidden,
    "writable_forbidden": Forbidden,
    "not_found": NotFound,
    "job_not_found": NotFound,
    "session_not_found": NotFound,
    "sandbox_not_found": SandboxNotFound,
    "process_not_found": ProcessNotFound,
    "context_not_found": ContextNotFound,
    "process_running": Conflict,
    "session_busy": Conflict,
    "no_terminal": Conflict,
    "process_ended": ProcessEnded,
    "stdin_closed": StdinClosed,
    "process_not_started": ProcessNotStarted,
    "file_not_found": FileNotFound,
    "file_forbidden": FileForbidden,
    "file_conflict": FileConflict,
    "file_invalid": FileError,
    "file_too_large": FileTooLarge,
    "disk_full": DiskFull,
    "rate_limited": RateLimited,
    "too_many_jobs": LimitReached,
    "too_many_requests_open": LimitReached,
    "too_many_sessions": LimitReached,
    "too_many_processes": TooManyProcesses,
    "context_unsupported": NotSupported,
    "image_missing": NotSupported,
    "isolation_too_weak": NotSupported,
    "egress_unavailable": Unavailable,
    "image_damaged": Unavailable,
    "overloaded": Unavailable,
    "packages_unavailable": Unavailable,
    "queue_full": Unavailable,
    "shutting_down": Unavailable,
    "agent_failed": ServiceFailed,
    "guest_misbehaved": ServiceFailed,
    "guest_silent": ServiceFailed,
    "host_failed": ServiceFailed,
    "internal_error": ServiceFailed,
    "vm_died": ServiceFailed,
    "vm_start_failed": ServiceFailed,
}
