import assert from "node:assert/strict";
import { test } from "node:test";
import { ConnectionError, isProblem, type Process, type Terminal, type TerminalOptions } from "llm-firecracker";
import { service } from "../shared/service.ts";

const client = await service();
const sandbox = await client.sandbox({ language: "python" });
const shell = () => sandbox.processes.start(["bash", "--norc"], { pty: { rows: 24, columns: 80 }, env: { PS1: "$ ", TERM: "dumb" } });

/** A terminal, and all that it shows. */
async function watched(process: Process, options: TerminalOptions = {}): Promise<{ terminal: Terminal; shown: () => string }> {
  const bytes: Uint8Array[] = [];
  const terminal = await process.terminal({ ...options, onData: (data) => void bytes.push(data) });
  return { terminal, shown: () => Buffer.concat(bytes).toString() };
}

test("what is typed arrives, what is shown comes, and the end is told", async () => {
  await using process = await shell();
  const { terminal, shown } = await watched(process);
  terminal.resize({ rows: 50, columns: 132 });
  terminal.write("stty size\n");
  terminal.write(new TextEncoder().encode("exit 4\n"));
  assert.equal((await terminal.exit).exit_code, 4);
  assert.match(shown(), /^50 132\r$/m);
});

test("the size can be changed over HTTP, too, and keys typed", async () => {
  await using process = await shell();
  await process.resize({ rows: 7, columns: 70 });
  await process.write("stty size; exit\n");
  assert.match((await process.wait()).stdout, /^7 70\r$/m);
});

test("two share one, and what was kept is shown first, which is said", async () => {
  await using process = await shell();
  const first = await watched(process);
  let replayed: string | undefined;
  first.terminal.write("echo a''b; exit\n");
  await first.terminal.exit;
  const second = await watched(process, { onReplayed: () => (replayed = second.shown()) });
  await second.terminal.exit;
  assert.match(second.shown(), /^ab\r$/m);
  assert.equal(second.shown(), first.shown());
  assert.equal(replayed, second.shown());
});

test("a paste of any size arrives", async () => {
  const reader = ["python3", "-c", "import sys, tty; tty.setraw(0); print('on', flush=True); print(len(sys.stdin.buffer.read(200_000)))"];
  await using process = await sandbox.processes.start(reader, { pty: { rows: 24, columns: 80 } });
  let shown = "";
  let isReady = () => {};
  const ready = new Promise<void>((resolve) => (isReady = resolve));
  const terminal = await process.terminal({
    onData: (bytes) => {
      shown += Buffer.from(bytes).toString();
      if (shown.includes("on")) isReady();
    },
  });
  await ready;
  terminal.write("x".repeat(200_000));
  await terminal.exit;
  assert.match(shown, /200000/);
});

test("a pause holds it, going on lets it", async () => {
  await using process = await shell();
  const { terminal, shown } = await watched(process);
  terminal.pause();
  terminal.write("echo a''b; exit\n");
  await new Promise((resolve) => setTimeout(resolve, 500));
  assert.doesNotMatch(shown(), /^ab\r$/m);
  terminal.resume();
  await terminal.exit;
  assert.match(shown(), /^ab\r$/m);
});

test("closing it ends nothing", async () => {
  await using process = await shell();
  {
    using terminal = await process.terminal();
    terminal.write("x=kept\n");
    void terminal;
  }
  const closed = await process.terminal();
  closed.close();
  await assert.rejects(closed.exit, ConnectionError);
  const { terminal, shown } = await watched(process);
  terminal.write("echo [$x]; exit\n");
  await terminal.exit;
  assert.match(shown(), /^\[kept\]\r$/m);
});

test("giving it up closes it, in the giver's words", async () => {
  await using process = await shell();
  const controller = new AbortController();
  const terminal = await process.terminal({ signal: controller.signal });
  const reason = new Error("enough");
  controller.abort(reason);
  await assert.rejects(terminal.exit, reason);
  await assert.rejects(process.terminal({ signal: controller.signal }), reason);
});

test("why there is none is told as a problem", async () => {
  await using process = await sandbox.processes.start("sleep 100");
  await assert.rejects(process.terminal(), (error) => isProblem(error, "no_terminal"));
  await assert.rejects(sandbox.processes.get(9999).terminal(), (error) => isProblem(error, "process_not_found"));
});
