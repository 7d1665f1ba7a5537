"""What changes in a folder, asked from time to time and streamed."""

import asyncio
import inspect
import time
import uuid

import pytest
from e2b import InvalidArgumentException, NotFoundException

try:
    from e2b import AsyncSandbox, FilesystemEventType
except ImportError:
    from e2b.sandbox.filesystem.watch_handle import FilesystemEventType


def name():
    return f"w-{uuid.uuid4()}"


def told(handle, seconds=5):
    """All that is told until nothing more comes."""
    events = []
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        new = handle.get_new_events()
        events += new
        if events and not new:
            break
        time.sleep(0.1)
    return [(event.type, event.name) for event in events]


def test_a_file_that_is_sent_is_created_and_written(sandbox):
    folder = name()
    sandbox.files.make_dir(folder)
    handle = sandbox.files.watch_dir(folder)
    sandbox.files.write(f"{folder}/a.txt", "new")
    types = [kind for kind, _ in told(handle)]
    assert types == [FilesystemEventType.CREATE, FilesystemEventType.CHMOD, FilesystemEventType.WRITE]
    sandbox.files.write(f"{folder}/a.txt", "again")
    assert (FilesystemEventType.WRITE, "a.txt") in told(handle)
    handle.stop()


def test_what_programs_do_is_told(sandbox):
    folder = name()
    sandbox.files.make_dir(folder)
    handle = sandbox.files.watch_dir(folder)
    sandbox.commands.run("echo x > a; sleep 0.1; mv a b; sleep 0.1; rm b", cwd=folder)
    events = told(handle)
    for event in [
        (FilesystemEventType.CREATE, "a"),
        (FilesystemEventType.WRITE, "a"),
        (FilesystemEventType.RENAME, "a"),
        (FilesystemEventType.CREATE, "b"),
        (FilesystemEventType.REMOVE, "b"),
    ]:
        assert event in events, events
    handle.stop()


def test_folders_below_are_watched_where_asked(sandbox):
    folder = name()
    sandbox.files.make_dir(f"{folder}/old")
    flat = sandbox.files.watch_dir(folder)
    deep = sandbox.files.watch_dir(folder, recursive=True)
    sandbox.files.make_dir(f"{folder}/new")
    sandbox.files.write(f"{folder}/old/a.txt", "x")
    sandbox.files.write(f"{folder}/new/b.txt", "x")
    events = told(deep)
    for event in [
        (FilesystemEventType.CREATE, "new"),
        (FilesystemEventType.WRITE, "old/a.txt"),
        (FilesystemEventType.WRITE, "new/b.txt"),
    ]:
        assert event in events, events
    assert {at for _, at in told(flat)} == {"new"}
    flat.stop()
    deep.stop()


def watch_with(sandbox, option):
    if option not in inspect.signature(sandbox.files.watch_dir).parameters:
        pytest.skip(f"this version of the client has no {option}")
    folder = name()
    sandbox.files.write(f"{folder}/a.txt", "old")
    return folder, sandbox.files.watch_dir(folder, **{option: True})


def test_a_change_tells_of_its_entry(sandbox):
    folder, handle = watch_with(sandbox, "include_entry")
    sandbox.files.write(f"{folder}/a.txt", "newer", metadata={"of": "watch"})
    sandbox.commands.run("mv a.txt b.txt; sleep 0.1; mkdir c; rm b.txt", cwd=folder)
    events = handle.get_new_events()
    written = next(event for event in events if event.type == FilesystemEventType.WRITE)
    assert (written.name, written.entry.path) == ("a.txt", f"/home/user/{folder}/a.txt")
    made = next(event for event in events if (event.type, event.name) == (FilesystemEventType.CREATE, "c"))
    assert (made.entry.type.value, made.entry.owner) == ("dir", "user")
    # Of what is gone there is nothing to tell.
    gone = [event for event in events if event.type in (FilesystemEventType.RENAME, FilesystemEventType.REMOVE)]
    assert len(gone) == 2 and all(event.entry is None for event in gone)
    handle.stop()


def test_a_change_tells_of_no_entry_unasked(sandbox):
    folder, handle = watch_with(sandbox, "recursive")
    sandbox.files.write(f"{folder}/a.txt", "newer")
    events = handle.get_new_events()
    assert events and all(getattr(event, "entry", None) is None for event in events)
    handle.stop()


def test_mounts_of_a_network_may_be_asked_for(sandbox):
    """There are none."""
    folder, handle = watch_with(sandbox, "allow_network_mounts")
    sandbox.files.write(f"{folder}/a.txt", "newer")
    assert (FilesystemEventType.WRITE, "a.txt") in told(handle)
    handle.stop()


def test_what_cannot_be_watched_is_said_so(sandbox):
    with pytest.raises(NotFoundException):
        sandbox.files.watch_dir(name())
    path = name()
    sandbox.files.write(path, "no folder")
    with pytest.raises(InvalidArgumentException):
        sandbox.files.watch_dir(path)


def test_a_watch_that_was_stopped_is_gone(sandbox):
    handle = sandbox.files.watch_dir("/home/user")
    handle.stop()
    with pytest.raises(Exception):
        handle.get_new_events()


def test_changes_are_streamed():
    async def streamed():
        one = await AsyncSandbox.create("base", timeout=60)
        try:
            events, came = [], asyncio.Event()

            def on_event(event):
                events.append((event.type, event.name))
                if event == FilesystemEventType.WRITE or event.name == "b.txt":
                    came.set()

            await one.files.make_dir("streamed")
            handle = await one.files.watch_dir("streamed", on_event=on_event)
            await one.files.write("streamed/a.txt", "x")
            await one.files.write("streamed/b.txt", "x")
            await asyncio.wait_for(came.wait(), 10)
            await handle.stop()
            return events
        finally:
            await one.kill()

    if not hasattr(AsyncSandbox, "create"):
        pytest.skip("this version of the client makes them otherwise")
    events = asyncio.run(streamed())
    assert (FilesystemEventType.CREATE, "a.txt") in events and (FilesystemEventType.WRITE, "a.txt") in events
