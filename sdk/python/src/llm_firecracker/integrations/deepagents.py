"""A sandbox backend for deepagents: `create_deep_agent(…, backend=FirecrackerSandbox(sandbox))`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from deepagents.backends.protocol import (
    ExecuteResponse,
    FileDownloadResponse,
    FileOperationError,
    FileUploadResponse,
)
from deepagents.backends.sandbox import BaseSandbox

from .._errors import FileError, OutputTooLarge, ReadTooLarge
from .._sync import native
from ..options import CommandOptions

if TYPE_CHECKING:
    from .. import Sandbox

#: Seconds that a command may run when nobody says.
COMMAND_SECONDS = 300
#: Bytes of each of a command's outputs, then it is ended: a search over large trees and a file's page (500 KiB) fit.
OUTPUT_BYTES = 8 * 1024 * 1024


class FirecrackerSandbox(BaseSandbox):
    """One sandbox as a backend. It is its maker's to close."""

    def __init__(self, sandbox: Sandbox, *, timeout: int = COMMAND_SECONDS) -> None:
        #: For what deepagents has no word for.
        self.sandbox = sandbox
        self._timeout = timeout
        # A model may think for longer than the idle time.
        sandbox.keep_alive()

    @property
    def id(self) -> str:
        """The sandbox's name."""
        return self.sandbox.id

    def execute(self, command: str, *, timeout: int | None = None) -> ExecuteResponse:
        """Runs a line of bash; both outputs in the order of writing. 0 is no limit but the sandbox's own time."""
        seconds = self._timeout if timeout is None else timeout
        options: CommandOptions = {"limits": {"timeout": seconds}} if seconds else {}
        told: list[str] = []
        try:
            result = self.sandbox.commands.run(
                command, on_stdout=told.append, on_stderr=told.append, max_output_bytes=OUTPUT_BYTES, **options
            )
        except OutputTooLarge:
            # The command is ended: how it would have ended by itself, nobody knows.
            return ExecuteResponse(output="".join(told), exit_code=None, truncated=True)
        if result.exit.status == "timeout":
            told.append(f"\n[ended after {seconds} seconds]")
        return ExecuteResponse(output="".join(told), exit_code=result.exit_code)

    def upload_files(self, files: list[tuple[str, bytes]]) -> list[FileUploadResponse]:
        """Puts files there, each for itself."""
        return [FileUploadResponse(path=path, error=self._upload(path, content)) for path, content in files]

    def download_files(self, paths: list[str]) -> list[FileDownloadResponse]:
        """Fetches files, each for itself."""
        return [self._download(path) for path in paths]

    def _upload(self, path: str, content: bytes) -> FileOperationError | str | None:
        if not path.startswith("/"):
            return "invalid_path"
        try:
            native.with_own_errors(self.sandbox, path, lambda: native.write(self.sandbox, path, content))
        except OSError as error:
            return _standard(error)
        return None

    def _download(self, path: str) -> FileDownloadResponse:
        if not path.startswith("/"):
            return FileDownloadResponse(path=path, error="invalid_path")
        try:
            content = native.with_own_errors(self.sandbox, path, lambda: native.read(self.sandbox, path))
        except OSError as error:
            return FileDownloadResponse(path=path, error=_standard(error))
        except ReadTooLarge as error:
            return FileDownloadResponse(path=path, error=str(error))
        return FileDownloadResponse(path=path, content=content)


def _standard(error: OSError) -> FileOperationError | str:
    """deepagents' word for it, where it has one."""
    if isinstance(error, FileNotFoundError):
        return "file_not_found"
    if isinstance(error, PermissionError):
        return "permission_denied"
    if isinstance(error, IsADirectoryError):
        return "is_directory"
    if isinstance(error, NotADirectoryError):
        return "invalid_path"
    return error.detail if isinstance(error, FileError) else str(error)
