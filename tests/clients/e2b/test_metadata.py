"""What clients attach to files: it is there wherever the file is told of, goes where it goes, and ends with its content."""

import inspect
import urllib.error
import urllib.request
import uuid

import pytest
from e2b import InvalidArgumentException

PAIRS = {"author": "mish", "purpose": "a test, of ~ everything!"}


@pytest.fixture
def files(sandbox):
    if "metadata" not in inspect.signature(sandbox.files.write).parameters:
        pytest.skip("this version of the client attaches nothing")
    return sandbox.files


@pytest.fixture
def path():
    return f"m-{uuid.uuid4()}"


@pytest.mark.parametrize("plain", [False, True])
def test_it_is_told_with_the_file(files, path, plain):
    assert files.write(path, "x", metadata=PAIRS, use_octet_stream=plain).metadata == PAIRS
    assert files.get_info(path).metadata == PAIRS


def test_nothing_is_nothing(files, path):
    assert files.write(path, "x").metadata is None
    assert files.get_info(path).metadata is None


def test_each_of_many_has_it(files, path):
    many = [{"path": f"{path}/{n}", "data": f"{n}"} for n in range(3)]
    assert [info.metadata for info in files.write_files(many, metadata=PAIRS)] == [PAIRS] * 3
    assert [entry.metadata for entry in files.list(path)] == [PAIRS] * 3


def test_it_goes_where_the_file_goes(files, path):
    files.write(path, "x", metadata=PAIRS)
    assert files.rename(path, f"{path}-other").metadata == PAIRS
    assert files.get_info(f"{path}-other").metadata == PAIRS


def test_a_link_has_what_it_leads_to(files, sandbox, path):
    files.write(f"{path}/file", "x", metadata=PAIRS)
    sandbox.commands.run("ln -s file link; ln -s nowhere lost", cwd=path)
    assert {entry.name: entry.metadata for entry in files.list(path)} == {"file": PAIRS, "link": PAIRS, "lost": None}


def test_new_content_has_nothing_of_the_old(files, path):
    files.write(path, "x", metadata=PAIRS)
    assert files.write(path, "y", metadata={"author": "other"}).metadata == {"author": "other"}
    assert files.get_info(path).metadata == {"author": "other"}
    files.write(path, "z")
    assert files.get_info(path).metadata is None


def attach(sandbox, path, name, value):
    line = "import os, sys; os.setxattr(sys.argv[1], sys.argv[2], eval(sys.argv[3]))"
    sandbox.commands.run(f"python3 -c '{line}' {path} {name} \"{value}\"")


def test_what_programs_attach_is_told(files, sandbox, path):
    files.write(path, "x")
    attach(sandbox, path, "user.e2b.author", "b'mish'")
    attach(sandbox, path, "user.other", "b'of another program'")
    assert files.get_info(path).metadata == {"author": "mish"}
    files.make_dir(f"{path}-folder")
    attach(sandbox, f"{path}-folder", "user.e2b.of", "b'a folder'")
    assert files.get_info(f"{path}-folder").metadata == {"of": "a folder"}


def test_what_programs_attach_too_much_of_is_left_out(files, sandbox, path):
    files.write(path, "x")
    attach(sandbox, path, "user.e2b.bytes", "bytes([255])")
    attach(sandbox, path, "user.e2b.large", "b'x' * 5000")
    attach(sandbox, path, "user.e2b.small", "b'x'")
    assert files.get_info(path).metadata == {"small": "x"}
    for n in range(40):
        attach(sandbox, path, f"user.e2b.{n:02}", "b'x' * 500")
    assert 0 < len(files.get_info(path).metadata) <= 8
    assert path in [entry.name for entry in files.list(".")]


@pytest.mark.parametrize("wrong", [{"a b": "x"}, {"": "x"}, {"a": "x\n"}, {"a": "ü"}, {"a\n": "x"}])
def test_what_cannot_be_attached_is_refused(files, path, wrong):
    with pytest.raises(InvalidArgumentException):
        files.write(path, "x", metadata=wrong)
    assert not files.exists(path)


@pytest.mark.parametrize("headers", [{"X-Metadata-A": "x" * 4096}, {"X-Metadata-" + "a" * 247: "x"}, {"X-Metadata-A": "t\tb"}])
def test_the_service_refuses_it_too(files, sandbox, path, headers):
    if not hasattr(sandbox, "upload_url"):
        pytest.skip("this version of the client has no signed addresses")
    request = urllib.request.Request(sandbox.upload_url(path), data=b"x", method="POST", headers=headers)
    request.add_header("Content-Type", "application/octet-stream")
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request)
    assert refused.value.code == 400 and b"metadata" in refused.value.read()
    assert not files.exists(path)
