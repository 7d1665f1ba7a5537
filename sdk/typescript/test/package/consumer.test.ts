// The types, as programs of others have them: strict, nothing skipped, by each way of finding modules.

import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { after, test } from "node:test";
import ts from "typescript";

const root = fileURLToPath(new URL("../../", import.meta.url));
const project = mkdtempSync(join(tmpdir(), "llm-firecracker-types-"));
after(() => rmSync(project, { recursive: true }));
mkdirSync(join(project, "node_modules/@types"), { recursive: true });
symlinkSync(root, join(project, "node_modules/llm-firecracker"));
for (const name of ["@types/node", "undici-types"]) symlinkSync(join(root, "node_modules", name), join(project, "node_modules", name));

const SOURCE = `
import { Client, isProblem, type ProcessEvent, type RunResult, type Sandbox } from "llm-firecracker";
import { startLocal, type LocalClient } from "llm-firecracker/local";
export async function use(client: Client | LocalClient): Promise<RunResult> {
  const sandbox: Sandbox = await client.sandbox({ language: "python", limits: { memory_mib: 256 } });
  const { text, results } = await sandbox.runCode("1", { onStdout: (text) => text.length });
  const html: string | undefined = results[0]?.data["text/html"] ?? text;
  for await (const event of (await sandbox.processes.start(["ls"])).output()) told(event);
  try {
    return await (await startLocal()).run({ language: "python", code: html ?? "" });
  } catch (error) {
    if (isProblem(error, "queue_full")) throw new Error(error.detail);
    throw error;
  }
}
function told(event: ProcessEvent): string {
  switch (event.event) {
    case "output": return event.data;
    case "exit": return String(event.exit_code);
    case "expiring": return String(event.seconds_left);
    case "started": return event.argv.join(" ");
  }
}
`;
writeFileSync(join(project, "use.mts"), SOURCE);
writeFileSync(join(project, "use.cts"), SOURCE);
writeFileSync(join(project, "use.ts"), SOURCE);
const WRONG: [string, string][] = [
  [`client.run({ code: "1", languge: "python" })`, "a field that there is not"],
  [`client.run({ language: "python" })`, "no code"],
  [`client.sandbox().then((sandbox) => sandbox.files.read(1))`, "a path that is no text"],
];
const wrong = WRONG.map(([call]) => `void ${call};\n`).join("");
writeFileSync(join(project, "wrong.mts"), `import { Client } from "llm-firecracker";\nconst client = new Client();\n${wrong}`);

/** What the compiler says, a line each; at the lines of `file` where it is of that. */
function compile(file: string, options: ts.CompilerOptions): string[] {
  const all: ts.CompilerOptions = {
    strict: true, noEmit: true, target: ts.ScriptTarget.ES2022, types: ["node"], typeRoots: [join(project, "node_modules/@types")],
    // The compiler's own files need no check; ours do.
    skipDefaultLibCheck: true, ...options,
  };
  const program = ts.createProgram([join(project, file)], all);
  return ts.getPreEmitDiagnostics(program).map((said) => {
    const line = said.file && said.file.getLineAndCharacterOfPosition(said.start ?? 0).line;
    return `${basename(said.file?.fileName ?? "")}:${line}: ${ts.flattenDiagnosticMessageText(said.messageText, " ")}`;
  });
}

const { ModuleKind, ModuleResolutionKind } = ts;
const NODE = ["lib.es2022.d.ts"];
const BROWSER = [...NODE, "lib.dom.d.ts"];
const ROWS: [string, string, ts.CompilerOptions][] = [
  ["ES modules, with a browser's types", "use.mts", { module: ModuleKind.NodeNext, lib: BROWSER }],
  ["CommonJS, with Node's types alone", "use.cts", { module: ModuleKind.NodeNext, lib: NODE }],
  ["a bundler's", "use.ts", { module: ModuleKind.ESNext, moduleResolution: ModuleResolutionKind.Bundler, lib: BROWSER }],
  ["as before there were exports", "use.ts", { module: ModuleKind.CommonJS, moduleResolution: ModuleResolutionKind.Node10, lib: NODE }],
];
for (const [name, file, options] of ROWS) {
  test(`types: ${name}`, () => assert.deepEqual(compile(file, options), []));
}

test("types: what is wrong is refused", () => {
  const said = compile("wrong.mts", { module: ModuleKind.NodeNext, lib: NODE });
  WRONG.forEach(([, what], at) => assert.ok(said.some((line) => line.startsWith(`wrong.mts:${at + 2}:`)), what));
  assert.equal(said.length, WRONG.length);
});
