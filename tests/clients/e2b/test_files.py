"""Files: written, read, told of, moved, removed; signed addresses."""

import inspect
import io
import json
import urllib.error
import urllib.request
import uuid

import pytest
from e2b import InvalidArgumentException, NotFoundException, SandboxException

try:
    from e2b import FileType
except ImportError:
    from e2b.sandbox.filesystem.filesystem import FileType


def name():
    return f"t-{uuid.uuid4()}"


def needs(sandbox, method, option):
    if option not in inspect.signature(getattr(sandbox.files, method)).parameters:
        pytest.skip(f"this version of the client has no {option}")


@pytest.mark.parametrize("data", ["text", b"bytes", "", "ü\n", "x" * 300_000])
def test_what_is_written_is_read(sandbox, data):
    path = name()
    info = sandbox.files.write(path, data)
    # Versions of 2025 tell the type as text.
    kind = getattr(info.type, "value", info.type)
    assert (info.path, info.name, kind) == (f"/home/user/{path}", path, "file")
    assert sandbox.files.exists(path)
    expected = data if isinstance(data, str) else data.decode()
    assert sandbox.files.read(path) == expected
    assert sandbox.files.read(path, format="bytes") == bytearray(expected.encode())


@pytest.mark.parametrize("data", [io.BytesIO(b"of a file"), io.StringIO("of a file")])
def test_what_is_read_from_a_file_is_written(sandbox, data):
    path = name()
    sandbox.files.write(path, data)
    assert sandbox.files.read(path) == "of a file"


def test_it_is_written_over(sandbox):
    path = name()
    sandbox.files.write(path, "a longer text")
    sandbox.files.write(path, "short")
    assert sandbox.files.read(path) == "short"


def test_folders_above_are_made(sandbox):
    path = f"{name()}/a/b.txt"
    sandbox.files.write(path, "below")
    assert sandbox.files.read(path) == "below"


def test_many_are_written_at_once(sandbox):
    many = getattr(sandbox.files, "write_files", None)
    if many is None:
        pytest.skip("this version of the client cannot")
    assert many([]) == []
    folder = name()
    files = [{"path": f"{folder}/{n} ü;\"x.txt", "data": f"file {n}"} for n in range(10)]
    infos = many(files)
    assert [info.path for info in infos] == [f"/home/user/{file['path']}" for file in files]
    for file in files:
        assert sandbox.files.read(file["path"]) == file["data"]


def test_many_of_different_kinds_are_written_at_once(sandbox):
    if not hasattr(sandbox.files, "write_files"):
        pytest.skip("this version of the client cannot")
    folder = name()
    kinds = ["text", b"bytes", io.BytesIO(b"of bytes"), io.StringIO("of text")]
    files = [{"path": f"{folder}/{n}", "data": data} for n, data in enumerate(kinds)]
    assert len(sandbox.files.write_files(files)) == len(kinds)
    read = [sandbox.files.read(file["path"]) for file in files]
    assert read == ["text", "bytes", "of bytes", "of text"]


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("make", [bytes, io.BytesIO, lambda data: io.StringIO(data.decode())])
def test_plain_bytes_are_written_as_a_stream(sandbox, make, packed):
    needs(sandbox, "write", "use_octet_stream")
    path, data = name(), "streamed ü ".encode() * 20_000
    info = sandbox.files.write(path, make(data), use_octet_stream=True, gzip=packed)
    assert info.path == f"/home/user/{path}"
    assert sandbox.files.read(path, format="bytes") == data


def test_a_large_file_comes_back(sandbox):
    path = name()
    data = bytes(range(256)) * 40_000
    sandbox.files.write(path, data)
    got = b"".join(sandbox.files.read(path, format="stream"))
    assert got == data


def test_gzip_goes_both_ways(sandbox):
    needs(sandbox, "write", "gzip")
    path, text = name(), "packed " * 20_000
    sandbox.files.write(path, text, gzip=True)
    assert sandbox.files.read(path) == text
    assert sandbox.files.read(path, gzip=True) == text
    assert sandbox.files.read(path, format="bytes", gzip=True) == text.encode()
    assert b"".join(sandbox.files.read(path, format="stream", gzip=True)) == text.encode()


def test_many_are_packed(sandbox):
    needs(sandbox, "write_files" if hasattr(sandbox.files, "write_files") else "write", "gzip")
    files = [{"path": name(), "data": f"file {n}"} for n in range(3)]
    assert len(sandbox.files.write_files(files, gzip=True)) == 3
    assert [sandbox.files.read(file["path"]) for file in files] == ["file 0", "file 1", "file 2"]


def test_a_stream_may_be_left(sandbox):
    path = name()
    sandbox.files.write(path, "much " * 100_000)
    stream = sandbox.files.read(path, format="stream")
    assert next(iter(stream))
    if hasattr(stream, "close"):
        stream.close()
    assert sandbox.files.exists(path)


def test_an_empty_file_is_read(sandbox):
    path = name()
    sandbox.commands.run(f"touch {path}")
    assert sandbox.files.read(path) == ""


def test_a_stream_is_closed_by_its_block(sandbox):
    path, text = name(), "much " * 100_000
    sandbox.files.write(path, text)
    stream = sandbox.files.read(path, format="stream")
    if not hasattr(stream, "__enter__"):
        pytest.skip("this version of the client has no block for it")
    with stream:
        assert b"".join(stream).decode() == text


@pytest.mark.parametrize("form", ["text", "bytes", "stream"])
def test_one_that_is_not_there_is_not_read(sandbox, form):
    with pytest.raises(NotFoundException):
        list(sandbox.files.read(name(), format=form))


def test_a_folder_is_not_read_nor_written_over(sandbox):
    path = name()
    sandbox.files.make_dir(path)
    with pytest.raises(InvalidArgumentException):
        sandbox.files.read(path)
    with pytest.raises(InvalidArgumentException):
        sandbox.files.write(path, "x")


def test_what_may_not_be_written_is_told(sandbox):
    with pytest.raises(SandboxException):
        sandbox.files.write("/etc/of-root", "x")


def test_paths_may_begin_at_home(sandbox):
    path = name()
    sandbox.files.write(f"~/{path}", "at home")
    assert sandbox.files.read(f"./x/../{path}") == "at home"
    assert sandbox.files.read(f"/home/user/{path}") == "at home"
    assert sandbox.commands.run(f"cat ~/{path}").stdout == "at home"


def test_folders_are_made_once(sandbox):
    path = f"{name()}/below"
    assert sandbox.files.make_dir(path)
    assert sandbox.files.exists(path)
    assert not sandbox.files.make_dir(path)


def test_a_file_is_renamed(sandbox):
    old, new = name(), f"{name()}/{name()}"
    sandbox.files.write(old, "moved")
    assert sandbox.files.rename(old, new).path == f"/home/user/{new}"
    assert not sandbox.files.exists(old)
    assert sandbox.files.read(new) == "moved"


def test_one_that_is_not_there_is_not_renamed(sandbox):
    with pytest.raises(NotFoundException):
        sandbox.files.rename(name(), name())


def test_it_is_removed_and_once_more(sandbox):
    path = name()
    sandbox.files.write(f"{path}/a", "x")
    sandbox.files.remove(path)
    assert not sandbox.files.exists(path)
    sandbox.files.remove(path)


def test_a_folder_is_listed(sandbox):
    folder = name()
    sandbox.files.write(f"{folder}/file.txt", "Hello, World!")
    sandbox.files.make_dir(f"{folder}/sub1/sub11")
    sandbox.files.make_dir(f"{folder}/sub2")
    entries = sandbox.files.list(folder)
    assert [(entry.name, entry.type, entry.path) for entry in entries] == [
        ("file.txt", FileType.FILE, f"/home/user/{folder}/file.txt"),
        ("sub1", FileType.DIR, f"/home/user/{folder}/sub1"),
        ("sub2", FileType.DIR, f"/home/user/{folder}/sub2"),
    ]
    with pytest.raises(NotFoundException):
        sandbox.files.list(name())


def test_a_folder_is_listed_to_a_depth(sandbox):
    needs(sandbox, "list", "depth")
    folder = name()
    sandbox.files.make_dir(f"{folder}/sub1/sub11/sub111")
    names = {depth: [entry.name for entry in sandbox.files.list(folder, depth=depth)] for depth in (1, 2, 3, 9)}
    assert names == {
        1: ["sub1"],
        2: ["sub1", "sub11"],
        3: ["sub1", "sub11", "sub111"],
        9: ["sub1", "sub11", "sub111"],
    }
    with pytest.raises(Exception, match="at least 1"):
        sandbox.files.list(folder, depth=0)


def test_entries_are_told_of_in_a_list(sandbox):
    folder = name()
    sandbox.files.write(f"{folder}/file.txt", "test")
    sandbox.files.make_dir(f"{folder}/sub")
    file, sub = sandbox.files.list(folder)
    if not hasattr(file, "permissions"):
        pytest.skip("this version of the client knows less of them")
    told = [(one.type, one.mode, one.permissions, one.owner, one.group) for one in (file, sub)]
    assert told == [
        (FileType.FILE, 0o644, "-rw-r--r--", "user", "user"),
        (FileType.DIR, 0o755, "drwxr-xr-x", "user", "user"),
    ]
    assert file.size == 4 and file.modified_time is not None and sub.modified_time is not None
    with pytest.raises(InvalidArgumentException):
        sandbox.files.list(f"{folder}/file.txt")


def test_an_entry_is_told_of(sandbox):
    if not hasattr(sandbox.files, "get_info"):
        pytest.skip("this version of the client cannot")
    folder = name()
    sandbox.files.write(f"{folder}/file.txt", "test")
    info = sandbox.files.get_info(f"{folder}/file.txt")
    assert (info.name, info.type, info.size) == ("file.txt", FileType.FILE, 4)
    assert (info.mode, info.permissions, info.owner, info.group) == (0o644, "-rw-r--r--", "user", "user")
    assert info.modified_time is not None and info.symlink_target is None
    info = sandbox.files.get_info(folder)
    assert (info.type, info.mode, info.permissions, info.owner) == (FileType.DIR, 0o755, "drwxr-xr-x", "user")
    assert sandbox.files.get_info("/etc/passwd").owner == "root"
    with pytest.raises(NotFoundException):
        sandbox.files.get_info(name())


def test_a_link_is_what_it_leads_to(sandbox):
    if not hasattr(sandbox.files, "get_info"):
        pytest.skip("this version of the client cannot")
    folder = name()
    sandbox.files.write(f"{folder}/file.txt", "test")
    sandbox.commands.run("ln -s file.txt link; ln -s link again; ln -s nowhere lost", cwd=folder)
    for link in ("link", "again"):
        info = sandbox.files.get_info(f"{folder}/{link}")
        assert (info.type, info.symlink_target) == (FileType.FILE, f"/home/user/{folder}/file.txt")
    assert len(sandbox.files.list(folder)) >= 3


@pytest.fixture(scope="module")
def secured():
    from conftest import make

    one = make(timeout=100, secure=True)
    yield one
    one.kill()


def get(url):
    with urllib.request.urlopen(url) as answer:
        return answer.status, answer.read().decode()


@pytest.mark.parametrize("options", [{}, {"use_signature_expiration": 120}])
def test_a_signed_address_is_read(secured, options):
    secured.files.write("signed.txt", "signed")
    assert get(secured.download_url("signed.txt", "user", **options)) == (200, "signed")
    assert get(secured.download_url("signed.txt", **options)) == (200, "signed")


def test_a_signed_address_is_written(secured):
    boundary = "xyz"
    part = f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="any"\r\n\r\nup\r\n--{boundary}--\r\n'
    request = urllib.request.Request(secured.upload_url("up.txt"), data=part.encode(), method="POST")
    request.add_header("Content-Type", f"multipart/form-data; boundary={boundary}")
    assert get(request)[0] == 200
    assert secured.files.read("up.txt") == "up"


def refused(url):
    with pytest.raises(urllib.error.HTTPError) as refusal:
        urllib.request.urlopen(url)
    return refusal.value.code, json.loads(refusal.value.read())


def test_a_signature_ends(secured):
    secured.files.write("signed.txt", "signed")
    url = secured.download_url("signed.txt", "user", use_signature_expiration=-120)
    assert refused(url) == (401, {"code": 401, "message": "signature is already expired"})


def test_a_signature_is_of_one_file_and_one_use(secured):
    url = secured.download_url("signed.txt", "user")
    for other in [url.replace("signed.txt", "up.txt"), url.replace("v1_", "v1_A"), url + "&signature_expiration=9999999999"]:
        assert refused(other)[0] == 401, other
    request = urllib.request.Request(url, data=b"x", method="POST")
    assert refused(request)[0] == 401


def test_a_secured_sandbox_wants_its_token(secured):
    url = secured.download_url("signed.txt").split("?")[0] + "?path=signed.txt"
    bare = urllib.request.Request(url, headers={"E2b-Sandbox-Id": secured.sandbox_id})
    assert refused(bare)[0] == 401
    wrong = {"E2b-Sandbox-Id": secured.sandbox_id, "X-Access-Token": "0" * 64}
    assert refused(urllib.request.Request(url, headers=wrong))[0] == 401
