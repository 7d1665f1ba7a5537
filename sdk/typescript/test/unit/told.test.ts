import assert from "node:assert/strict";
import { test } from "node:test";
import { ConnectionError, ProblemError, StreamCutError, type ProcessEvent } from "llm-firecracker";
import { events, json, problem, scripted, type Answer } from "../shared/http.ts";

const SANDBOX = json(200, { id: "s" });
const event = (name: string, body: unknown, id?: number) =>
  `${id === undefined ? "" : `id: ${id}\n`}event: ${name}\ndata: ${JSON.stringify(body)}\n\n`;
const output = (from: number, data: string) =>
  event("output", { offset: from, next_offset: from + data.length, stream: "stdout", data }, from + data.length);
const exit = event("exit", { status: "ok", exit_code: 0 });

/** What is told of process 1 by these answers, and why no more is. */
async function followed(answers: Answer[]): Promise<{ told: string[]; error: unknown; asked: (string | undefined)[] }> {
  const told: string[] = [];
  const asked: (string | undefined)[] = [];
  let error: unknown;
  await scripted([SANDBOX, ...answers], async ({ client, requests }) => {
    const sandbox = await client.connect("s");
    try {
      for await (const event of sandbox.processes.get(1).output()) told.push(word(event));
    } catch (thrown) {
      error = thrown;
    }
    for (const request of requests.slice(1)) asked.push(request.url?.replace(/.*output/, ""));
  });
  return { told, error, asked };
}

function word(event: ProcessEvent): string {
  return event.event === "output" ? event.data : event.event;
}

test("a process is followed on where the connection broke", async () => {
  const { told, error, asked } = await followed([
    events(output(0, "ab") + output(2, "c"), "cut"),
    events(output(3, "d")),
    events(output(4, "e") + exit),
  ]);
  assert.equal(error, undefined);
  assert.deepEqual(told, ["ab", "c", "d", "e", "exit"]);
  assert.deepEqual(asked, ["", "?from=3", "?from=4"]);
});

test("but not for ever, where nothing comes any more", async () => {
  const { told, error, asked } = await followed([events(output(0, "a"), "cut"), events("", "cut")]);
  assert.deepEqual(told, ["a"]);
  assert.ok(error instanceof StreamCutError);
  assert.equal(asked.length, 4);
});

test("nothing is told twice where what comes is broken", async () => {
  const { told, error, asked } = await followed([events(output(0, "a") + "event: output\ndata: {\n\n")]);
  assert.deepEqual(told, ["a"]);
  assert.ok(error instanceof ConnectionError);
  assert.equal(asked.length, 1);
});

test("nothing is read behind the end", async () => {
  const { told, error } = await followed([events(exit + output(0, "late"))]);
  assert.deepEqual([told, error], [["exit"], undefined]);
});

test("the error of a stream is a problem, as a refusal is", async () => {
  const body = { code: "sandbox_not_found", detail: "gone", status: 404 };
  for (const answer of [events(event("error", body)), problem(404, "sandbox_not_found")]) {
    const { error, asked } = await followed([answer]);
    assert.ok(error instanceof ProblemError && error.code === "sandbox_not_found");
    assert.equal(asked.length, 1);
  }
});

test("what is no event is an error, and no value", async () => {
  const wrong: Answer[] = [events("event: output\ndata: {\n\n"), events(event("error", {})), json(200, {}), json(200, {}, { "content-type": "text/html" })];
  for (const answer of wrong) {
    const { told, error } = await followed([answer]);
    assert.deepEqual(told, []);
    assert.ok(error instanceof ConnectionError);
  }
});

test("a program's stream that breaks off is an error: it cannot be taken up", async () => {
  for (const end of ["whole", "cut"] as const) {
    await scripted([events(event("stdout", { data: "a" }), end)], async ({ client, requests }) => {
      await assert.rejects(client.run({ code: "1" }), StreamCutError);
      assert.equal(requests.length, 1);
    });
  }
});

test("a program that the service failed at is a problem; one that failed by itself is not", async () => {
  const result = { status: "internal", trace_id: "t", failure: { code: "vm_died", message: "the VM ended" } };
  await scripted([events(event("result", result))], async ({ client }) => {
    const wanted = { code: "vm_died", status: 500, traceId: "t", message: "the VM ended [vm_died]" };
    await assert.rejects(client.run({ code: "1" }), wanted);
  });
  await scripted([events(event("result", { status: "oom", failure: null }))], async ({ client }) => {
    assert.equal((await client.run({ code: "1" })).status, "oom");
  });
});

test("a callback that throws ends the run, with its own error", async () => {
  const all = event("stdout", { data: "a" }) + event("result", { status: "ok" });
  await scripted([events(all)], async ({ client }) => {
    const own = new Error("own");
    await assert.rejects(client.run({ code: "1" }, { onStdout: () => Promise.reject(own) }), own);
  });
});
