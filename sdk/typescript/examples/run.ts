// One program, one VM, one answer.
import { Client } from "llm-firecracker";

const client = new Client();
const result = await client.run({
  language: "python",
  code: `
import json, os, sys
numbers = [int(line) for line in open("numbers.txt")]
print(sys.argv[1], sum(numbers))
os.makedirs("out")
json.dump({"sum": sum(numbers)}, open("out/sum.json", "w"))
sys.exit(3)`,
  args: ["sum:"],
  files: [{ path: "numbers.txt", content: "1\n2\n39\n" }],
  timeout: 5,
});
console.log(result.status, result.exit_code);
console.log(result.stdout.trim());
console.log(result.artifacts[0]?.data["application/json"]);

// prints:
// error 3
// sum: 42
// { sum: 42 }
