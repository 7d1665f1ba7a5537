// The archive, installed elsewhere, on every runtime that the package is for.

import assert from "node:assert/strict";
import { execFile, execFileSync } from "node:child_process";
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { after, suite, test } from "node:test";
import { promisify } from "node:util";
import { service } from "../shared/service.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const pinned = (path: string) => join(root, "runtimes/node_modules", path);
/** Name and command. */
const RUNTIMES: [string, string[]][] = [
  ["node", [process.execPath]],
  ["node22", [pinned("node22/bin/node")]],
  ["deno", [pinned("@deno/linux-x64-glibc/deno"), "run", "--allow-all", "--no-lock"]],
  ["bun", [pinned("@oven/bun-linux-x64/bin/bun"), "run"]],
];

const project = mkdtempSync(join(tmpdir(), "llm-firecracker-sdk-"));
after(() => rmSync(project, { recursive: true }));
writeFileSync(join(project, "package.json"), '{ "private": true }');
const [archive] = JSON.parse(
  execFileSync("npm", ["pack", "--json", "--ignore-scripts", "--pack-destination", project], { cwd: root, encoding: "utf8" }),
) as [{ filename: string }];
execFileSync("npm", ["install", "--offline", "--no-audit", "--no-fund", `./${archive.filename}`], { cwd: project });
for (const name of ["smoke.mjs", "smoke.cjs"]) copyFileSync(join(root, "test/runtimes", name), join(project, name));

const client = await service();
suite("the archive, installed", { concurrency: 3 }, () => {
  for (const [runtime, [program = "", ...flags]] of RUNTIMES) {
    for (const script of ["smoke.mjs", "smoke.cjs"]) {
      test(`${runtime} ${script}`, async () => {
        const env = { ...process.env, LLM_FIRECRACKER_URL: client.url, LLM_FIRECRACKER_KEY: client.key };
        const run = promisify(execFile)(program, [...flags, script], { cwd: project, env, timeout: 90_000 });
        const { stdout, stderr } = await run;
        assert.match(stdout, /^\d+ checks\n$/, stderr);
      });
    }
  }
});
