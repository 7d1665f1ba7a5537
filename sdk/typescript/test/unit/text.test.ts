import assert from "node:assert/strict";
import { test } from "node:test";
import { bytesOf, fromBase64, toBase64 } from "llm-firecracker";
import { Kept } from "../../src/text.ts";
import { holds } from "../shared/random.ts";

test("bytes and base64 are the same, both ways", async () => {
  await holds(300, (random) => {
    const bytes = Uint8Array.from({ length: random.below(100) }, () => random.below(256));
    const text = toBase64(bytes);
    assert.equal(text, Buffer.from(bytes).toString("base64"));
    assert.deepEqual(fromBase64(text), bytes);
  });
  const large = new Uint8Array(300_000).fill(0xfe);
  assert.deepEqual(fromBase64(toBase64(large)), large);
});

test("the bytes of what was printed", () => {
  assert.deepEqual(bytesOf({ data: "ü" }), Uint8Array.of(0xc3, 0xbc));
  assert.deepEqual(bytesOf({ data: "\ufffd", base64: "/w==" }), Uint8Array.of(0xff));
});

test("the beginning of an output is kept, and no half of a character", async () => {
  await holds(500, (random) => {
    const limit = random.below(20);
    const pieces = Array.from({ length: random.below(6) }, () => random.text(["a", "ü", "🦀"], 8));
    const kept = new Kept(limit);
    for (const piece of pieces) kept.add(piece);
    const whole = pieces.join("");
    assert.ok(whole.startsWith(kept.text));
    assert.ok(kept.text.length <= limit);
    assert.equal(kept.truncated, kept.text !== whole);
    assert.ok(!/[\ud800-\udbff]$/.test(kept.text));
    // Nothing is left out that had room.
    if (kept.truncated) assert.ok(kept.text.length >= limit - 1);
  });
});
