"""The client against a service with VMs."""

from __future__ import annotations

import io
import time
from collections.abc import Iterator

import pytest

from llm_firecracker import _routes as routes
from llm_firecracker import (
    Changed,
    Client,
    ConnectionFailed,
    ContextNotFound,
    FileConflict,
    FileError,
    FileForbidden,
    FileNotFound,
    Forbidden,
    InvalidRequest,
    JobOutput,
    Moved,
    NotFound,
    OutputTooLarge,
    PackagesRefused,
    ProcessEnded,
    ProcessNotFound,
    ProcessNotStarted,
    ReadTooLarge,
    Result,
    RunResult,
    Sandbox,
    SandboxNotFound,
    StdinClosed,
    WatchEnded,
    Watching,
)

pytestmark = pytest.mark.service


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    with Client() as client:
        yield client


@pytest.fixture(scope="module")
def sandbox(client: Client) -> Iterator[Sandbox]:
    """One for the tests that leave it as it was."""
    with client.sandbox(image="agent") as sandbox:
        yield sandbox


@pytest.mark.parametrize(
    "language, code, status, exit_code, stdout",
    [
        ("python", "print('é')", "ok", 0, "é\n"),
        ("python", "raise SystemExit(3)", "error", 3, ""),
        ("bash", "echo $1 $X; cat - f.txt; exit 0", "ok", 0, "a v\nin-file"),
        ("node", "console.log(1)", "ok", 0, "1\n"),
        ("python", "while True: pass", "timeout", None, ""),
    ],
)
def test_programs_end_as_results(
    client: Client, language: str, code: str, status: str, exit_code: int | None, stdout: str
) -> None:
    result = client.run(
        code, language, args=["a"], env={"X": "v"}, stdin="in", files={"f.txt": b"-file"}, timeout=3
    )
    assert (result.status, result.exit_code, result.stdout) == (status, exit_code, stdout)
    assert result.ok is (status == "ok") and result.isolation is not None
    assert (result.limit is not None) is (status == "timeout")


def test_artifacts_come_back_byte_for_byte(client: Client) -> None:
    code = "import os, sys; os.makedirs('out'); w = lambda n, b: open('out/' + n, 'wb').write(b)\n"
    code += "w('a.txt', 'é'.encode()); w('b.bin', bytes(range(256))); w('c.json', b'[1,2]')"
    left = {one.name: one.content for one in client.run(code, "python").artifacts}
    assert left == {"a.txt": "é".encode(), "b.bin": bytes(range(256)), "c.json": b"[1, 2]"}


def test_output_that_is_no_text_has_its_bytes(client: Client) -> None:
    result = client.run("import sys; sys.stdout.buffer.write(b'a\\xff')", "python")
    assert (result.stdout, result.stdout_bytes) == ("a\ufffd", b"a\xff")


def test_a_program_is_followed(client: Client) -> None:
    events = list(client.stream("import sys\nprint('out')\nprint('err', file=sys.stderr)", "python"))
    told = [(one.stream, one.data) for one in events if isinstance(one, JobOutput)]
    assert sorted(told) == [("stderr", "err\n"), ("stdout", "out\n")]
    assert isinstance(events[-1], RunResult) and events[-1].stdout == "out\n"


@pytest.mark.parametrize(
    "language, options, kind, field",
    [
        ("cobol", {}, InvalidRequest, "language"),
        ("python", {"timeout": 0}, InvalidRequest, "timeout"),
        ("python", {"no_such": 1}, InvalidRequest, "no_such"),
        ("python", {"files": {"../x": ""}}, InvalidRequest, "files"),
        ("python", {"packages": ["requests"]}, PackagesRefused, "packages"),
    ],
)
def test_refusals_name_the_field(
    client: Client, language: str, options: dict[str, object], kind: type[InvalidRequest], field: str
) -> None:
    with pytest.raises(kind) as refused:
        client.run("1", language, **options)  # type: ignore[arg-type]
    assert refused.value.status == 400 and field in str(refused.value.field or refused.value.detail)
    with pytest.raises(kind):
        list(client.stream("1", language, **options))  # type: ignore[arg-type]


def test_a_service_that_is_not_there() -> None:
    with Client("http://127.0.0.1:9") as nobody, pytest.raises(ConnectionFailed):
        nobody.languages()


def test_refusals_leave_no_connection_that_breaks(client: Client) -> None:
    body = {"cmd": "x" * 50_000}
    for _ in range(50):
        with pytest.raises(SandboxNotFound):
            client._transport.json(routes.START("no-such", body=body))
        assert client.ready().ready


def test_who_asks_too_often_waits(client: Client) -> None:
    began = time.monotonic()
    for _ in range(400):
        client.languages()
    # 200 at once, then 50 a second.
    assert time.monotonic() - began > 2


def test_what_a_service_has(client: Client) -> None:
    assert {"python", "bash"} <= {one.name for one in client.languages() if one.available}
    assert "agent" in [one.name for one in client.images()]
    assert client.ready().ready


def test_a_sandbox_and_its_end(client: Client) -> None:
    with client.sandbox("python", metadata={"user": "42"}, timeout=100, limits={"memory_mib": 256}) as sandbox:
        info = client.get_sandbox(sandbox.id).info
        assert (info.metadata, info.memory_mib, info.timeout) == ({"user": "42"}, 256, 100)
        assert sandbox.id in [one.id for one in client.sandboxes()]
        assert sandbox.extend(200).timeout == 200 and sandbox.refresh().timeout == 200
        assert sandbox.id in repr(sandbox)
    with pytest.raises(SandboxNotFound):
        client.get_sandbox(sandbox.id)
    with pytest.raises(NotFound):
        sandbox.commands.run("true")
    sandbox.close()


def test_a_sandbox_that_is_kept_alive(client: Client) -> None:
    with client.sandbox("bash", idle_timeout=1.5) as kept, client.sandbox("bash", idle_timeout=1.5) as idle:
        kept.keep_alive()
        time.sleep(4)
        assert kept.commands.run("true").ok
        with pytest.raises(SandboxNotFound):
            idle.refresh()


@pytest.mark.parametrize(
    "command, status, code, stdout",
    [
        ("echo $((6 * 7)); echo err >&2", "ok", 0, "42\n"),
        (["printf", "%s|", "a b", "", "$x"], "ok", 0, "a b||$x|"),
        ("exit 7", "error", 7, ""),
        ("kill -TERM $$", "error", 143, ""),
        ("printf '\\xc3'; sleep .1; printf '\\xa9\\xff'", "ok", 0, "é\ufffd"),
        (["printf", "%s", "x" * 100_000, "y" * 100_000], "ok", 0, "x" * 100_000 + "y" * 100_000),
        ("/bin/echo " + "z" * 200_000, "error", 126, ""),
        ("# " + "z" * 200_000 + "\necho long", "ok", 0, "long\n"),
    ],
    ids=lambda value: str(value)[:20],
)
def test_commands(sandbox: Sandbox, command: str | list[str], status: str, code: int, stdout: str) -> None:
    heard: list[str] = []
    result = sandbox.commands.run(command, on_stdout=heard.append)
    assert (result.exit.status, result.exit_code, result.stdout) == (status, code, stdout)
    assert "".join(heard) == stdout


def test_commands_have_options(sandbox: Sandbox) -> None:
    result = sandbox.commands.run("pwd; echo $X", cwd="/tmp", env={"X": "v"})
    assert result.stdout == "/tmp\nv\n"
    result = sandbox.commands.run("sleep 60", limits={"timeout": 0.5})
    assert result.exit.status == "timeout" and result.exit.limit is not None and result.exit.limit.name == "wall_time"


def test_root_is_refused_where_it_is_not_allowed(sandbox: Sandbox) -> None:
    with pytest.raises(Forbidden) as refused:
        sandbox.commands.run("id", user="root")
    assert refused.value.code == "guest_root_forbidden"


@pytest.mark.parametrize("command, said", [(["no-such"], "no program"), (["/etc/passwd"], "may not be executed")])
def test_programs_that_do_not_start(sandbox: Sandbox, command: list[str], said: str) -> None:
    with pytest.raises(ProcessNotStarted, match=said):
        sandbox.commands.run(command)


@pytest.mark.parametrize("size", [0, 1, 5_000_000])
def test_input_of_any_size(sandbox: Sandbox, size: int) -> None:
    assert len(sandbox.commands.run(["cat"], stdin=b"x" * size).stdout) == size
    assert sandbox.commands.run("exec true", stdin=b"x" * size).ok, "who does not read it is no failure"


def test_what_a_command_leaves_in_the_background_runs_on(sandbox: Sandbox) -> None:
    started = time.monotonic()
    assert sandbox.commands.run("(sleep 2; touch /tmp/left) & echo here").stdout == "here\n"
    assert time.monotonic() - started < 2
    assert sandbox.commands.run("sleep 3; cat /tmp/left").ok


def test_errors_of_callbacks_end_the_command(sandbox: Sandbox) -> None:
    def refuse(text: str) -> None:
        raise ZeroDivisionError(text)

    with pytest.raises(ZeroDivisionError):
        sandbox.commands.run("echo x; sleep 987", on_stdout=refuse)
    assert "sleep 987" not in sandbox.commands.run(["ps", "ax"]).stdout.replace("ps ax", "")


def test_a_guest_that_writes_without_end_does_not_fill_the_client(sandbox: Sandbox) -> None:
    with pytest.raises(OutputTooLarge) as ended:
        sandbox.commands.run("yes", max_output_bytes=10_001)
    assert len(ended.value.stdout) == 10_001
    # It is told to end before the error is raised, and on a loaded host takes a moment.
    gone = "for _ in $(seq 100); do pgrep -x yes || exit 0; sleep 0.1; done; exit 1"
    assert sandbox.commands.run(gone).ok
    sandbox.commands.run(["ln", "-sf", "/dev/zero", "/work/innocent.txt"])
    with pytest.raises((ReadTooLarge, FileError)):
        sandbox.files.read("/work/innocent.txt", max_bytes=1_000_000)


def test_a_full_table_of_processes_is_made_room_in(client: Client) -> None:
    with client.sandbox(image="agent") as full:
        for _ in range(256):
            full.processes.start(["true"])
        assert full.commands.run("echo room").stdout == "room\n"


def test_processes(sandbox: Sandbox) -> None:
    process = sandbox.processes.start("read a; echo got $a; read b; echo got $b", stdin="open")
    process.write("1\n")
    with process.follow() as events:
        assert getattr(next(events), "data", "") == "got 1\n"
        at = events.next_offset
    process.close_stdin("2\n")
    assert [getattr(one, "data", None) for one in process.follow(at or 0)][0] == "got 2\n"
    assert process.wait().stdout == "got 1\ngot 2\n"
    info = process.refresh()
    assert info.exit is not None and info.exit.exit_code == 0 and process.id in [one.id for one in sandbox.processes.list()]
    with pytest.raises((ProcessEnded, StdinClosed)):
        process.write("3")
    process.forget()
    with pytest.raises(ProcessNotFound):
        sandbox.processes.get(process.id)


def test_signals_and_terminals(sandbox: Sandbox) -> None:
    process = sandbox.processes.start(["sleep", "60"])
    process.signal("SIGINT")
    assert process.wait().exit_code == 130
    shell = sandbox.processes.start(["bash", "--norc"], pty={"rows": 10, "columns": 40})
    shell.resize(33, 99)
    shell.write("stty size; exit\n")
    assert "33 99" in shell.wait().stdout


def test_cells_keep_variables(sandbox: Sandbox) -> None:
    assert sandbox.run_code("x = 41").results == ()
    heard: list[Result] = []
    printed: list[str] = []
    execution = sandbox.run_code("print('p')\nx + 1", on_stdout=printed.append, on_result=heard.append)
    assert (execution.text, printed, [one.text for one in heard]) == ("42", ["p\n"], ["42"])
    same = sandbox.run_code("print('p')\nx + 1")
    assert (same.results, same.logs, same.status) == (execution.results, execution.logs, execution.status)


def test_cells_that_fail_are_results(sandbox: Sandbox) -> None:
    execution = sandbox.run_code("1 / 0")
    assert execution.error is not None and execution.error.name == "ZeroDivisionError" and not execution.ok
    followed = sandbox.run_code("1 / 0", on_stdout=print)
    assert followed.error is not None and followed.error.name == execution.error.name
    assert sandbox.run_code("import time; time.sleep(60)", timeout=0.5).status == "timeout"
    assert sandbox.run_code("echo $1 >&2", language="bash", args=["a"]).logs.stderr == "a\n"


def test_contexts(sandbox: Sandbox) -> None:
    one, two = sandbox.contexts.create("python"), sandbox.contexts.create("bash", cwd="/tmp", env={"X": "v"})
    one.run_code("x = 1")
    assert two.run_code("pwd; echo $X").logs.stdout == "/tmp\nv\n"
    assert sandbox.run_code("x", context=one).text == "1"
    assert [type(event).__name__ for event in one.stream_code("x")] == ["CellBegun", "Shown", "CellEnd"]
    one.restart()
    error = one.run_code("x").error
    assert error is not None and error.name == "NameError"
    with one.events() as events:
        assert next(events).offset == 0
    one.delete()
    with pytest.raises(ContextNotFound):
        one.run_code("1")
    assert two.id in [context.id for context in sandbox.contexts.list()]
    two.delete()


@pytest.mark.parametrize("content", ["", "é\n", b"", bytes(range(256)), b"x" * 3_000_000], ids=lambda one: str(len(one)))
def test_files_go_there_and_back(sandbox: Sandbox, content: str | bytes) -> None:
    path = "/work/new folder/a+b ü%.bin"
    written = sandbox.files.write(path, content)
    data = content.encode() if isinstance(content, str) else content
    assert written.size == len(data) and sandbox.files.read(path) == data
    assert b"".join(sandbox.files.download(path)) == data
    assert sandbox.files.write(path, io.BytesIO(data)).size == len(data)


def test_folders(sandbox: Sandbox) -> None:
    files = sandbox.files
    files.make_folder("/work/d/e")
    files.write("/work/d/a.txt", "a")
    sandbox.commands.run(["ln", "-s", "a.txt", "/work/d/link"])
    assert [(one.name, one.kind) for one in files.list("/work/d")] == [("a.txt", "file"), ("e", "folder"), ("link", "link")]
    assert files.stat("/work/d/link").target == "a.txt" and files.exists("/work/d/link")
    files.move("/work/d/a.txt", "/work/d/e/b.txt")
    assert len(files.list("/work/d", depth=2)) == 3 and not files.exists("/work/d/a.txt")
    files.remove("/work/d")
    assert not files.exists("/work/d")


def test_refusals_of_files(sandbox: Sandbox) -> None:
    with pytest.raises(FileNotFoundError) as missing:
        sandbox.files.read("/work/nothing")
    assert isinstance(missing.value, FileNotFound)
    with pytest.raises(FileForbidden):
        sandbox.files.write("/etc/x", "")
    with pytest.raises(FileConflict):
        sandbox.files.read("/etc")
    with pytest.raises(InvalidRequest):
        sandbox.files.read("relative")


def test_watches(sandbox: Sandbox) -> None:
    sandbox.files.make_folder("/work/watched")
    with sandbox.files.watch("/work/watched") as events:
        assert isinstance(next(events), Watching)
        sandbox.commands.run("cd /work/watched; echo 1 > a; mv a b; rm b; cd /; rmdir /work/watched")
        told = list(events)
    assert Changed(path="/work/watched/a", change="created") in told
    assert Moved(source="/work/watched/a", path="/work/watched/b") in told
    assert Changed(path="/work/watched/b", change="removed") in told
    assert isinstance(told[-1], WatchEnded)
