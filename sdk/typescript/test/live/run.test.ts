import assert from "node:assert/strict";
import { test } from "node:test";
import { bytesOf, isProblem, ProblemError, type RunEvent, type RunRequest } from "llm-firecracker";
import { startLocal } from "llm-firecracker/local";
import { service } from "../shared/service.ts";

const client = await service();
const python = (code: string): RunRequest => ({ language: "python", code });

test("a program's end is a result, however it ends", async () => {
  const rows: [RunRequest, Record<string, unknown>][] = [
    [python("print('hü')"), { status: "ok", exit_code: 0, stdout: "hü\n", stderr: "" }],
    [python("import sys; sys.exit('no')"), { status: "error", exit_code: 1, stderr: "no\n" }],
    [{ ...python("while True: pass"), timeout: 0.5 }, { status: "timeout" }],
    [python("import os; os.kill(os.getpid(), 9)"), { status: "error", signal: 9 }],
    [{ ...python("print(input() + input())"), stdin: "a\nb\n" }, { status: "ok", stdout: "ab\n" }],
    [{ ...python("import sys; print(sys.argv[1:])"), args: ["a", "b c"] }, { stdout: "['a', 'b c']\n" }],
    [{ ...python("import os; print(os.environ['A'])"), env: { A: "ü" } }, { stdout: "ü\n" }],
    [{ ...python("print(open('a/b').read())"), files: [{ path: "a/b", content: "c" }] }, { stdout: "c\n" }],
    [{ ...python("print('x' * 5000)"), output_bytes: 100 }, { stdout_truncated: true }],
  ];
  for (const [request, wanted] of rows) {
    const result = await client.run(request);
    for (const [field, value] of Object.entries(wanted)) {
      assert.deepEqual(result[field as keyof typeof result], value, `${field} of ${JSON.stringify(request)}`);
    }
    assert.equal(result.isolation?.guest, "confined");
    assert.match(result.trace_id, /./);
  }
});

test("what it leaves comes back as it was", async () => {
  const code = `
import json, os
os.makedirs("out/a")
json.dump({"n": [1, 2]}, open("out/a/b.json", "w"))
open("out/c.bin", "wb").write(bytes([0, 255]))`;
  const { artifacts } = await client.run(python(code));
  const of = Object.fromEntries(artifacts.map((artifact) => [artifact.name, artifact]));
  assert.deepEqual(of["a/b.json"]?.data["application/json"], { n: [1, 2] });
  const binary = of["c.bin"]?.data["application/octet-stream"];
  assert.deepEqual(bytesOf({ data: "", base64: String(binary) }), Uint8Array.of(0, 255));
});

test("output is heard as it comes, each byte once", async () => {
  const code = "import sys\nfor n in range(3):\n  print(n); print(-n, file=sys.stderr)\nsys.stdout.buffer.write(b'\\xff')";
  const heard: string[] = [];
  const [out, err]: [string[], string[]] = [[], []];
  const result = await client.run(python(code), {
    onStdout: (text, printed) => {
      out.push(text);
      heard.push(Buffer.from(bytesOf(printed)).toString("latin1"));
    },
    onStderr: (text) => void err.push(text),
  });
  assert.equal(out.join(""), result.stdout);
  assert.equal(err.join(""), result.stderr);
  assert.equal(heard.join(""), "0\n1\n2\n\xff");
  const { stdout, stdout_base64 } = result;
  assert.equal(Buffer.from(bytesOf({ data: stdout, base64: stdout_base64 })).toString("latin1"), "0\n1\n2\n\xff");
});

test("a stream gives output before the end, and the result at last", async () => {
  const code = "import time\nprint('first')\ntime.sleep(1)\nprint('second')";
  const events: RunEvent[] = [];
  const begun = performance.now();
  let first = Infinity;
  for await (const event of client.stream(python(code))) {
    if (events.length === 0) first = performance.now() - begun;
    events.push(event);
  }
  const all = performance.now() - begun;
  assert.deepEqual(events.map((event) => event.event), ["stdout", "stdout", "result"]);
  assert.ok(first < all - 900, `first after ${first} ms of ${all} ms`);
});

test("leaving the loop, or giving up, ends the program", async () => {
  const own = await startLocal();
  const endless = python("import time\nprint('on')\ntime.sleep(100)");
  for await (const event of own.stream(endless)) {
    assert.equal(event.event, "stdout");
    break;
  }
  const controller = new AbortController();
  const onStdout = () => controller.abort();
  await assert.rejects(own.run(endless, { onStdout, signal: controller.signal }), { name: "AbortError" });
  const begun = performance.now();
  await own.close();
  // A service that stops waits half a minute for programs that run.
  assert.ok(performance.now() - begun < 15_000);
});

test("what is refused is a problem with its code and field", async () => {
  const rows: [RunRequest, string, string | undefined][] = [
    [{ language: "cobol", code: "x" }, "language_unknown", "language"],
    [python(""), "code_empty", "code"],
    [{ ...python("1"), timeout: 0 }, "timeout_invalid", "timeout"],
    [{ ...python("1"), memory_mib: 1 }, "memory_invalid", "memory_mib"],
    [{ ...python("1"), env: { "1": "" } }, "env_invalid", "env"],
    [{ ...python("1"), unknown: 1 } as RunRequest, "field_invalid", "unknown"],
    [{ ...python("1"), image: "nobodys" }, "image_unknown", "image"],
    [python("x".repeat(1024 * 1024 + 1)), "code_too_large", "code"],
  ];
  for (const [request, code, field] of rows) {
    const error = await client.run(request).catch((error: unknown) => error);
    assert.ok(isProblem(error, code), `${code}: ${String(error)}`);
    assert.equal(error.field, field);
  }
});

test("a key that does not count", async () => {
  const { Client } = await import("llm-firecracker");
  const stranger = new Client({ url: client.url, key: "llmfc_x_y" });
  await assert.rejects(stranger.run(python("1")), (error) => isProblem(error, "unauthorized"));
  assert.ok((await stranger.ready()).ready);
});

test("lists say what there is", async () => {
  const languages = await client.languages();
  assert.ok(languages.some(({ name, available }) => name === "python" && available));
  const images = await client.images();
  assert.ok(images.some(({ name }) => name === "python"));
  assert.deepEqual(await client.sandboxes(), []);
  await assert.rejects(client.connect("nobodys"), (error) => error instanceof ProblemError && error.status === 404);
});
