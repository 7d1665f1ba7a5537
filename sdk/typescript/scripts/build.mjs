// Builds `dist`: the same sources twice, as ES modules and as CommonJS.
import { execFileSync } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

const root = new URL("..", import.meta.url);
const at = (path) => fileURLToPath(new URL(path, root));
const tsc = createRequire(import.meta.url).resolve("typescript/bin/tsc");

rmSync(at("dist"), { recursive: true, force: true });
for (const [form, type] of [["esm", "module"], ["cjs", "commonjs"]]) {
  execFileSync(process.execPath, [tsc, "-p", at(`tsconfig.${form}.json`)], { stdio: "inherit" });
  mkdirSync(at(`dist/${form}`), { recursive: true });
  // The package itself says `module`; below `dist/cjs` that is not so.
  writeFileSync(at(`dist/${form}/package.json`), `${JSON.stringify({ type })}\n`);
}
