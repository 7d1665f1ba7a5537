import assert from "node:assert/strict";
import { test } from "node:test";
import { EventParser, readEvents, type ServerEvent } from "llm-firecracker";
import { holds, type Random } from "../shared/random.ts";

const encoder = new TextEncoder();

function parse(pieces: Iterable<Uint8Array>): ServerEvent[] {
  const parser = new EventParser();
  return [...pieces].flatMap((piece) => parser.push(piece));
}

test("what the standard says of each form", () => {
  const event = (data: string, name = "message", id = "") => ({ event: name, data, id });
  const rows: [string, ServerEvent[]][] = [
    ["data: a\n\n", [event("a")]],
    ["data:a\n\n", [event("a")]],
    ["data:  a\n\n", [event(" a")]],
    ["data: a\ndata: b\n\n", [event("a\nb")]],
    ["data\n\n", [event("")]],
    ["data\ndata\n\n", [event("\n")]],
    ["event: output\ndata: {}\n\n", [event("{}", "output")]],
    ["event: output\n\ndata: a\n\n", [event("a")]],
    ["id: 7\ndata: a\n\ndata: b\n\n", [event("a", "message", "7"), event("b", "message", "7")]],
    ["id: 7\ndata: a\n\nid\ndata: b\n\n", [event("a", "message", "7"), event("b")]],
    ["id: 7\0\ndata: a\n\n", [event("a")]],
    [":\n\n: alive\n\ndata: a\n\n", [event("a")]],
    ["retry: 10\nunknown: x\ndata: a\n\n", [event("a")]],
    ["data: a: b\n\n", [event("a: b")]],
    ["\ufeffdata: a\n\n", [event("a")]],
    ["data: \ufeffa\n\n", [event("\ufeffa")]],
    ["data: a\r\n\r\n", [event("a")]],
    ["data: a\r\r", [event("a")]],
    ["data: a\r\n\ndata: b\n\r\n", [event("a"), event("b")]],
    // What is not ended by an empty line is no event.
    ["data: a\n", []],
    ["data: a", []],
    ["", []],
  ];
  for (const [text, events] of rows) {
    const bytes = encoder.encode(text);
    assert.deepEqual(parse([bytes]), events, JSON.stringify(text));
    const single = Array.from(bytes, (_, at) => bytes.subarray(at, at + 1));
    assert.deepEqual(parse(single), events, `byte by byte: ${JSON.stringify(text)}`);
  }
});

const CHARACTERS = ["a", " ", ":", "{", '"', "ü", "漢", "🦀", "\u2028", "\u0000", "\t"];

/** Events, and a text that says them with line breaks of every kind. */
function said(random: Random): [string, ServerEvent[]] {
  let text = random.below(2) === 0 ? "" : "\ufeff";
  let id = "";
  const events: ServerEvent[] = [];
  for (let left = random.below(5); left > 0; left--) {
    const end = random.pick(["\n", "\r\n", "\r"]);
    const line = (field: string, value: string) => (text += `${field}: ${value}${end}`);
    if (random.below(3) === 0) text += `:${end}${end}`;
    if (random.below(2) === 0) line("id", (id = String(random.below(1000))));
    const event = random.pick(["output", "exit", "message"]);
    if (event !== "message") line("event", event);
    const lines = Array.from({ length: 1 + random.below(3) }, () => random.text(CHARACTERS, 12));
    for (const data of lines) line("data", data);
    text += end;
    events.push({ event, data: lines.join("\n"), id });
  }
  return [text, events];
}

test("events arrive whole, wherever their bytes are cut", async () => {
  await holds(2000, (random) => {
    const [text, events] = said(random);
    assert.deepEqual(parse(random.pieces(encoder.encode(text))), events);
  });
});

test("any bytes at all are read without an error", async () => {
  await holds(500, (random) => {
    const bytes = Uint8Array.from({ length: random.below(200) }, () => random.pick([10, 13, 58, 100, 0xc3, 0xff, random.below(256)]));
    assert.deepEqual(parse(random.pieces(bytes)), parse([bytes]));
  });
});

test("a long event costs as much as its bytes", { timeout: 20_000 }, () => {
  const parser = new EventParser();
  const piece = encoder.encode("x".repeat(16 * 1024));
  parser.push(encoder.encode("data: "));
  for (let at = 0; at < 1024; at++) assert.deepEqual(parser.push(piece), []);
  const [event] = parser.push(encoder.encode("\n\n"));
  assert.equal(event?.data.length, 16 * 1024 * 1024);
});

test("many short lines in one piece cost as much as their bytes", { timeout: 20_000 }, () => {
  const text = "data: x\n\n".repeat(200_000);
  assert.equal(parse([encoder.encode(text)]).length, 200_000);
});

test("who leaves the loop gives the body up", async () => {
  let cancelled = false;
  const body = new ReadableStream<Uint8Array>({
    pull: (controller) => controller.enqueue(encoder.encode("data: a\n\n")),
    cancel: () => void (cancelled = true),
  });
  for await (const event of readEvents(body)) {
    assert.equal(event.data, "a");
    break;
  }
  assert.ok(cancelled);
});
