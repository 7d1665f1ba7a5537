// No service yet? This starts one, with a key and a folder of its own, and ends it with the block.
import { startLocal } from "llm-firecracker/local";

await using client = await startLocal();
const { stdout } = await client.run({ language: "python", code: "print(6 * 7)" });
console.log(stdout.trim());

// prints:
// 42
