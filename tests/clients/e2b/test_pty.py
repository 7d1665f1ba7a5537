"""Terminals."""

import pytest
from e2b import CommandExitException
from e2b.sandbox.commands.command_handle import PtySize

SIZE = PtySize(rows=24, cols=80)


def ended(handle):
    pieces = []
    result = handle.wait(on_pty=pieces.append)
    return result.exit_code, b"".join(pieces).decode()


def test_a_terminal_talks(sandbox):
    terminal = sandbox.pty.create(SIZE, envs={"ABC": "1 2 3"}, cwd="/")
    sandbox.pty.send_stdin(terminal.pid, b"echo [$ABC] $PWD; tty; exit 0\n")
    code, output = ended(terminal)
    assert code == 0
    assert "[1 2 3] /" in output and "/dev/pts/" in output


def test_it_has_a_size_and_gets_another(sandbox):
    terminal = sandbox.pty.create(SIZE)
    sandbox.pty.send_stdin(terminal.pid, b"stty size; exit\n")
    assert "24 80" in ended(terminal)[1]
    terminal = sandbox.pty.create(SIZE)
    sandbox.pty.resize(terminal.pid, PtySize(rows=30, cols=100))
    sandbox.pty.send_stdin(terminal.pid, b"stty size; exit\n")
    assert "30 100" in ended(terminal)[1]


def test_it_is_connected_to(sandbox):
    if not hasattr(sandbox.pty, "connect"):
        pytest.skip("this version of the client cannot")
    terminal = sandbox.pty.create(SIZE, envs={"FOO": "bar"})
    terminal.disconnect()
    again = sandbox.pty.connect(terminal.pid)
    sandbox.pty.send_stdin(terminal.pid, b"echo [$FOO]; exit\n")
    code, output = ended(again)
    assert (code, again.pid) == (0, terminal.pid)
    assert "[bar]" in output


def test_it_is_killed(sandbox):
    terminal = sandbox.pty.create(SIZE)
    assert sandbox.pty.kill(terminal.pid)
    with pytest.raises(CommandExitException):
        sandbox.commands.run(f"kill -0 {terminal.pid}")
    assert not sandbox.pty.kill(999999)


def test_ctrl_c_reaches_what_runs(sandbox):
    terminal = sandbox.pty.create(SIZE)
    sandbox.pty.send_stdin(terminal.pid, b"sleep 100\n")
    import time

    time.sleep(1)
    sandbox.pty.send_stdin(terminal.pid, b"\x03")
    sandbox.pty.send_stdin(terminal.pid, b"exit 5\n")
    with pytest.raises(CommandExitException) as over:
        terminal.wait()
    assert over.value.exit_code == 5
