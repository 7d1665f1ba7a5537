// What a program prints, as it prints it.
import { Client } from "llm-firecracker";

const client = new Client();
const code = `
import time
for n in range(3):
    print("step", n)
    time.sleep(0.1)`;
for await (const event of client.stream({ language: "python", code })) {
  if (event.event === "stdout") process.stdout.write(event.data);
  if (event.event === "result") console.log(event.status);
}

// prints:
// step 0
// step 1
// step 2
// ok
