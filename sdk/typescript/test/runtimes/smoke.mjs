// The package as it is installed from its archive, on whatever runtime runs this: plain JavaScript that all of them read.
import { Client, isProblem } from "llm-firecracker";
import * as whole from "llm-firecracker";

const checks = [];
const check = (name, is) => checks.push([name, is]);

const client = new Client();
const result = await client.run({ language: "python", code: "print('hü' * 3)" });
check("a program", result.stdout === "hühühü\n" && result.status === "ok");
const refused = await client.run({ language: "cobol", code: "x" }).catch((error) => error);
check("a refusal", isProblem(refused, "language_unknown"));
const given = await client
  .run({ language: "python", code: "while True: pass" }, { signal: AbortSignal.timeout(500) })
  .catch((error) => error.name);
check("giving up", given === "TimeoutError");

const sandbox = await client.sandbox({ language: "python" });
try {
  const heard = [];
  await sandbox.runCode("x = 41");
  const { text } = await sandbox.runCode("print(1)\nx + 1", { onStdout: (text) => heard.push(text) });
  check("code", text === "42" && heard.join("") === "1\n");
  const { stdout } = await sandbox.commands.run("tr a-z A-Z", { stdin: "abc" });
  check("a command", stdout === "ABC");
  const body = new Blob(["stream"]).stream();
  await sandbox.files.write("/work/ü", body);
  check("files", (await sandbox.files.read("/work/ü")) === "stream");
  const large = new Uint8Array(3_000_000).fill(7);
  await sandbox.files.write("/work/large", large);
  let bytes = 0;
  for await (const piece of await sandbox.files.readStream("/work/large")) bytes += piece.length;
  check("a large file", bytes === large.length);
  for await (const change of sandbox.files.watch("/work")) {
    if (change.event === "watching") await sandbox.files.makeFolder("/work/new");
    if (change.event === "created") break;
  }
  check("a watch", true);
  const shell = await sandbox.processes.start(["bash", "--norc"], { pty: { rows: 24, columns: 80 } });
  let screen = "";
  const terminal = await shell.terminal({ onData: (data) => (screen += new TextDecoder().decode(data)) });
  terminal.resize({ rows: 50, columns: 132 });
  terminal.write("stty size; exit 5\n");
  check("a terminal", (await terminal.exit).exit_code === 5 && screen.includes("50 132"));
  const none = await sandbox.processes.start("sleep 100").then((process) => process.terminal()).catch((error) => error);
  check("why there is no terminal", isProblem(none, "no_terminal"));
} finally {
  await sandbox[Symbol.asyncDispose]();
}
check("an end", isProblem(await sandbox.info().catch((error) => error), "sandbox_not_found"));

const { startLocal } = await import("llm-firecracker/local");
const local = await startLocal();
check("the local mode", (await local.run({ language: "python", code: "print(1)" })).stdout === "1\n");
await local.close();
check("its end", (await local.ready().catch((error) => error.name)) === "ConnectionError");
check("what is exported", Object.keys(whole).length > 10);

const failed = checks.filter(([, is]) => !is).map(([name]) => name);
if (failed.length > 0) throw new Error(`not so: ${failed.join(", ")}`);
console.log(`${checks.length} checks`);
