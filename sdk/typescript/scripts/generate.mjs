// Writes `src/generated` from a service's /openapi.json: `npm run generate -- http://127.0.0.1:8080`, or with `--local`
// that of a service which it starts (what is built must be so then).
import { mkdirSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { generated } from "./generated.mjs";

async function write(base) {
  const folder = fileURLToPath(new URL("../src/generated/", import.meta.url));
  mkdirSync(folder, { recursive: true });
  for (const [name, text] of Object.entries(await generated(base))) {
    writeFileSync(`${folder}${name}`, text);
    console.log(`wrote src/generated/${name}`);
  }
}

const [, , base = process.env.LLM_FIRECRACKER_URL ?? "http://127.0.0.1:8080"] = process.argv;
if (base === "--local") {
  const { startLocal } = await import("llm-firecracker/local");
  const client = await startLocal();
  try {
    await write(client.url);
  } finally {
    await client.close();
  }
} else {
  await write(base);
}
