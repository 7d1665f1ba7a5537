"""Pauses, snapshots and forks with E2B's own client, unchanged, against a service whose engine can save VMs. Sandboxes are
emulated where the tests usually run, so a few of them are used for much."""

import os
import time

import pytest
from e2b import Sandbox
from e2b.exceptions import NotFoundException, SandboxException
from e2b.sandbox.sandbox_api import SandboxQuery, SandboxState

TEMPLATE = os.environ.get("E2B_TEST_TEMPLATE", "base")
# Counts, and says so, until it is told to stop.
COUNTER = "n=0; while [ ! -e /tmp/stop ]; do n=$((n+1)); echo $n > /tmp/count; sleep 0.05; done; echo stopped at $n"


@pytest.fixture
def new():
    """Makes sandboxes of a test's own, and ends them with it."""
    made = []

    def factory(template=TEMPLATE, **options):
        made.append(Sandbox.create(template, **{"timeout": 600, **options}))
        return made[-1]

    yield factory
    for one in made:
        one.kill()


def states(*wanted):
    return [one.sandbox_id for one in Sandbox.list(query=SandboxQuery(state=list(wanted))).next_items()]


def count(sandbox):
    return int(sandbox.files.read("/tmp/count"))


def until(what, seconds=60):
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_a_pause_keeps_memory_and_files(new):
    sandbox = new(metadata={"is": "paused"})
    sandbox.files.write("/home/user/kept.txt", "kept")
    command = sandbox.commands.run(COUNTER, background=True, timeout=0)
    # One that reads, in the middle of a line.
    reader = sandbox.commands.run("read line; echo got $line", background=True, stdin=True, timeout=0)
    sandbox.commands.send_stdin(reader.pid, "in two ")
    until(lambda: sandbox.files.exists("/tmp/count") and count(sandbox) > 3)
    before = count(sandbox)

    assert sandbox.pause()
    assert not sandbox.is_running()
    assert not sandbox.pause(), "409: it is paused"
    assert sandbox.sandbox_id in states(SandboxState.PAUSED)
    assert sandbox.sandbox_id not in states(SandboxState.RUNNING)
    info = sandbox.get_info()
    assert info.state == SandboxState.PAUSED and info.metadata == {"is": "paused"}

    again = Sandbox.connect(sandbox.sandbox_id, timeout=600)
    assert again.sandbox_id == sandbox.sandbox_id and sandbox.is_running()
    assert sandbox.get_info().state == SandboxState.RUNNING
    assert sandbox.sandbox_id in states(SandboxState.RUNNING)
    assert sandbox.files.read("/home/user/kept.txt") == "kept"
    # The old token counts, the processes go on under their numbers, and one that starts now is another.
    assert {one.pid for one in sandbox.commands.list()} == {command.pid, reader.pid}
    until(lambda: count(sandbox) > before)
    sandbox.commands.send_stdin(reader.pid, "halves\n")
    assert again.commands.connect(reader.pid).wait().stdout == "got in two halves\n"
    sandbox.files.write("/tmp/stop", "")
    assert again.commands.connect(command.pid).wait().stdout.startswith("stopped at ")
    # Its clock is right.
    assert abs(int(sandbox.commands.run("date +%s").stdout) - time.time()) < 30


def test_a_paused_sandbox_is_killed(new):
    sandbox = new()
    sandbox.pause()
    assert sandbox.kill()
    assert sandbox.sandbox_id not in states(SandboxState.PAUSED, SandboxState.RUNNING)
    with pytest.raises(NotFoundException):
        Sandbox.connect(sandbox.sandbox_id)


def test_what_is_not_kept_is_refused(new):
    sandbox = new()
    with pytest.raises(SandboxException, match="disk is its memory"):
        sandbox.pause(keep_memory=False)
    assert sandbox.is_running()


def test_snapshots_make_sandboxes_of_their_own(new):
    sandbox = new(envs={"FROM": "first"})
    sandbox.files.write("/home/user/state.txt", "before")
    command = sandbox.commands.run(COUNTER, background=True, timeout=0)
    snapshot = sandbox.create_snapshot(name="walking")
    try:
        assert snapshot.names == ["walking"]
        assert sandbox.is_running() and command.pid in {one.pid for one in sandbox.commands.list()}
        assert [one.snapshot_id for one in Sandbox.list_snapshots(sandbox_id=sandbox.sandbox_id).next_items()] == [
            snapshot.snapshot_id
        ]
        assert Sandbox.list_snapshots(name="another").next_items() == []
        copies = [new(snapshot.snapshot_id), new("walking", envs={"MORE": "second"})]
        for copy in copies:
            assert copy.files.read("/home/user/state.txt") == "before"
            assert command.pid in {one.pid for one in copy.commands.list()}
        copies[0].files.write("/home/user/state.txt", "after")
        assert copies[1].files.read("/home/user/state.txt") == "before"
        everybody = [sandbox, *copies]
        asked = "cat /proc/sys/kernel/random/uuid; hostname; cat /proc/sys/kernel/random/boot_id; echo $FROM $MORE"
        said = [one.commands.run(asked).stdout.split("\n") for one in everybody]
        for place, what in enumerate(["randomness", "host name", "boot's id"]):
            assert len({lines[place] for lines in said}) == 3, what
        assert [lines[3] for lines in said] == ["first", "first", "first second"]
        assert len({one.sandbox_id for one in everybody}) == 3
        assert len({one._envd_access_token for one in everybody}) == 3
    finally:
        assert Sandbox.delete_snapshot(snapshot.snapshot_id)
    assert not Sandbox.delete_snapshot(snapshot.snapshot_id)
    with pytest.raises(SandboxException, match="not found"):
        Sandbox.create(snapshot.snapshot_id)


def test_forks_go_their_own_ways(new):
    sandbox = new()
    sandbox.files.write("/home/user/state.txt", "before fork")
    command = sandbox.commands.run("sleep 1000", background=True, timeout=0)
    forks = sandbox.fork(count=2, timeout=300)
    try:
        assert all(isinstance(fork, Sandbox) for fork in forks)
        assert len({sandbox.sandbox_id, *(fork.sandbox_id for fork in forks)}) == 3
        assert sandbox.is_running()
        for one in [sandbox, *forks]:
            assert [process.pid for process in one.commands.list()] == [command.pid]
        forks[0].files.write("/home/user/state.txt", "in the fork")
        assert [one.files.read("/home/user/state.txt") for one in [sandbox, forks[1]]] == ["before fork"] * 2
        assert Sandbox.list_snapshots().next_items() == []
    finally:
        for fork in forks:
            fork.kill()


def test_a_time_that_is_up_pauses_and_a_use_resumes(new):
    sandbox = new(timeout=5, lifecycle={"on_timeout": "pause", "auto_resume": True})
    assert sandbox.get_info().lifecycle == {"on_timeout": "pause", "auto_resume": True}
    until(lambda: sandbox.sandbox_id in states(SandboxState.PAUSED))
    assert sandbox.commands.run("echo here").stdout == "here\n"
    assert sandbox.sandbox_id in states(SandboxState.RUNNING)
