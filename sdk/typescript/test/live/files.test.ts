import assert from "node:assert/strict";
import { test } from "node:test";
import { isDeepStrictEqual } from "node:util";
import { isProblem, type WatchEvent } from "llm-firecracker";
import { service } from "../shared/service.ts";

const client = await service();
const sandbox = await client.sandbox({ language: "python", limits: { memory_mib: 256 } });
/** More than its disk holds, in bytes. */
const FULL = 200 * 1024 * 1024;
const { files, commands } = sandbox;

test("what is written is read, whatever it is and is called", async () => {
  const all = Uint8Array.from({ length: 256 }, (_, byte) => byte);
  for (const name of ["plain.txt", "a b+c&d=e?f#g%20.txt", "ü/漢/🦀", "-rf"]) {
    const path = `/work/${name}`;
    if (name.includes("/")) await files.makeFolder(path.slice(0, path.lastIndexOf("/")));
    assert.deepEqual(await files.write(path, all), { path, size: 256 });
    assert.deepEqual(await files.readBytes(path), all);
    assert.ok(await files.exists(path));
    await files.remove(path);
    assert.ok(!(await files.exists(path)));
  }
});

test("text, bytes, blobs, streams; empty ones, too", async () => {
  const path = "/work/data";
  for (const [data, text] of [
    ["hü", "hü"],
    ["\ufeffmark", "\ufeffmark"],
    [new TextEncoder().encode("bytes"), "bytes"],
    [new TextEncoder().encode("buffer").buffer, "buffer"],
    [new Blob(["blob"]), "blob"],
    [new Blob(["stream"]).stream(), "stream"],
    ["", ""],
  ] as const) {
    await files.write(path, data);
    assert.equal(await files.read(path), text);
  }
});

test("a file of some MiB goes in and out bit by bit", async () => {
  const piece = new Uint8Array(64 * 1024).fill(7);
  let left = 128;
  const body = new ReadableStream<Uint8Array>({
    pull: (controller) => (left-- > 0 ? controller.enqueue(piece) : controller.close()),
  });
  const { size } = await files.write("/work/large", body);
  assert.equal(size, 8 * 1024 * 1024);
  let read = 0;
  for await (const bytes of await files.readStream("/work/large")) read += bytes.length;
  assert.equal(read, size);
  await files.remove("/work/large");
});

test("folders are made, listed, moved, removed", async () => {
  await files.makeFolder("/work/a/b/c");
  await files.write("/work/a/one", "1");
  await commands.run("ln -s one /work/a/link; chmod 640 /work/a/one");
  const { entries, truncated } = await files.list("/work/a");
  assert.deepEqual(entries.map(({ path, kind }) => [path, kind]), [["/work/a/b", "folder"], ["/work/a/link", "link"], ["/work/a/one", "file"]]);
  assert.equal(truncated, false);
  assert.equal((await files.list("/work/a", { depth: 2 })).entries.length, 4);
  const { size, mode, target } = await files.stat("/work/a/one");
  assert.deepEqual({ size, mode: mode.slice(-3), target }, { size: 1, mode: "640", target: undefined });
  assert.equal((await files.stat("/work/a/link")).target, "one");
  await files.move("/work/a/one", "/work/a/two");
  assert.equal(await files.read("/work/a/two"), "1");
  await files.remove("/work/a");
  assert.ok(!(await files.exists("/work/a")));
});

test("what the sandbox refuses is a problem with its code", async () => {
  await files.write("/work/file", "x");
  const rows: [() => Promise<unknown>, string][] = [
    [() => files.read("/nope"), "file_not_found"],
    [() => files.readStream("/nope"), "file_not_found"],
    [() => files.stat("/nope"), "file_not_found"],
    [() => files.remove("/nope"), "file_not_found"],
    [() => files.write("/etc/x", "x"), "file_forbidden"],
    [() => files.list("/work/file"), "file_conflict"],
    [() => files.write("relative", "x"), "field_invalid"],
    [() => files.write("/work/full", new Uint8Array(FULL)), "disk_full"],
    [() => files.write("/work/full", new Blob([new Uint8Array(FULL)]).stream()), "disk_full"],
  ];
  for (const [act, code] of rows) {
    const error = await act().catch((error: unknown) => error);
    assert.ok(isProblem(error, code), `${code}: ${String(error)}`);
  }
});

test("changes in a folder are told as they happen, until it goes", async () => {
  await files.makeFolder("/work/watched/deep");
  const acts: (() => Promise<unknown>)[] = [
    () => files.makeFolder("/work/watched/new"),
    () => commands.run("touch /work/watched/deep/file"),
    () => commands.run("mv /work/watched/deep/file /work/watched/deep/moved"),
    () => files.remove("/work/watched"),
  ];
  const told: WatchEvent[] = [];
  const next = () => acts.shift()?.();
  for await (const event of files.watch("/work/watched", { depth: 2 })) {
    told.push(event);
    const done = ["watching", "moved"].includes(event.event);
    const isNew = event.event === "created" && !told.slice(0, -1).some((one) => "path" in one && one.path === event.path);
    if (done || isNew) await next();
  }
  const has = (wanted: WatchEvent) => assert.ok(told.some((event) => isDeepStrictEqual(event, wanted)), JSON.stringify({ wanted, told }));
  has({ event: "created", path: "/work/watched/new" });
  has({ event: "created", path: "/work/watched/deep/file" });
  has({ event: "moved", from: "/work/watched/deep/file", path: "/work/watched/deep/moved" });
  assert.equal(told.at(0)?.event, "watching");
  assert.equal(told.at(-1)?.event, "end");
});

test("a watch ends with who watches", async () => {
  for (let times = 0; times < 20; times++) {
    for await (const event of files.watch("/work")) {
      assert.equal(event.event, "watching");
      break;
    }
  }
  const watch = files.watch("/work", { signal: AbortSignal.timeout(300) });
  await assert.rejects(async () => { for await (const _ of watch); }, { name: "TimeoutError" });
  await assert.rejects(files.watch("/nope").next(), (error) => isProblem(error, "file_not_found"));
});
