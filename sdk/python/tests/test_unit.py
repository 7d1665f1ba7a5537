"""What needs no service: decoding, streams, errors, display."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import FrozenInstanceError
from pathlib import Path
from typing import Any

import pytest

import llm_firecracker
from llm_firecracker import (
    FileNotFound,
    JobOutput,
    LocalServiceFailed,
    Output,
    ProblemError,
    ProtocolError,
    Result,
    SandboxNotFound,
    StreamCut,
    models,
)
from llm_firecracker._decode import decode
from llm_firecracker._errors import CODES
from llm_firecracker._events import PROCESS_LAST, RUN_LAST, process_event, run_event
from llm_firecracker._gather import Texts
from llm_firecracker._local import LocalOptions
from llm_firecracker._routes import GET_PROCESS, READ_FILE, filed, job_body, too_long
from llm_firecracker._streams import EventReader, SseReader

PYTHON = Path(__file__).resolve().parent.parent
EXIT = {
    "status": "ok",
    "exec_time": 1,
    "usage": {"cpu_seconds": 0.5, "memory_peak_mib": 1},
    "isolation": {"engine": "uml", "accelerator": "none", "jail": "j", "guest": "confined"},
    "written_bytes": 3,
    "pids_refused": 0,
    "exit_code": 0,
}
OUTPUT = {"offset": 0, "next_offset": 3, "stream": "stdout"}


def lines(*events: dict[str, Any]) -> bytes:
    return b"".join(json.dumps(event, ensure_ascii=False).encode() + b"\n" for event in events)


def told(data: bytes, piece: int) -> list[Any]:
    reader = EventReader(process_event, PROCESS_LAST)
    got = [event for at in range(0, len(data), piece) for event in reader.feed(data[at : at + piece])]
    reader.finish()
    return got


@pytest.mark.parametrize("piece", [1, 2, 7, 10_000])
@pytest.mark.parametrize("text", ["plain", "ü€😀", "a\u2028b\u2029c\x85d\x0be", '{"quoted"}\r\n\\'])
def test_events_are_whole_however_they_are_cut(piece: int, text: str) -> None:
    data = lines(
        {"event": "output", **OUTPUT, "data": text},
        {"event": "alive"},
        {"event": "of a newer service", "x": 1},
        {"event": "exit", **EXIT},
    )
    output, end = told(data, piece)
    assert (output.data, end.exit_code) == (text, 0)


def test_what_comes_after_the_last_event_is_left() -> None:
    assert len(told(lines({"event": "exit", **EXIT}, {"event": "output", **OUTPUT, "data": "x"}), 10_000)) == 1


def test_a_stream_that_is_cut_says_where_to_go_on() -> None:
    with pytest.raises(StreamCut) as cut:
        told(lines({"event": "output", **OUTPUT, "data": "abc"}), 10_000)
    assert cut.value.next_offset == 3


@pytest.mark.parametrize("data", [b"no json\n", b"[]\n", b'{"event": "exit"}\n', b'{"event": "output", "data": 1}\n'])
def test_nonsense_is_an_error_of_the_protocol(data: bytes) -> None:
    with pytest.raises(ProtocolError):
        told(data, 10_000)


def test_a_problem_within_a_stream_is_raised() -> None:
    with pytest.raises(SandboxNotFound):
        told(lines({"event": "error", "code": "sandbox_not_found", "detail": "gone", "status": 404}), 10_000)


def test_server_sent_events() -> None:
    reader = SseReader(run_event, RUN_LAST)
    data = b': alive\n\nevent: stdout\ndata: {"data":"1\\n"}\n\nid: 7\r\nevent: stderr\r\ndata: {"data":"2"}\r\n\r\n'
    heard = [(event.stream, event.data) for event in reader.feed(data) if isinstance(event, JobOutput)]
    assert heard == [("stdout", "1\n"), ("stderr", "2")]
    with pytest.raises(StreamCut):
        reader.finish()


def test_characters_that_are_cut_between_pieces_are_whole() -> None:
    heard: list[str] = []
    texts = Texts(on_stdout=heard.append)
    for byte in "ü€\n".encode():
        texts.add("stdout", bytes([byte]))
    texts.add("stderr", b"\xff")
    texts.add("terminal", b"\xe2")
    assert (texts.end().stdout, texts.end().stderr) == ("ü€\n\ufffd", "\ufffd") and "".join(heard) == "ü€\n\ufffd"


def test_output_has_its_bytes() -> None:
    made = decode(Output, {**OUTPUT, "data": "a\ufffd", "base64": "Yf8="})
    assert made.raw == b"a\xff"
    assert decode(Output, {**OUTPUT, "data": "é"}).raw == "é".encode()


@pytest.mark.parametrize(
    "body",
    [
        {},
        {**OUTPUT, "data": None},
        {**OUTPUT, "data": "x", "offset": "0"},
        {**OUTPUT, "data": "x", "offset": True},
        {**OUTPUT, "data": "x", "offset": 0.5},
        [],
        None,
    ],
)
def test_answers_are_checked(body: object) -> None:
    with pytest.raises(ProtocolError):
        decode(Output, body)


def test_models_cannot_be_changed() -> None:
    made = decode(models.Exit, EXIT)
    with pytest.raises(FrozenInstanceError):
        made.status = "error"  # type: ignore[misc]


def test_a_signal_has_a_shells_code() -> None:
    assert decode(models.Exit, {**EXIT, "exit_code": None, "signal": 15}).returncode == 143


def test_errors_are_keyed_on_the_code() -> None:
    for code, kind in CODES.items():
        error = ProblemError.of({"code": code, "detail": "why", "status": 400, "field": "f", "trace_id": "t"}, 2.0)
        assert type(error) is kind and (error.code, error.field, error.retry_after) == (code, "f", 2.0)
        assert str(error) == f"why [{code}]"
    unknown = ProblemError.of({"code": "of_a_newer_service"})
    assert type(unknown) is ProblemError and unknown.status == 0


def test_errors_of_files_are_pythons_too() -> None:
    with pytest.raises(FileNotFoundError):
        raise ProblemError.of({"code": "file_not_found"})
    with pytest.raises(PermissionError):
        raise ProblemError.of({"code": "file_forbidden"})
    assert issubclass(FileNotFound, OSError)


def test_a_notebook_shows_only_what_cannot_run() -> None:
    data = {"text/html": "<script>", "image/svg+xml": "<svg>", "text/plain": "x", "image/png": "iVBO"}
    result = Result(data=data, is_result=True)
    assert result._repr_mimebundle_() == {"text/plain": "x", "image/png": "iVBO"}
    assert result.trusted()._repr_mimebundle_() == data


def test_paths_of_requests_are_quoted() -> None:
    assert GET_PROCESS("a/../b?c", 7).path == "/api/v1/sandboxes/a%2F..%2Fb%3Fc/processes/7"
    assert READ_FILE("x", params={"path": "/a b"}).params == {"path": "/a b"}


def test_files_of_jobs() -> None:
    body = job_body("1", "python", {"files": {"a.txt": "é", "b.bin": b"\xff"}})
    assert body["files"] == [{"path": "a.txt", "content": "é"}, {"path": "b.bin", "data": "/w=="}]


@pytest.mark.parametrize(
    "command, long",
    [("x" * 1000, False), ("é" * 70_000, True), (["x"] * 999, False), (["x"] * 1001, True), (["x" * 65_536] * 3, True)],
)
def test_long_commands_are_known(command: str | list[str], long: bool) -> None:
    assert too_long(command) is long


def test_a_long_command_lies_in_a_file() -> None:
    content, short = filed(["a", "", "b c"], "/tmp/x")
    assert content == b"a\0\0b c\0" and short[-1] == "/tmp/x" and not too_long(short)


def test_a_missing_binary_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("LLM_FIRECRACKER_BIN", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(LocalServiceFailed, match="is not in PATH"):
        LocalOptions().command()
    with pytest.raises(LocalServiceFailed, match="no binary at"):
        LocalOptions(binary=tmp_path / "nothing").command()


def test_the_sync_client_is_current() -> None:
    script = PYTHON / "scripts" / "unasync.py"
    done = subprocess.run([sys.executable, script, "--check"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_nothing_of_async_is_left_in_the_sync_client() -> None:
    for path in (PYTHON / "src/llm_firecracker/_sync").glob("*.py"):
        code = re.sub(r"Made from `_async/.*|`_async/tasks.py`|without `async`|`async` ones|unasync", "", path.read_text())
        assert not re.findall(r"(?i)\w*async\w*|\bawait\w*", code), path


def test_everything_is_named_once() -> None:
    names = llm_firecracker.__all__
    assert len(set(names)) == len(names)
    assert all(hasattr(llm_firecracker, name) for name in names)
    assert all(hasattr(models, name) for name in models.__all__)
