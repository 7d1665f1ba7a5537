// Commands that are run to their end, and processes that run on.
import { Client } from "llm-firecracker";

const client = new Client();
await using sandbox = await client.sandbox({ language: "python" });
const { stdout, exit_code } = await sandbox.commands.run("echo out; echo err >&2; exit 3");
console.log(exit_code, stdout.trim());
const sorted = await sandbox.commands.run(["sort", "-n"], { stdin: "30\n4\n" });
console.log(sorted.stdout.trim().split("\n"));

const server = await sandbox.processes.start("python3 -u -m http.server 8000");
for await (const event of server.output()) {
  if (event.event === "output" && event.data.includes("Serving")) break;
}
const page = await sandbox.commands.run("python3 -c 'import urllib.request as u; print(u.urlopen(\"http://localhost:8000\").status)'");
console.log(page.stdout.trim());
await server.signal("SIGTERM");
console.log((await server.wait()).signal);

const adder = await sandbox.processes.start(["python3", "-c", "print(sum(map(int, open(0))))"], { stdin: "open" });
await adder.write("1\n");
await adder.closeStdin("41\n");
console.log((await adder.wait()).stdout.trim());

// prints:
// 3 out
// [ '4', '30' ]
// 200
// 15
// 42
