// What `src/generated` should hold, by a service's own description.
import openapiTS, { astToString } from "openapi-typescript";

const HEAD = "// Made from /openapi.json by `npm run generate`; not edited by hand.\n\n";

/** File name → text. */
export async function generated(base) {
  const answer = await fetch(new URL("/openapi.json", base));
  if (!answer.ok) throw new Error(`${base}/openapi.json answers ${answer.status}`);
  const description = await answer.json();
  const refusals = codes(description);
  for (const { operation } of operations(description)) simplify(operation);
  const types = astToString(await openapiTS(description));
  return { "api.ts": HEAD + types, "codes.ts": HEAD + refusals };
}

function simplify(operation) {
  // Not every version of the service has unique ones, which OpenAPI asks for; path and method name it as well.
  delete operation.operationId;
  // All refusals are one type; told of each operation they would be nine tenths of the file.
  for (const status of Object.keys(operation.responses)) {
    if (Number(status) >= 400) delete operation.responses[status];
  }
}

/** Each operation with its method and path. */
export function operations(description) {
  return Object.entries(description.paths).flatMap(([path, item]) =>
    Object.entries(item)
      .filter(([, operation]) => operation.responses)
      .map(([method, operation]) => ({ path, method, operation })),
  );
}

/** Each code of a problem with its status: the description of every refusal lists those that it may have. */
function codes(description) {
  const found = new Map();
  for (const { operation } of operations(description)) {
    for (const [status, answer] of Object.entries(operation.responses)) {
      if (!answer.content?.["application/problem+json"]) continue;
      for (const [, code] of answer.description.matchAll(/`([a-z_]+)`/g)) found.set(code, status);
    }
  }
  const rows = [...found].sort(([a], [b]) => (a < b ? -1 : 1));
  const lines = rows.map(([code, status]) => `  ${code}: ${status},\n`).join("");
  return `/** Codes of problems, each with its HTTP status. */\nexport const CODES = {\n${lines}} as const;\n`;
}
