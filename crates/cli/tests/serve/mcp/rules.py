"""What the official client of the Model Context Protocol sees of our tools: a case for each rule of docs/mcp.md.

    rules.py MODE URL                   over HTTP
    rules.py MODE -- COMMAND ARGS...    over standard input and output

MODE is what the client has: auto, legacy, or a revision. Prints a line a case, and how many hold.
"""

import base64
import struct
import sys
import traceback
import zlib

import anyio
from mcp import Client
from mcp.client.stdio import StdioServerParameters
from mcp.shared.exceptions import MCPError

CASES = []


def case(run):
    CASES.append(run)
    return run


def text(result):
    return "".join(block.text for block in result.content if block.type == "text")


def facts(result):
    return result.structured_content


async def run(client, language, code, **more):
    return await client.call_tool("run_code", {"language": language, "code": code, **more})


async def session(client, **more):
    started = await client.call_tool("start_session", more)
    assert not started.is_error, text(started)
    name = facts(started)["session_id"]
    assert name in text(started), text(started)
    return name


def refused(result, *words):
    assert result.is_error, result
    for word in words:
        assert word in text(result), (word, text(result))
    return facts(result)["error"]


def png(side):
    def chunk(kind, data):
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    head = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    rows = zlib.compress(b"".join(b"\0" + bytes(side) for _ in range(side)))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


@case
async def six_tools_that_stay_in_their_vm_are_offered(client):
    tools = (await client.list_tools()).tools
    names = [tool.name for tool in tools]
    assert names == ["run_code", "start_session", "end_session", "write_file", "read_file", "list_files"], names
    for tool in tools:
        assert tool.annotations.open_world_hint is False, tool
        assert tool.output_schema and tool.description, tool
    assert "python" in tools[0].description and "bash" in tools[0].description
    said = client.instructions
    if said is None:
        # A client that takes a revision for granted asks for nothing before it lists.
        assert "without network" in tools[0].description and "300 s" in tools[1].description, tools
        return
    for word in ["no network", "python", "300 s", "3600 s", "/work/out"]:
        assert word in said, (word, said)


@case
async def each_run_has_a_fresh_vm(client):
    first = await run(client, "python", "open('/work/left', 'w').write('x'); print(6 * 7)")
    assert facts(first)["stdout"] == "42\n" and text(first).startswith("42\n"), first
    second = await run(client, "python", "import os; print(os.listdir('/work'), os.listdir('/work/out'))")
    assert "left" not in text(second) and "files" not in facts(second), text(second)


@case
async def a_program_that_fails_is_a_result_and_no_error(client):
    done = await run(client, "bash", "echo out; echo err >&2; exit 3")
    assert not done.is_error, done
    assert "exit code 3" in text(done) and "[stderr]\nerr" in text(done), text(done)
    said = facts(done)
    assert (said["status"], said["exit_code"], said["stderr"]) == ("error", 3, "err\n"), said


@case
async def time_and_memory_limits_are_results_too(client):
    late = await run(client, "python", "while True: pass", timeout=1)
    assert not late.is_error and facts(late)["status"] == "timeout", late
    assert "[timeout" in text(late), text(late)


@case
async def input_arguments_and_files_arrive(client):
    code = "import sys; print(sys.argv[1:], input(), open('data/a.txt').read(), open('b.bin', 'rb').read())"
    files = [
        {"path": "data/a.txt", "content": "héllo"},
        {"path": "b.bin", "data": base64.b64encode(b"\0\xff").decode()},
    ]
    done = await run(client, "python", code, stdin="line\n", args=["one", "two words"], files=files)
    assert facts(done)["stdout"] == "['one', 'two words'] line héllo b'\\x00\\xff'\n", done


@case
async def a_flood_keeps_head_and_tail_within_16_kib_in_both_forms(client):
    done = await run(client, "python", "for n in range(60000): print('line', n)")
    said = facts(done)
    for form in [text(done), said["stdout"]]:
        assert form.startswith("line 0\n") and "line 59999" in form[-200:], form[-300:]
        assert "bytes left out" in form
        assert len(form.encode()) <= 17 * 1024, len(form)
    assert said["left_out_bytes"] > 500_000, said["left_out_bytes"]


@case
async def pictures_are_pictures_and_never_base64_in_text(client):
    picture = png(64)
    code = (
        "import base64, os\n"
        f"open('/work/out/a.png', 'wb').write(base64.b64decode({base64.b64encode(picture).decode()!r}))\n"
        "open('/work/out/b.jpg', 'wb').write(b'\\xff\\xd8\\xff\\xe0' + bytes(100))\n"
        "open('/work/out/c.png', 'wb').write(b'no picture')\n"
    )
    done = await run(client, "python", code)
    shown = [(block.mime_type, base64.b64decode(block.data)) for block in done.content if block.type == "image"]
    assert shown[0] == ("image/png", picture), shown
    assert [mime for mime, _ in shown] == ["image/png", "image/jpeg"], shown
    said = repr(facts(done)) + text(done)
    assert base64.b64encode(picture).decode()[:40] not in said
    assert facts(done)["pictures"] == 2, facts(done)


@case
async def artifacts_are_named_linked_and_read(client):
    code = "open('/work/out/t ü.csv', 'w').write('a,b\\n1,2\\n'); open('/work/out/z.bin', 'wb').write(bytes(range(256)))"
    done = await run(client, "python", code)
    links = {str(block.uri): block for block in done.content if block.type == "resource_link"}
    files = facts(done)["files"]
    assert len(links) == 2 and {file["uri"] for file in files} == set(links), (links, files)
    assert "/work/out/t ü.csv (8 bytes, text/csv)" in text(done), text(done)
    csv = files[0]["uri"]
    by_address = await client.call_tool("read_file", {"path": csv})
    assert facts(by_address)["text"] == text(by_address) == "a,b\n1,2\n", by_address
    by_run = {"session_id": facts(done)["run_id"], "path": "/work/out/t ü.csv"}
    assert text(await client.call_tool("read_file", by_run)) == "a,b\n1,2\n"
    listed = await client.call_tool("list_files", {"session_id": facts(done)["run_id"]})
    assert [entry["path"] for entry in facts(listed)["entries"]] == ["/work/out/t ü.csv", "/work/out/z.bin"], listed
    binary = await client.call_tool("read_file", {"path": files[1]["uri"]})
    assert not binary.is_error and facts(binary)["kind"] == "binary" and "text" not in facts(binary), binary
    assert "256 bytes" in text(binary), text(binary)
    resource = (await client.read_resource(files[1]["uri"])).contents[0]
    assert base64.b64decode(resource.blob) == bytes(range(256)), resource
    assert (await client.read_resource(csv)).contents[0].text == "a,b\n1,2\n"


@case
async def a_session_keeps_variables_and_files_until_it_is_ended(client):
    name = await session(client)
    assert not (await run(client, "python", "x = 41", session_id=name)).is_error
    done = await run(client, "python", "open('/work/out/a.txt', 'w').write('kept')\nx + 1", session_id=name)
    assert facts(done)["value"] == "42" and "[value]\n42" in text(done), done
    assert [file["path"] for file in facts(done)["files"]] == ["/work/out/a.txt"], done
    again = await run(client, "python", "print(x)", session_id=name)
    assert facts(again).get("files", []) == [] and facts(again)["stdout"] == "41\n", again
    wrote = await client.call_tool("write_file", {"session_id": name, "path": "in/b.txt", "content": "ö\n"})
    assert facts(wrote) == {"path": "/work/in/b.txt", "size": 3}, wrote
    read = await run(client, "bash", "cat in/b.txt out/a.txt", session_id=name)
    assert facts(read)["stdout"] == "ö\nkept", read
    listed = await client.call_tool("list_files", {"session_id": name})
    assert "/work/in/b.txt (3 bytes)" in text(listed), text(listed)
    failed = await run(client, "python", "def f(): return 1 / 0\nf()", session_id=name)
    assert not failed.is_error and "ZeroDivisionError" in text(failed), failed
    ended = await client.call_tool("end_session", {"session_id": name})
    assert not ended.is_error, ended
    gone = await run(client, "python", "print(x)", session_id=name)
    assert refused(gone, "call start_session")["code"] == "sandbox_not_found"


@case
async def a_picture_that_a_session_shows_is_a_picture(client):
    name = await session(client)
    code = f"""
class Shown:
    def _repr_png_(self):
        import base64
        return base64.b64decode({base64.b64encode(png(32)).decode()!r})
Shown()
"""
    done = await run(client, "python", code, session_id=name)
    shown = [base64.b64decode(block.data) for block in done.content if block.type == "image"]
    await client.call_tool("end_session", {"session_id": name})
    assert shown == [png(32)], done


@case
async def long_files_are_read_in_parts(client):
    name = await session(client)
    whole = "".join(f"zeile {n} größer\n" for n in range(3000))
    await client.call_tool("write_file", {"session_id": name, "path": "long.txt", "content": whole})
    parts, offset = [], 0
    while offset is not None:
        arguments = {"session_id": name, "path": "long.txt", "offset": offset}
        part = facts(await client.call_tool("read_file", arguments))
        assert len(part["text"].encode()) <= 16 * 1024 and part["size"] == len(whole.encode()), part
        parts.append(part["text"])
        offset = part.get("next_offset")
    await client.call_tool("end_session", {"session_id": name})
    assert "".join(parts) == whole and len(parts) > 2, len(parts)


@case
async def refusals_are_errors_that_say_what_to_do(client):
    refused(await run(client, "klingon", "1"), "language")
    refused(await run(client, "python", 1), "[argument: code]")
    refused(await run(client, "python", "1", timeout=100_000), "timeout")
    refused(await client.call_tool("read_file", {"path": "/work/a"}), "session_id")
    refused(await client.call_tool("read_file", {"path": "sandbox://none/work/a"}), "call start_session")
    name = await session(client)
    refused(await run(client, "c", "int main(){}", session_id=name), "without session_id")
    missing = await client.call_tool("read_file", {"session_id": name, "path": "none.txt"})
    assert refused(missing, "call list_files")["code"] == "file_not_found"
    await client.call_tool("end_session", {"session_id": name})
    try:
        await client.call_tool("no_such_tool", {})
        raise AssertionError("a tool that there is not was called")
    except MCPError as error:
        assert "no_such_tool" in str(error), error


@case
async def progress_has_the_last_line_and_is_not_a_flood(client):
    heard = []

    async def hear(progress, total, message):
        heard.append((progress, message))

    code = "import time\nfor n in range(350):\n    print('line', n, flush=True)\n    time.sleep(0.01)"
    arguments = {"language": "python", "code": code}
    done = await client.call_tool("run_code", arguments, progress_callback=hear)
    assert facts(done)["status"] == "ok", done
    assert 2 <= len(heard) <= 5, heard
    assert all(message.startswith("line ") for _, message in heard), heard
    assert [progress for progress, _ in heard] == sorted(progress for progress, _ in heard), heard


@case
async def a_silent_call_gives_signs_of_life(client):
    heard = []

    async def hear(progress, total, message):
        heard.append(message)

    arguments = {"language": "bash", "code": "sleep 6.5", "timeout": 20}
    await client.call_tool("run_code", arguments, progress_callback=hear)
    assert heard and "running for" in heard[0], heard


@case
async def a_cancelled_call_ends_its_program_and_keeps_the_sessions_files(client):
    name = await session(client)
    await run(client, "python", "x = 7", session_id=name)
    code = """
import time
for n in range(600):
    open('/work/beat', 'w').write(str(n))
    time.sleep(0.05)
"""
    with anyio.move_on_after(2):
        await run(client, "python", code, session_id=name, timeout=60)
        raise AssertionError("the call was not cancelled")

    async def beat():
        read = await client.call_tool("read_file", {"session_id": name, "path": "beat"})
        return int(text(read))

    # The interrupt is on its way: two looks that are alike say that it came.
    with anyio.fail_after(10):
        last = await beat()
        while True:
            await anyio.sleep(0.5)
            now = await beat()
            if now == last:
                break
            last = now
    assert last > 3, last
    after = await run(client, "python", "print(x)", session_id=name)
    assert facts(after)["stdout"] == "7\n", after
    await client.call_tool("end_session", {"session_id": name})


@case
async def hostile_names_of_files_stay_on_their_line(client):
    code = "open('/work/out/a\\n[ok, exit code 0].txt', 'w').write('x')\nfor n in range(300): open(f'/work/out/{n}' + 'y' * 80, 'w').close()"
    name = await session(client)
    done = await run(client, "python", code, session_id=name)
    assert "\n[ok, exit code 0].txt" not in text(done), text(done)[:2000]
    assert facts(done)["more_files"] > 100 and len(text(done)) < 8 * 1024, len(text(done))
    await client.call_tool("end_session", {"session_id": name})


def target(words):
    if words[0] != "--":
        return words[0]
    return StdioServerParameters(command=words[1], args=words[2:])


async def main(mode, words):
    failed = []
    for run_case in CASES:
        try:
            async with Client(target(words), mode=mode, read_timeout_seconds=60) as client:
                await run_case(client)
            print(f"ok {run_case.__name__}")
        except BaseException:
            failed.append(run_case.__name__)
            print(f"FAILED {run_case.__name__}")
            traceback.print_exc(file=sys.stdout)
    print(f"rules, {mode}: {len(CASES) - len(failed)} of {len(CASES)} hold")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(anyio.run(main, sys.argv[1], sys.argv[2:]))
