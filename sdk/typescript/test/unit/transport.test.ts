import assert from "node:assert/strict";
import { test } from "node:test";
import { Client, ConnectionError, isProblem, ProblemError } from "llm-firecracker";
import { json, problem, scripted } from "../shared/http.ts";

test("a request says who asks, and nothing else does", async () => {
  await scripted([json(200, [])], async ({ client, requests }) => {
    await client.languages();
    const [request] = requests;
    assert.equal(request?.url, "/api/v1/languages");
    assert.equal(request.headers.authorization, "Bearer k");
    assert.equal(request.headers.accept, "application/json");
  }, { key: "k" });
  await scripted([json(200, [])], async ({ client, requests }) => {
    await client.languages();
    assert.equal(requests[0]?.headers.authorization, undefined);
  });
});

test("the environment says where and who, unless the program does", async () => {
  process.env["LLM_FIRECRACKER_URL"] = "http://127.0.0.1:1/";
  process.env["LLM_FIRECRACKER_KEY"] = "of-the-environment";
  try {
    assert.equal(new Client().url, "http://127.0.0.1:1");
    await scripted([json(200, [])], async ({ client, requests }) => {
      await client.languages();
      assert.equal(requests[0]?.headers.authorization, "Bearer of-the-environment");
    });
  } finally {
    delete process.env["LLM_FIRECRACKER_URL"];
    delete process.env["LLM_FIRECRACKER_KEY"];
  }
  assert.equal(new Client().url, "http://127.0.0.1:8080");
});

test("what is no key is said so without repeating it", () => {
  for (const key of ["", "two words", "schlüssel", "a\nb"]) {
    assert.throws(() => new Client({ key }), (error: Error) => error instanceof TypeError && (key === "" || !error.message.includes(key)));
  }
  assert.doesNotThrow(() => new Client({ key: " llmfc_1_k\n" }));
});

test("a refusal is a problem with all that its body says", async () => {
  const body = { type: "/docs#env_invalid", title: "", status: 400, detail: "no", code: "env_invalid", field: "env", trace_id: "t" };
  await scripted([json(400, body)], async ({ client }) => {
    const error = await client.languages().catch((error: unknown) => error);
    assert.ok(error instanceof ProblemError && isProblem(error) && isProblem(error, "env_invalid", "x"));
    assert.ok(!isProblem(error, "x"));
    const { code, status, detail, field, traceId, retryAfter, message, name } = error;
    assert.deepEqual(
      { code, status, detail, field, traceId, retryAfter, message, name },
      {
        code: "env_invalid", status: 400, detail: "no", field: "env", traceId: "t", retryAfter: undefined,
        message: "no [env_invalid]", name: "ProblemError",
      },
    );
  });
});

test("only these are problems", () => {
  for (const other of [undefined, null, "env_invalid", new Error("x"), { code: "env_invalid" }, new ConnectionError("x")]) {
    assert.ok(!isProblem(other), String(other));
  }
});

test("who is busy is asked again, when it says when", async () => {
  const busy = problem(503, "queue_full", { "retry-after": "0" });
  const rows: [string, ReturnType<typeof json>[], number, string | undefined][] = [
    ["once busy", [busy, json(200, [])], 2, undefined],
    ["too often", [busy], 3, "queue_full"],
    ["a rate", [problem(429, "rate_limited", { "retry-after": "0" }), json(200, [])], 2, undefined],
    ["without a time", [problem(503, "overloaded")], 1, "overloaded"],
    ["too long", [problem(429, "rate_limited", { "retry-after": "3600" })], 1, "rate_limited"],
    ["a time of another kind", [problem(503, "x", { "retry-after": "Wed, 21 Oct 2099 07:28:00 GMT" })], 1, "x"],
    ["another status", [problem(500, "vm_died", { "retry-after": "0" })], 1, "vm_died"],
  ];
  for (const [name, answers, asked, code] of rows) {
    await scripted(answers, async ({ client, requests }) => {
      const refused = await client.languages().then(() => undefined, (error: ProblemError) => error.code);
      assert.equal(refused, code, name);
      assert.equal(requests.length, asked, name);
    });
  }
  await scripted([busy], async ({ client, requests }) => {
    await assert.rejects(client.languages(), ProblemError);
    assert.equal(requests.length, 1);
  }, { retries: 0 });
});

test("what is no answer of this service is no problem of it", async () => {
  const page = (status: number) => json(status, undefined, { "content-type": "text/html" });
  for (const answer of [page(502), json(404, { detail: "x" }), json(404, null), page(200)]) {
    await scripted([answer], async ({ client }) => {
      await assert.rejects(client.languages(), (error) => error instanceof ConnectionError && !isProblem(error));
    });
  }
  await scripted([json(302, {}, { location: "/elsewhere" })], async ({ client, requests }) => {
    await assert.rejects(client.languages(), ConnectionError);
    assert.equal(requests.length, 1);
  });
});

test("a service that is not there is told as such, with the cause", async () => {
  const client = new Client({ url: "http://127.0.0.1:9" });
  await assert.rejects(client.run({ code: "1" }), (error) => {
    assert.ok(error instanceof ConnectionError && error.cause instanceof Error);
    return error.message.includes("127.0.0.1:9");
  });
});

test("who gives up is told so at once, in their own words", async () => {
  const never = () => {};
  await scripted([never], async ({ client }) => {
    const reason = new Error("enough");
    await assert.rejects(client.languages({ signal: AbortSignal.abort(reason) }), reason);
    await assert.rejects(client.languages({ signal: AbortSignal.timeout(20) }), { name: "TimeoutError" });
    const controller = new AbortController();
    setTimeout(() => controller.abort(reason), 20);
    await assert.rejects(client.run({ code: "1" }, { signal: controller.signal }), reason);
  });
  // Also out of a pause before it is asked again.
  await scripted([problem(503, "queue_full", { "retry-after": "20" })], async ({ client }) => {
    await assert.rejects(client.languages({ signal: AbortSignal.timeout(50) }), { name: "TimeoutError" });
  });
});
