// The same archive by `require`, and beside the ES module of it.
const { Client, isProblem, ProblemError } = require("llm-firecracker");
const { startLocal } = require("llm-firecracker/local");

async function main() {
  const checks = [];
  const check = (name, is) => checks.push([name, is]);
  const client = await startLocal();
  check("a client", client instanceof Client);
  check("a program", (await client.run({ language: "python", code: "print(6 * 7)" })).stdout === "42\n");
  const error = await client.run({ language: "cobol", code: "x" }).catch((error) => error);
  const esm = await import("llm-firecracker");
  check("a problem", error instanceof ProblemError && isProblem(error, "language_unknown"));
  check("a problem of the other form", esm.isProblem(error, "language_unknown"));
  check("the same names", Object.keys(esm).every((name) => name === "default" || name === "module.exports" || name in require("llm-firecracker")));
  await client.close();
  const failed = checks.filter(([, is]) => !is).map(([name]) => name);
  if (failed.length > 0) throw new Error(`not so: ${failed.join(", ")}`);
  console.log(`${checks.length} checks`);
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
