"""Files as Python's own functions have them: what integrations are built on."""

from __future__ import annotations

import errno
from collections.abc import Iterator

import pytest

from llm_firecracker import Client, ReadTooLarge, Sandbox
from llm_firecracker._sync import native

pytestmark = pytest.mark.service

TREE = """
cd /work
mkdir -p dir/sub && ln -s dir link && ln -s loop2 loop1 && ln -s loop1 loop2 && ln -s nothing dangling
echo text > file && ln -s ../file dir/up && ln -s /dev/zero zero && mkfifo fifo
echo '#!/bin/sh' > script && chmod 750 script && echo secret > locked && chmod 000 locked
"""


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Client() as client, client.sandbox(image="agent") as sandbox:
        assert sandbox.commands.run(TREE).ok
        yield sandbox


@pytest.mark.parametrize(
    "path, real",
    [
        ("/work/link/sub", "/work/dir/sub"),
        ("/work/link/../x", "/work/x"),
        ("/work/link/up", "/work/file"),
        ("/work/dangling", "/work/nothing"),
        ("/work/no/such/./thing", "/work/no/such/thing"),
        ("/../../work", "/work"),
        ("/", "/"),
    ],
)
def test_links_are_followed(sandbox: Sandbox, path: str, real: str) -> None:
    assert native.resolve(sandbox, path) == real


@pytest.mark.parametrize(
    "path, number",
    [
        ("/work/nothing-here", errno.ENOENT),
        ("/work/dir", errno.EISDIR),
        ("/work/file/below", errno.ENOTDIR),
        ("/work/locked", errno.EACCES),
        ("/work/loop1", errno.ELOOP),
        ("/work/zero", errno.EINVAL),
        ("/work/fifo", errno.EINVAL),
    ],
)
def test_errors_of_reading(sandbox: Sandbox, path: str, number: int) -> None:
    with pytest.raises(OSError) as refused:
        native.with_own_errors(sandbox, path, lambda: native.read(sandbox, path))
    assert refused.value.errno == number and path in str(refused.value)


@pytest.mark.parametrize(
    "path, number",
    [
        ("/work/dir", errno.EISDIR),
        ("/work/file/below", errno.ENOTDIR),
        ("/work/locked", errno.EACCES),
        ("/etc/passwd", errno.EACCES),
        ("/work/fifo", errno.EINVAL),
        ("/work/loop1", errno.ELOOP),
    ],
)
def test_errors_of_writing(sandbox: Sandbox, path: str, number: int) -> None:
    with pytest.raises(OSError) as refused:
        native.with_own_errors(sandbox, path, lambda: native.write(sandbox, path, b"x"))
    assert refused.value.errno == number


def test_writing_goes_through_a_link_and_keeps_the_mode(sandbox: Sandbox) -> None:
    native.write(sandbox, "/work/dir/up", "through")
    assert sandbox.files.read_text("/work/file") == "through" and sandbox.files.stat("/work/dir/up").kind == "link"
    native.write(sandbox, "/work/script", "#!/bin/sh\necho ran")
    assert sandbox.files.stat("/work/script").mode == "0750"
    assert sandbox.commands.run("./script").stdout == "ran\n"
    native.write(sandbox, "/work/link/new/file", "new")
    assert native.read(sandbox, "/work/dir/new/file") == b"new"


def test_reading_has_a_bound(sandbox: Sandbox) -> None:
    sandbox.files.write("/work/large", b"x" * 1000)
    assert len(native.read(sandbox, "/work/large", 1000)) == 1000
    with pytest.raises(ReadTooLarge):
        native.read(sandbox, "/work/large", 999)
