import assert from "node:assert/strict";
import { test } from "node:test";
import { isProblem, type CellEvent, type Result } from "llm-firecracker";
import { service } from "../shared/service.ts";

const client = await service();
const sandbox = await client.sandbox({ language: "python" });

test("variables stay from one call to the next", async () => {
  await sandbox.runCode("x = 41");
  const { text, status, results, error, renewed } = await sandbox.runCode("x + 1");
  assert.deepEqual({ text, status, error, renewed }, { text: "42", status: "ok", error: undefined, renewed: false });
  assert.deepEqual(results, [{ is_result: true, data: { "text/plain": "42" } }]);
});

test("code that fails is a result", async () => {
  const { status, error, exit_code, text } = await sandbox.runCode("1 / 0");
  assert.deepEqual({ status, exit_code, text }, { status: "error", exit_code: 1, text: undefined });
  assert.equal(error?.name, "ZeroDivisionError");
  assert.equal(error.value, "division by zero");
  assert.match(error.traceback, /1 \/ 0/);
});

test("all that it says is heard as it comes, and is in the result", async () => {
  const code = `
import sys
print("a")
print("b", file=sys.stderr)
display({"k": 1})
print("c")
7`;
  const heard: string[] = [];
  const shown: Result[] = [];
  const result = await sandbox.runCode(code, {
    onStdout: (text) => void heard.push(`out ${text.trim()}`),
    onStderr: (text) => void heard.push(`err ${text.trim()}`),
    onResult: (result) => void shown.push(result),
  });
  assert.deepEqual(heard.filter((line) => line.startsWith("err")), ["err b"]);
  assert.equal(result.logs.stdout.replaceAll("\n", ""), "ac");
  assert.equal(result.logs.stderr, "b\n");
  assert.deepEqual(shown, result.results);
  assert.deepEqual(shown.map(({ is_result, data }) => [is_result, data["text/plain"]]), [[false, "{'k': 1}"], [true, "7"]]);
});

test("input, arguments, variables of the environment", async () => {
  const code = "import os, sys\nprint(input(), sys.argv[1:], os.environ['A'])";
  const { logs } = await sandbox.runCode(code, { stdin: "line\n", args: ["x"], env: { A: "b" } });
  assert.equal(logs.stdout, "line ['x'] b\n");
});

test("its events, with the numbers where to go on", async () => {
  const events: CellEvent[] = [];
  for await (const event of sandbox.streamCode("print(1)\n2")) events.push(event);
  assert.deepEqual(events.map(({ event }) => event), ["begun", "output", "result", "end"]);
  for (const event of events) assert.equal(event.next_offset, event.offset + 1);
});

test("a time limit interrupts it, and variables stay", async () => {
  const { status, stopped, lost } = await sandbox.runCode("kept = 1\nwhile True: pass", { timeout: 0.5 });
  assert.deepEqual({ status, stopped, lost }, { status: "timeout", stopped: "timeout", lost: null });
  assert.equal((await sandbox.runCode("kept")).text, "1");
});

test("giving it up interrupts it", async () => {
  const controller = new AbortController();
  const onStdout = () => controller.abort();
  const code = "print('on')\nimport time\ntime.sleep(100)";
  await assert.rejects(sandbox.runCode(code, { signal: controller.signal, onStdout }), { name: "AbortError" });
  // It would wait behind the sleep.
  assert.equal((await sandbox.runCode("kept", { timeout: 5 })).text, "1");
});

test("a context of its own has variables of its own, and another language", async () => {
  await using context = await sandbox.contexts.create({ language: "bash", cwd: "/tmp" });
  assert.equal(context.language, "bash");
  await context.runCode("x=5");
  const { logs } = await context.runCode("pwd; echo $x");
  assert.equal(logs.stdout, "/tmp\n5\n");
  assert.equal((await sandbox.runCode("echo $x", { context })).logs.stdout, "5\n");
  assert.ok((await sandbox.contexts.list()).some(({ id }) => id === context.id));
  await context.restart();
  const again = await sandbox.contexts.get(context).runCode("echo [$x]");
  assert.equal(again.logs.stdout, "[]\n");
});

test("a context is interrupted from elsewhere", async () => {
  await using context = await sandbox.contexts.create({ language: "python" });
  let interrupted: Promise<void> | undefined;
  const onStdout = () => void (interrupted ??= context.interrupt());
  const { status, stopped } = await context.runCode("print('on')\nimport time\ntime.sleep(100)", { onStdout });
  assert.deepEqual({ status, stopped }, { status: "error", stopped: "interrupt" });
  await interrupted;
});

test("who comes later is told all of a context, and of its end", async () => {
  const context = await sandbox.contexts.create({ language: "python" });
  await context.runCode("print('before')");
  const told: string[] = [];
  for await (const event of context.events({ from: 0 })) {
    told.push(event.event === "output" ? event.data.trim() : event.event);
    if (event.event === "end" && told.length < 6) await context.runCode("print('after')");
    else if (event.event === "end") await context.delete();
  }
  assert.deepEqual(told, ["begun", "before", "end", "begun", "after", "end"]);
  await assert.rejects(context.runCode("1"), (error) => isProblem(error, "context_not_found"));
});

test("an interpreter that exits is replaced, which is said", async () => {
  await using context = await sandbox.contexts.create({ language: "python" });
  await context.runCode("x = 1");
  const { lost } = await context.runCode("import os; os._exit(3)");
  assert.equal(lost?.reason, "ended");
  const { renewed, error } = await context.runCode("x");
  assert.deepEqual([renewed, error?.name], [true, "NameError"]);
});

test("what code leaves behind is told as late", async () => {
  await using context = await sandbox.contexts.create({ language: "python" });
  await context.runCode("import threading, time\nthreading.Thread(target=lambda: (time.sleep(2), print('late'))).start()");
  const heard: string[] = [];
  const { logs, late } = await context.runCode("time.sleep(3)\nprint('own')", { onLate: ({ data }) => void heard.push(data) });
  assert.equal(logs.stdout, "own\n");
  assert.equal(late.map(({ data }) => data).join(""), "late\n");
  assert.equal(heard.join(""), "late\n");
});
