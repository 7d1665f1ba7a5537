import assert from "node:assert/strict";
import { test } from "node:test";
import { isProblem, type ProcessEvent } from "llm-firecracker";
import { service } from "../shared/service.ts";

const client = await service();
const sandbox = await client.sandbox({ language: "python", env: { OF: "sandbox" } });
const { commands, processes } = sandbox;

function endless(): ReadableStream<Uint8Array> {
  return new ReadableStream({ pull: (controller) => controller.enqueue(new Uint8Array(10_000).fill(121)) });
}

test("a command's end and output are its result", async () => {
  const rows: [Parameters<typeof commands.run>, Record<string, unknown>][] = [
    [["echo hü; echo no >&2; exit 3"], { status: "error", exit_code: 3, stdout: "hü\n", stderr: "no\n" }],
    [[["printf", "%s|", "a b", "$HOME"]], { status: "ok", exit_code: 0, stdout: "a b|$HOME|" }],
    [["echo $OF $OWN; pwd", { env: { OWN: "own" }, cwd: "/tmp" }], { stdout: "sandbox own\n/tmp\n" }],
    [["kill -9 $$"], { status: "error", signal: 9 }],
    [["sleep 100", { limits: { timeout: 0.3 } }], { status: "timeout" }],
    [["sort -n", { stdin: "3\n1\n2\n" }], { stdout: "1\n2\n3\n" }],
    [["wc -c", { stdin: new Uint8Array(100_000) }], { stdout: "100000\n" }],
    [["wc -c", { stdin: new Blob(["ü"]).stream() }], { stdout: "2\n" }],
    // Who does not read need not.
    [["exit 0", { stdin: new Uint8Array(1_000_000) }], { status: "ok" }],
    [["head -c 5", { stdin: endless() }], { status: "ok", stdout: "yyyyy" }],
    [["cat", { stdin: "" }], { stdout: "" }],
    [["cat"], { stdout: "" }],
  ];
  for (const [args, wanted] of rows) {
    const result = await commands.run(...args);
    for (const [field, value] of Object.entries(wanted)) {
      assert.deepEqual(result[field as keyof typeof result], value, `${field} of ${JSON.stringify(args)}`);
    }
  }
  assert.deepEqual(await processes.list(), [], "all of them are forgotten");
});

test("output is heard, and kept as far as is asked for", async () => {
  const heard: string[] = [];
  const result = await commands.run("for n in 1 2 3; do echo $n; echo -$n >&2; done", {
    keep: 3,
    onStdout: (text) => void heard.push(text),
    onStderr: (text) => void heard.push(text),
  });
  assert.equal(heard.join("").replaceAll("\n", "").length, 9);
  const { stdout, stderr, stdout_truncated, stderr_truncated } = result;
  assert.deepEqual({ stdout, stderr }, { stdout: "1\n2", stderr: "-1\n" });
  assert.ok(stdout_truncated && stderr_truncated);
});

test("a command whose input fails is ended, in the input's words", async () => {
  const own = new Error("own");
  const stdin = new ReadableStream<Uint8Array>({ pull: (controller) => controller.error(own) });
  await assert.rejects(commands.run("cat", { stdin }), own);
});

test("a command that is given up is killed and forgotten", async () => {
  const controller = new AbortController();
  const onStdout = () => controller.abort();
  const run = commands.run("echo on; exec sleep 100", { onStdout, signal: controller.signal });
  await assert.rejects(run, { name: "AbortError" });
  for (let left = 100; (await processes.list()).length > 0; left--) {
    assert.ok(left > 0, "it is still there");
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
});

test("what cannot start is a problem", async () => {
  const rows: [() => Promise<unknown>, string][] = [
    [() => commands.run(["/no/such"]), "process_not_started"],
    [() => commands.run("true", { cwd: "/no/such" }), "process_not_started"],
    [() => commands.run("true", { user: "root" }), "guest_root_forbidden"],
    [() => processes.start("true", { cwd: "relative" }), "field_invalid"],
    [() => processes.get(9999).info(), "process_not_found"],
    [() => processes.get(9999).wait(), "process_not_found"],
  ];
  for (const [act, code] of rows) {
    const error = await act().catch((error: unknown) => error);
    assert.ok(isProblem(error, code), `${code}: ${String(error)}`);
  }
});

test("a process runs on, and is followed from any byte by anyone", async () => {
  await using process = await processes.start("echo one; read line; echo two $line >&2", { stdin: "open" });
  const told: ProcessEvent[] = [];
  for await (const event of process.output()) {
    told.push(event);
    if (event.event === "output" && event.offset === 0) await process.write("x\n");
  }
  assert.deepEqual(
    told.map((event) => (event.event === "output" ? [event.offset, event.stream, event.data] : event.event)),
    [[0, "stdout", "one\n"], [4, "stderr", "two x\n"], "exit"],
  );
  assert.equal((await process.wait({ from: 8 })).stderr, "x\n");
  const again = processes.get(process.id);
  const { stdout, stderr, exit_code } = await again.wait();
  assert.deepEqual({ stdout, stderr, exit_code }, { stdout: "one\n", stderr: "two x\n", exit_code: 0 });
  assert.equal((await again.info()).exit?.status, "ok");
  await assert.rejects(process.write("y"), (error) => isProblem(error, "process_ended"));
});

test("a conversation over standard input, to its end", async () => {
  await using process = await processes.start("cat", { stdin: "open" });
  await process.write("a");
  await process.write(Uint8Array.of(0xff));
  await process.closeStdin("b");
  const { stdout } = await process.wait();
  assert.equal(stdout, "a\ufffdb");
});

test("signals by name and number, to whom they are meant", async () => {
  // Python's, for a shell's trap has a moment at each fork of its own; the line and its end in one write, for
  // the signal comes after the first.
  const trap = ["python3", "-uc", "import signal\ntry:\n  print('on\\n', end='')\n  signal.pause()\nexcept KeyboardInterrupt:\n  print('got')\n  exit(7)"];
  for (const signal of ["SIGINT", "INT", 2]) {
    await using process = await processes.start(trap);
    let sent: Promise<void> | undefined;
    const { stdout, exit_code } = await process.wait({ onStdout: () => void (sent ??= process.signal(signal)) });
    assert.deepEqual({ stdout, exit_code }, { stdout: "on\ngot\n", exit_code: 7 }, String(signal));
    await sent;
  }
  await using process = await processes.start("sleep 100");
  await assert.rejects(process.signal("SIGNOTHING"), (error) => isProblem(error, "field_invalid"));
  await process.kill();
  assert.equal((await process.wait()).signal, 9);
  await process.kill();
});

test("a process is forgotten once, and twice", async () => {
  const process = await processes.start("sleep 100");
  await process.forget();
  await process.forget();
  assert.ok(!(await processes.list()).some(({ id }) => id === process.id));
});

test("one that a client follows tells of the sandbox's end before it comes", async () => {
  await using short = await client.sandbox({ language: "python", timeout: 3 });
  const process = await short.processes.start("sleep 100");
  const expiring: string[] = [];
  const wait = process.wait({ onExpiring: ({ limit }) => void expiring.push(limit) });
  await assert.rejects(wait, (error) => isProblem(error, "sandbox_not_found"));
  assert.deepEqual(expiring, ["total"]);
});
