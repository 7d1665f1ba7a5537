// A terminal, as a page with xterm.js would have it.
import { Client } from "llm-firecracker";

const client = new Client();
await using sandbox = await client.sandbox({ language: "python" });
const shell = await sandbox.processes.start(["bash", "--norc"], { pty: { rows: 24, columns: 80 } });
let screen = "";
using terminal = await shell.terminal({ onData: (bytes) => (screen += new TextDecoder().decode(bytes)) });
terminal.resize({ rows: 50, columns: 132 });
terminal.write("stty size\nexit 7\n");
const { exit_code } = await terminal.exit;
console.log(exit_code, screen.includes("50 132"));

// prints:
// 7 true
