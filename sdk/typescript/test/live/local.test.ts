import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { test } from "node:test";
import { promisify } from "node:util";
import { Client, ConnectionError, isProblem } from "llm-firecracker";
import { startLocal } from "llm-firecracker/local";

const folders = () => readdirSync(tmpdir()).filter((name) => name.startsWith("llm-firecracker-"));
const held = fileURLToPath(new URL("../shared/held.ts", import.meta.url));

async function until(what: string, is: () => boolean): Promise<void> {
  for (let left = 400; !is(); left--) {
    assert.ok(left > 0, what);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

test("it begins and ends with its block, and has a key that others lack", async () => {
  const log: string[] = [];
  let url = "";
  {
    await using client = await startLocal({ onLog: (line) => log.push(line) });
    url = client.url;
    assert.equal((await client.run({ language: "python", code: "print(6 * 7)" })).stdout, "42\n");
    await assert.rejects(new Client({ url }).run({ code: "1" }), (error) => isProblem(error, "unauthorized"));
    const same = new Client({ url, key: client.key });
    assert.ok((await same.languages()).length > 0);
  }
  assert.ok(log.some((line) => line.includes("listening on")));
  await assert.rejects(new Client({ url }).ready(), ConnectionError);
});

test("two at one time, each with a folder of its own that goes with it", async () => {
  const before = folders();
  await Promise.all([0, 1].map(async () => {
    await using client = await startLocal({ configuration: "[limits.defaults]\ntimeout_seconds = 7\n" });
    await client.run({ language: "python", code: "1" });
  }));
  assert.deepEqual(folders().filter((name) => !before.includes(name)), []);
});

test("it ends with whoever started it, however that ends", async () => {
  for (const signal of ["SIGTERM", "SIGKILL"] as const) {
    const child = spawn(process.execPath, [held], { stdio: ["ignore", "pipe", "inherit"] });
    const [line] = (await once(createInterface({ input: child.stdout }), "line")) as [string];
    const { pid, folder } = JSON.parse(line) as { pid: number; folder: string };
    assert.ok(existsSync(folder));
    child.kill(signal);
    await once(child, "exit");
    await until(`the service outlives ${signal}`, () => !existsSync(`/proc/${pid}`));
    await until(`its folder outlives ${signal}`, () => !existsSync(folder));
  }
});

test("why it does not start is told", async () => {
  const before = folders();
  const rows: [Parameters<typeof startLocal>[0], RegExp][] = [
    [{ binary: "/no/such" }, /makes no key/],
    [{ binary: "/bin/false" }, /makes no key/],
    [{ images: "/no/such" }, /no images in/],
    [{ configuration: "[nonsense]" }, /makes no key: [^]*nonsense/],
    [{ flags: ["--nonsense"] }, /ended \(2\).*--nonsense/],
  ];
  for (const [options, words] of rows) {
    await assert.rejects(startLocal(options), (error) => error instanceof ConnectionError && words.test(error.message), String(words));
  }
  await assert.rejects(startLocal({ signal: AbortSignal.abort(new Error("no")) }), { message: "no" });
  assert.deepEqual(folders().filter((name) => !before.includes(name)), []);
});

test("a program that forgets to close it is told by nobody, but leaves nothing", async () => {
  const run = promisify(execFile)(process.execPath, [held, "exit"]);
  const { folder } = JSON.parse((await run).stdout) as { folder: string };
  await until("its folder is left", () => !existsSync(folder));
});
