// What goes wrong, by kind. A program that failed is a result, not an error.
import { Client, ConnectionError, isProblem } from "llm-firecracker";

const client = new Client();
try {
  await client.run({ language: "cobol", code: "DISPLAY 'HI'." });
} catch (error) {
  if (!isProblem(error, "language_unknown")) throw error;
  console.log(error.code, error.status, error.field);
}

// Giving up: the program ends, and so does its VM.
try {
  await client.run({ language: "python", code: "while True: pass" }, { signal: AbortSignal.timeout(500) });
} catch (error) {
  console.log((error as Error).name);
}

// A limit is no error either.
const { status } = await client.run({ language: "python", code: "while True: pass", timeout: 0.5 });
console.log(status);

const nobody = new Client({ url: "http://127.0.0.1:9" });
await nobody.languages().catch((error: unknown) => console.log(error instanceof ConnectionError));

// prints:
// language_unknown 400 language
// TimeoutError
// timeout
// true
