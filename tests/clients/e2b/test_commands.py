"""Commands: run, followed, given input, listed, signalled."""

import time

import pytest
from e2b import CommandExitException, InvalidArgumentException, NotFoundException, TimeoutException


@pytest.mark.parametrize(
    "line, expected",
    [
        ("echo 'Hello, World!'", "Hello, World!\n"),
        ("echo '!@#$%^&*()_+'", "!@#$%^&*()_+\n"),
        ("printf 'Hello,\\nWorld!'", "Hello,\nWorld!"),
        ("true", ""),
        ("seq 1 20000", "".join(f"{n}\n" for n in range(1, 20001))),
    ],
)
def test_what_is_printed_comes_back(sandbox, line, expected):
    result = sandbox.commands.run(line)
    assert (result.exit_code, result.stdout) == (0, expected)


def test_bytes_that_are_no_text_are_replaced(sandbox):
    result = sandbox.commands.run(f"printf '{'a' * 8191}\\xe2'")
    assert result.stdout == "a" * 8191 + "\ufffd"


def test_both_outputs_are_told_apart_and_as_they_come(sandbox):
    out, err = [], []
    result = sandbox.commands.run(
        "echo one; echo two >&2; sleep 0.3; echo three", on_stdout=out.append, on_stderr=err.append
    )
    assert (result.stdout, result.stderr) == ("one\nthree\n", "two\n")
    assert ("".join(out), "".join(err)) == ("one\nthree\n", "two\n")
    assert len(out) >= 2


def test_an_exit_code_is_an_exception(sandbox):
    with pytest.raises(CommandExitException) as failed:
        sandbox.commands.run("echo out; echo err >&2; exit 7")
    assert (failed.value.exit_code, failed.value.stdout, failed.value.stderr) == (7, "out\n", "err\n")


def test_a_time_that_is_long_enough(sandbox):
    assert sandbox.commands.run("echo fine", timeout=10).exit_code == 0


def test_a_time_that_is_too_short_ends_it(sandbox):
    with pytest.raises(TimeoutException):
        sandbox.commands.run("sleep 10", timeout=1)


def test_a_time_that_is_too_short_ends_who_follows(sandbox):
    handle = sandbox.commands.run("sleep 10", timeout=1, background=True)
    with pytest.raises(TimeoutException):
        for _ in handle:
            pass


def test_it_starts_at_home_and_elsewhere(sandbox):
    assert sandbox.commands.run("pwd").stdout == "/home/user\n"
    assert sandbox.commands.run("pwd", cwd="/tmp").stdout == "/tmp\n"
    sandbox.files.make_dir("below/it")
    assert sandbox.commands.run("pwd", cwd="below/it").stdout == "/home/user/below/it\n"
    assert sandbox.commands.run("echo ~ $HOME $USER").stdout == "/home/user /home/user user\n"


def test_a_folder_that_is_not_there_is_the_callers_mistake(sandbox):
    with pytest.raises(InvalidArgumentException):
        sandbox.commands.run("true", cwd="/not/there")


def test_variables_of_a_command(sandbox):
    assert sandbox.commands.run("echo $FOO", envs={"FOO": "bar"}).stdout == "bar\n"
    assert sandbox.commands.run("echo [$FOO]").stdout == "[]\n"


def test_variables_of_a_program(sandbox):
    line = "python3 -c \"import os; print(os.environ['FOO'])\""
    assert sandbox.commands.run(line, envs={"FOO": "bar"}).stdout == "bar\n"


def test_variables_of_a_sandbox(new):
    one = new(envs={"FOO": "bar"})
    assert one.commands.run("echo $FOO").stdout == "bar\n"
    assert one.commands.run("echo $FOO", envs={"FOO": "own"}).stdout == "own\n"


def test_variables_of_a_command_are_nobody_elses(sandbox):
    assert sandbox.commands.run("echo $FOO", envs={"FOO": "bar"}).stdout == "bar\n"
    assert sandbox.commands.run('echo "$FOO"; cat /proc/self/environ').stdout.find("FOO") == -1


def test_there_is_no_sudo(sandbox):
    """E2B's templates have it. Here nothing that a sandbox starts may get more than it has: root is asked for by name."""
    with pytest.raises(CommandExitException) as failed:
        sandbox.commands.run("sudo true")
    assert failed.value.exit_code == 127
    assert "NoNewPrivs:\t1" in sandbox.commands.run("cat /proc/self/status").stdout


def test_a_sandbox_says_what_it_is(sandbox):
    told = sandbox.commands.run("echo $E2B_SANDBOX $E2B_SANDBOX_ID $E2B_TEMPLATE_ID").stdout
    assert told == f"true {sandbox.sandbox_id.split('-local')[0]} base\n"


@pytest.mark.parametrize("data", ["Hello, World!", "!@#$%^&*()_+", "Hello,\nWorld!", "ü"])
def test_input_is_read(sandbox, data):
    handle = sandbox.commands.run("cat", background=True, **with_stdin(sandbox))
    sandbox.commands.send_stdin(handle.pid, data)
    for stdout, _, _ in handle:
        assert stdout == data
        break
    handle.kill()


def test_input_is_bytes_or_nothing(sandbox):
    if not hasattr(sandbox.commands, "close_stdin"):
        pytest.skip("this version of the client takes text only")
    handle = sandbox.commands.run("cat", background=True, stdin=True)
    for data in [b"", b"Hello, \xc3", b"\xbc", ""]:
        sandbox.commands.send_stdin(handle.pid, data)
    sandbox.commands.close_stdin(handle.pid)
    assert handle.wait().stdout == "Hello, ü"


def test_input_is_closed(sandbox):
    if not hasattr(sandbox.commands, "close_stdin"):
        pytest.skip("this version of the client cannot")
    handle = sandbox.commands.run("cat", background=True, stdin=True)
    handle.send_stdin("Hello, ")
    handle.send_stdin("World!")
    handle.close_stdin()
    assert handle.wait().stdout == "Hello, World!"


def test_input_is_streamed(sandbox):
    if not hasattr(sandbox.commands, "stream_input"):
        pytest.skip("this version of the client cannot")
    handle = sandbox.commands.run("cat", background=True, stdin=True)
    pieces = [f"{n}\n" for n in range(200)]
    sandbox.commands.stream_input(handle.pid, pieces)
    handle.close_stdin()
    assert handle.wait().stdout == "".join(pieces)


def test_without_input_it_is_at_its_end(sandbox):
    if not with_stdin(sandbox):
        pytest.skip("this version of the client always has input open")
    assert sandbox.commands.run("cat; echo over").stdout == "over\n"


def test_one_that_runs_is_connected_to(sandbox):
    handle = sandbox.commands.run("sleep 1; echo later", background=True)
    again = sandbox.commands.connect(handle.pid)
    assert again.pid == handle.pid
    assert again.wait().stdout == "later\n"


def test_one_that_is_not_there_is_not_connected_to(sandbox):
    with pytest.raises(NotFoundException):
        sandbox.commands.connect(999999)


def test_a_client_that_goes_ends_nothing(sandbox):
    handle = sandbox.commands.run("sleep 1; echo done > went.txt", background=True)
    handle.disconnect()
    time.sleep(2)
    assert sandbox.files.read("went.txt") == "done\n"


def test_those_that_run_are_listed(sandbox):
    first = sandbox.commands.run("sleep 20", background=True)
    second = sandbox.commands.run("sleep 20", background=True)
    listed = {process.pid: process for process in sandbox.commands.list()}
    assert {first.pid, second.pid} <= listed.keys()
    assert (listed[first.pid].cmd, listed[first.pid].args) == ("/bin/bash", ["-l", "-c", "sleep 20"])
    assert first.kill() and second.kill()
    assert first.pid not in [process.pid for process in sandbox.commands.list()]


def test_one_is_killed(sandbox):
    handle = sandbox.commands.run("sleep 20", background=True)
    assert sandbox.commands.kill(handle.pid)
    with pytest.raises(CommandExitException):
        sandbox.commands.run(f"kill -0 {handle.pid}")
    with pytest.raises(CommandExitException) as killed:
        handle.wait()
    assert killed.value.exit_code == -1


def test_one_that_is_not_there_is_not_killed(sandbox):
    assert not sandbox.commands.kill(999999)


def test_many_one_after_another_leave_nothing(sandbox):
    for n in range(300):
        assert sandbox.commands.run(f"echo {n}").stdout == f"{n}\n"


def test_the_end_of_the_sandbox_is_told(new):
    one = new(timeout=60)
    handle = one.commands.run("sleep 60", background=True)
    one.kill()
    with pytest.raises(TimeoutException, match="killed|timeout"):
        handle.wait()
    with pytest.raises(TimeoutException):
        one.commands.run("true")


def test_nobody_else_is_there(sandbox):
    with pytest.raises(Exception, match="user"):
        sandbox.commands.run("true", user="somebody")


def with_stdin(sandbox):
    """What asks for open input, where it is not always open."""
    import inspect

    takes = "stdin" in inspect.signature(sandbox.commands._start).parameters
    return {"stdin": True} if takes else {}
