"""Run code that nobody has read in microVMs of its own: the client of an LLM-Firecracker service.

    from llm_firecracker import Client

    with Client() as client:
        print(client.run("print(6 * 7)", "python").stdout)
        with client.sandbox("python") as sandbox:
            sandbox.run_code("x = 41")
            print(sandbox.run_code("x + 1").text)
"""

from . import models
from ._async.client import AsyncClient
from ._async.contexts import AsyncContext, AsyncContexts
from ._async.files import AsyncFiles
from ._async.processes import AsyncCommands, AsyncProcess, AsyncProcesses
from ._async.sandbox import AsyncSandbox
from ._async.stream import AsyncStream
from ._errors import (
    Conflict,
    ConnectionFailed,
    ContextNotFound,
    DiskFull,
    FileConflict,
    FileError,
    FileForbidden,
    FileNotFound,
    FileTooLarge,
    FirecrackerError,
    Forbidden,
    InvalidRequest,
    LimitReached,
    LocalServiceFailed,
    NotFound,
    NotSupported,
    OutputTooLarge,
    PackagesRefused,
    ProblemError,
    ProcessEnded,
    ProcessNotFound,
    ProcessNotStarted,
    ProtocolError,
    RateLimited,
    ReadTooLarge,
    RootForbidden,
    SandboxNotFound,
    ServiceFailed,
    StdinClosed,
    StreamCut,
    TooLarge,
    TooManyProcesses,
    Unauthorized,
    Unavailable,
)
from ._sync.client import Client
from ._sync.contexts import Context, Contexts
from ._sync.files import Files
from ._sync.processes import Commands, Process, Processes
from ._sync.sandbox import Sandbox
from ._sync.stream import Stream
from .models import (
    CellBegun,
    CellEnd,
    CellError,
    CellOutput,
    Changed,
    CommandResult,
    Entry,
    Execution,
    Exit,
    Expiring,
    JobOutput,
    Listing,
    Moved,
    Output,
    Overflow,
    ProcessInfo,
    Result,
    RunResult,
    Shown,
    WatchEnded,
    Watching,
)

__version__ = "0.1.0"

__all__ = [
    "AsyncClient",
    "AsyncCommands",
    "AsyncContext",
    "AsyncContexts",
    "AsyncFiles",
    "AsyncProcess",
    "AsyncProcesses",
    "AsyncSandbox",
    "AsyncStream",
    "CellBegun",
    "CellEnd",
    "CellError",
    "CellOutput",
    "Changed",
    "Client",
    "CommandResult",
    "Commands",
    "Conflict",
    "ConnectionFailed",
    "Context",
    "ContextNotFound",
    "Contexts",
    "DiskFull",
    "Entry",
    "Execution",
    "Exit",
    "Expiring",
    "FileConflict",
    "FileError",
    "FileForbidden",
    "FileNotFound",
    "FileTooLarge",
    "Files",
    "FirecrackerError",
    "Forbidden",
    "InvalidRequest",
    "JobOutput",
    "LimitReached",
    "Listing",
    "LocalServiceFailed",
    "Moved",
    "NotFound",
    "NotSupported",
    "OutputTooLarge",
    "Output",
    "Overflow",
    "PackagesRefused",
    "ProblemError",
    "Process",
    "ProcessEnded",
    "ProcessInfo",
    "ProcessNotFound",
    "ProcessNotStarted",
    "Processes",
    "ProtocolError",
    "RateLimited",
    "ReadTooLarge",
    "Result",
    "RootForbidden",
    "RunResult",
    "Sandbox",
    "SandboxNotFound",
    "ServiceFailed",
    "Shown",
    "StdinClosed",
    "Stream",
    "StreamCut",
    "TooLarge",
    "TooManyProcesses",
    "Unauthorized",
    "Unavailable",
    "WatchEnded",
    "Watching",
    "__version__",
    "models",
]
