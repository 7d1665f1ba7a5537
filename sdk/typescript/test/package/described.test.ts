// What is written about the package, and what it is written for, are held together.

import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import ts from "typescript";
// @ts-expect-error It is plain JavaScript.
import { generated, operations } from "../../scripts/generated.mjs";
import { service } from "../shared/service.ts";

const root = new URL("../../", import.meta.url);
const client = await service();

test("the generated types are those of the service: else scripts/test-sdk-typescript.sh --generate", async () => {
  const files = (await generated(client.url)) as Record<string, string>;
  for (const [name, text] of Object.entries(files)) {
    const committed = readFileSync(new URL(`src/generated/${name}`, root), "utf8");
    // Not by `equal`, whose message would be the whole of both.
    assert.ok(text === committed, `src/generated/${name} is stale`);
  }
});

/** Operations that the package has no method for, with the reason. */
const WITHOUT: Record<string, string> = {
  "get /api/v1/doctor": "for who runs the service",
  "get /api/v1/events": "for who runs the service",
  "get /api/v1/history": "for who runs the service",
  "get /api/v1/jobs": "for who runs the service; a job's answer has its result",
  "get /api/v1/jobs/{id}": "for who runs the service; a job's answer has its result",
  "get /api/v1/jobs/{id}/artifacts/{name}": "for who runs the service; a job's answer has its files",
  "get /api/v1/usage": "for who runs the service",
  "get /api/v1/whoami": "for who runs the service",
  "get /api/v1/snapshots": "for who runs the service",
  "get /api/v1/status": "for who runs the service",
  "get /metrics": "for who runs the service",
  "get /healthz": "for who runs the service; `ready` says more",
  "get /api/v1/sessions": "a sandbox's contexts do more",
  "post /api/v1/sessions": "a sandbox's contexts do more",
  "get /api/v1/sessions/{id}": "a sandbox's contexts do more",
  "patch /api/v1/sessions/{id}": "a sandbox's contexts do more",
  "delete /api/v1/sessions/{id}": "a sandbox's contexts do more",
  "post /api/v1/sessions/{id}/execute": "a sandbox's contexts do more",
  "get /api/v1/sessions/{id}/files": "a sandbox's contexts do more",
  "post /api/v1/sessions/{id}/files": "a sandbox's contexts do more",
  "put /api/v1/sessions/{id}/files": "a sandbox's contexts do more",
  "delete /api/v1/sessions/{id}/files": "a sandbox's contexts do more",
  "get /api/v1/sessions/{id}/files/content": "a sandbox's contexts do more",
  "post /api/v1/sessions/{id}/interrupt": "a sandbox's contexts do more",
  "post /api/v2/execute": "for Piston's clients",
  "get /api/v2/runtimes": "for Piston's clients",
};

/** Operations that it has, each with the method that asks for it. */
const WITH: Record<string, string> = {
  "post /api/v1/execute": "Client.stream",
  "get /api/v1/languages": "Client.languages",
  "get /api/v1/rootfs": "Client.images",
  "get /readyz": "Client.ready",
  "get /api/v1/sandboxes": "Client.sandboxes",
  "post /api/v1/sandboxes": "Client.sandbox",
  "get /api/v1/sandboxes/{id}": "Sandbox.info",
  "patch /api/v1/sandboxes/{id}": "Sandbox.extend",
  "delete /api/v1/sandboxes/{id}": "Sandbox.close",
  "post /api/v1/sandboxes/{id}/execute": "Sandbox.streamCode",
  "get /api/v1/sandboxes/{id}/contexts": "Contexts.list",
  "post /api/v1/sandboxes/{id}/contexts": "Contexts.create",
  "delete /api/v1/sandboxes/{id}/contexts/{context}": "Context.delete",
  "get /api/v1/sandboxes/{id}/contexts/{context}/events": "Context.events",
  "post /api/v1/sandboxes/{id}/contexts/{context}/interrupt": "Context.interrupt",
  "post /api/v1/sandboxes/{id}/contexts/{context}/restart": "Context.restart",
  "get /api/v1/sandboxes/{id}/entries": "Files.list",
  "get /api/v1/sandboxes/{id}/entries/stat": "Files.stat",
  "get /api/v1/sandboxes/{id}/files": "Files.readStream",
  "put /api/v1/sandboxes/{id}/files": "Files.write",
  "delete /api/v1/sandboxes/{id}/files": "Files.remove",
  "get /api/v1/sandboxes/{id}/files/watch": "Files.watch",
  "post /api/v1/sandboxes/{id}/folders": "Files.makeFolder",
  "post /api/v1/sandboxes/{id}/move": "Files.move",
  "get /api/v1/sandboxes/{id}/processes": "Processes.list",
  "post /api/v1/sandboxes/{id}/processes": "Processes.start",
  "get /api/v1/sandboxes/{id}/processes/{process}": "Process.info",
  "delete /api/v1/sandboxes/{id}/processes/{process}": "Process.forget",
  "get /api/v1/sandboxes/{id}/processes/{process}/output": "Process.output",
  "post /api/v1/sandboxes/{id}/processes/{process}/resize": "Process.resize",
  "post /api/v1/sandboxes/{id}/processes/{process}/signal": "Process.signal",
  "post /api/v1/sandboxes/{id}/processes/{process}/stdin": "Process.write",
  "get /api/v1/sandboxes/{id}/processes/{process}/terminal": "Process.terminal",
};

test("every operation of the API has a method, or a reason why not", async () => {
  const description: unknown = await (await fetch(`${client.url}/openapi.json`)).json();
  const all = (operations(description) as { method: string; path: string }[]).map(({ method, path }) => `${method} ${path}`);
  const told = [...Object.keys(WITH), ...Object.keys(WITHOUT)];
  assert.deepEqual(all.filter((operation) => !told.includes(operation)), [], "neither a method nor a reason");
  assert.deepEqual(told.filter((operation) => !all.includes(operation)), [], "no such operation any more");
  const methods = members();
  for (const method of Object.values(WITH)) assert.ok(methods.has(method), method);
});

/** Each exported name, and each public member of an exported class or interface, with its doc comment. */
function members(): Map<string, string> {
  const paths = ["index", "local"].map((name) => fileURLToPath(new URL(`dist/esm/${name}.d.ts`, root)));
  const program = ts.createProgram(paths, { module: ts.ModuleKind.NodeNext, lib: ["lib.es2023.d.ts", "lib.dom.d.ts"] });
  const checker = program.getTypeChecker();
  const found = new Map<string, string>();
  for (const path of paths) {
    const module = checker.getSymbolAtLocation(program.getSourceFile(path)!)!;
    for (const exported of checker.getExportsOfModule(module)) {
      const symbol = exported.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(exported) : exported;
      found.set(symbol.name, comment(symbol, checker));
      for (const member of symbol.members?.values() ?? []) {
        if (member.flags & ts.SymbolFlags.TypeParameter || /^(__constructor|#private)$/.test(member.name)) continue;
        if (member.name.includes("#private")) continue;
        found.set(`${symbol.name}.${member.name}`, comment(member, checker));
      }
    }
  }
  return found;
}

function comment(symbol: ts.Symbol, checker: ts.TypeChecker): string {
  return ts.displayPartsToString(symbol.getDocumentationComment(checker));
}

test("everything that is exported says what it is", () => {
  const all = members();
  assert.ok(all.size > 100, `${all.size} names`);
  const silent = [...all].filter(([, comment]) => !comment.trim()).map(([name]) => name);
  assert.deepEqual(silent, []);
});
