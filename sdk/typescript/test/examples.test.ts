// Each example is run as a user runs it, and prints what it says it prints. The README shows nothing else.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { suite, test } from "node:test";
import { promisify } from "node:util";
import { service } from "./shared/service.ts";

const folder = new URL("../examples/", import.meta.url);
const names = readdirSync(folder).filter((name) => name.endsWith(".ts"));
const text = (name: string) => readFileSync(new URL(name, folder), "utf8");

/** The lines behind `// prints:`. */
function prints(source: string): string {
  const [, lines] = source.split("// prints:\n");
  assert.ok(lines, "it says what it prints");
  return lines.replaceAll(/^\/\/ ?/gm, "");
}

const client = await service();
suite("examples", { concurrency: 3 }, () => {
  for (const name of names) {
    test(`${name} prints what it says`, async () => {
      const env = { ...process.env, LLM_FIRECRACKER_URL: client.url, LLM_FIRECRACKER_KEY: client.key };
      const path = fileURLToPath(new URL(name, folder));
      const { stdout, stderr } = await promisify(execFile)(process.execPath, [path], { env, timeout: 60_000 });
      assert.equal(stdout, prints(text(name)));
      assert.equal(stderr, "");
    });
  }
});

test("the README shows lines of the examples, and nothing else", () => {
  const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");
  const shown = [...readme.matchAll(/^```ts\n(.*?)^```/gms)].map(([, block]) => block ?? "");
  assert.ok(shown.length >= 6);
  const sources = names.map(text);
  for (const block of shown) {
    const lines = block.split("\n").filter((line) => line.trim() && !line.startsWith("// examples/"));
    const holds = sources.some((source) => {
      let from = 0;
      return lines.every((line) => {
        const at = source.indexOf(`${line}\n`, from);
        from = at + line.length;
        return at >= 0;
      });
    });
    assert.ok(holds, `no example has these lines in this order:\n${block}`);
  }
});
