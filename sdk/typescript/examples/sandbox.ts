// A VM that stays, and code in an interpreter that keeps its variables.
import { Client } from "llm-firecracker";

const client = new Client();
await using sandbox = await client.sandbox({ language: "python", timeout: 300 });
await sandbox.runCode("x = 41");
const { text } = await sandbox.runCode("x + 1");
console.log(text);

const failed = await sandbox.runCode("print('before')\n1 / 0", {
  onStdout: (text) => console.log("heard:", text.trim()),
  onResult: (result) => console.log(result.data["text/plain"]),
});
console.log(failed.status, failed.error?.name);

await using shell = await sandbox.contexts.create({ language: "bash", cwd: "/tmp" });
await shell.runCode("greeting=hello");
const { logs } = await shell.runCode('echo "$greeting from $PWD"');
console.log(logs.stdout.trim());

// prints:
// 42
// heard: before
// error ZeroDivisionError
// hello from /tmp
