import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { test } from "node:test";
import ts from "typescript";

const root = new URL("../../", import.meta.url);
const text = (path: string) => readFileSync(new URL(path, root), "utf8");
const manifest = JSON.parse(text("package.json")) as {
  dependencies?: object;
  exports: Record<string, string | Record<string, Record<string, string>>>;
  main: string;
  types: string;
};

/** What `npm pack` would put into the archive. */
function packed(): { path: string; size: number }[] {
  const args = ["pack", "--dry-run", "--json", "--ignore-scripts"];
  const said = execFileSync("npm", args, { cwd: fileURLToPath(root), encoding: "utf8" });
  const [archive] = JSON.parse(said) as [{ files: { path: string; size: number }[] }];
  return archive.files;
}

test("the archive holds what is built and the README, and nothing else", () => {
  const files = packed();
  const paths = files.map(({ path }) => path);
  const sources = readdirSync(new URL("src", root), { recursive: true, encoding: "utf8" });
  const modules = sources.filter((path) => path.endsWith(".ts")).map((path) => path.replace(/\.ts$/, ""));
  const built = ["esm", "cjs"].flatMap((form) => [
    `dist/${form}/package.json`,
    ...modules.flatMap((module) => [`dist/${form}/${module}.js`, `dist/${form}/${module}.d.ts`]),
  ]);
  assert.deepEqual(paths.toSorted(), ["README.md", "package.json", ...built].toSorted());
  const bytes = files.reduce((sum, { size }) => sum + size, 0);
  assert.ok(bytes < 500_000, `${bytes} bytes`);
});

test("what the manifest names is in it, and it depends on nothing", () => {
  const paths = packed().map(({ path }) => `./${path}`);
  const entries = Object.values(manifest.exports).flatMap((entry) =>
    typeof entry === "string" ? [entry] : Object.values(entry).flatMap((form) => Object.values(form)),
  );
  for (const path of [...entries, manifest.main, manifest.types]) assert.ok(paths.includes(path), path);
  assert.equal(manifest.dependencies, undefined);
});

test("only the local mode imports Node's modules, and nothing imports another package", () => {
  for (const path of packed().map(({ path }) => path)) {
    if (!/\.(js|d\.ts)$/.test(path)) continue;
    const imports = ts.preProcessFile(text(path), true, true).importedFiles.map(({ fileName }) => fileName);
    for (const name of imports) {
      const isOwn = name.startsWith("./") || name.startsWith("../");
      const isNodes = name.startsWith("node:") && /dist\/(esm|cjs)\/local(\/|\.)/.test(path);
      assert.ok(isOwn || isNodes, `${path} imports ${name}`);
    }
  }
});
