// Starts a service, says where it is, and closes nothing: it is killed, or with `exit` just ends.

import { readdirSync, readFileSync } from "node:fs";
import { startLocal } from "llm-firecracker/local";

const client = await startLocal();
const { port } = new URL(client.url);
await client.sandbox({ language: "python" });

/** The service of this process: it says its port nowhere but on the line that is read already, so by its parents. */
function service(): { pid: number; folder: string } {
  for (const entry of readdirSync("/proc")) {
    if (!/^\d+$/.test(entry)) continue;
    const words = read(`/proc/${entry}/cmdline`).split("\0");
    const parent = /^PPid:\s*(\d+)/m.exec(read(`/proc/${entry}/status`))?.[1];
    const grandparent = parent && /^PPid:\s*(\d+)/m.exec(read(`/proc/${parent}/status`))?.[1];
    const at = words.indexOf("--state-dir");
    if (grandparent === String(process.pid) && at > 0) return { pid: Number(entry), folder: words[at + 1] ?? "" };
  }
  throw new Error(`no service of this process is at port ${port}`);
}

function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    // A process that ends meanwhile is no process.
    return "";
  }
}

console.log(JSON.stringify(service()));
if (process.argv[2] === "exit") process.exit(0);
