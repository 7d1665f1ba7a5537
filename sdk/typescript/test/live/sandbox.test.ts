import assert from "node:assert/strict";
import { test } from "node:test";
import { isProblem, type Sandbox } from "llm-firecracker";
import { service } from "../shared/service.ts";

const client = await service(["--allow-writable"]);
const gone = (error: unknown) => isProblem(error, "sandbox_not_found");

test("a block's end is the sandbox's, however the block ends", async () => {
  const seen: Sandbox[] = [];
  const own = new Error("own");
  await assert.rejects(async () => {
    await using sandbox = await client.sandbox({ language: "python" });
    seen.push(sandbox);
    throw own;
  }, own);
  await assert.rejects(seen[0]!.info(), gone);
  await seen[0]!.close();
});

test("what was asked for is what it is", async () => {
  await using sandbox = await client.sandbox({
    language: "python",
    timeout: 100,
    idle_timeout: 50,
    limits: { memory_mib: 256 },
    metadata: { user: "42" },
    writable: true,
  });
  const { id, language, timeout, idle_timeout, memory_mib, metadata, writable_mib } = await sandbox.info();
  assert.deepEqual(
    { id, language, timeout, idle_timeout, memory_mib, metadata },
    { id: sandbox.id, language: "python", timeout: 100, idle_timeout: 50, memory_mib: 256, metadata: { user: "42" } },
  );
  assert.ok(writable_mib > 0);
  assert.equal((await sandbox.commands.run("touch /usr/local/x")).status, "ok");
  const { expires_at } = await sandbox.extend(1000);
  assert.ok(Date.parse(expires_at) > Date.now() + 900_000);
});

test("it is found again by its id", async () => {
  await using sandbox = await client.sandbox({ language: "python" });
  await sandbox.runCode("x = 1");
  const again = await client.connect(sandbox.id);
  assert.equal((await again.runCode("x")).text, "1");
  assert.deepEqual((await client.sandboxes()).map(({ id }) => id), [sandbox.id]);
});

test("what is asked of one that ended", async () => {
  const sandbox = await client.sandbox({ language: "python", timeout: 1.5 });
  const follower = sandbox.processes.start("sleep 100").then((process) => process.wait());
  await assert.rejects(follower, gone);
  for (const act of [
    () => sandbox.info(),
    () => sandbox.runCode("1"),
    () => sandbox.commands.run("true"),
    () => sandbox.files.read("/x"),
    () => sandbox.files.watch("/work").next(),
    () => sandbox.contexts.create(),
    () => client.connect(sandbox.id),
  ]) {
    await assert.rejects(act(), gone);
  }
  await sandbox.close();
});
