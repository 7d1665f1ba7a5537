// The process of a service of one's own: started, heard, ended; never left behind.

import { spawn, type ChildProcess } from "node:child_process";
import { createInterface } from "node:readline";
import { ConnectionError } from "../problem.js";
import type { State } from "./state.js";

/** Lines of the log that an error repeats. */
const LAST_LINES = 5;
/** How long it may take over its end before it is killed, in milliseconds: jobs that run are ended first. */
const GRACE = 35_000;

/**
 * The service is this script's child, and the script has a pipe to whoever started it: when that closes, by `close()` or
 * because the process is gone, however it went, the service is asked to end, and its folder removed.
 */
const KEEPER = `
folder=$1
shift
exec 3<&0
"$@" </dev/null 3<&- &
service=$!
{ while read -r _; do :; done <&3; kill -TERM $service 2>/dev/null; } &
keeper=$!
exec 3<&-
wait $service
code=$?
kill $keeper 2>/dev/null
rm -rf --one-file-system -- "$folder"
exit $code
`;

/** What is heard of a service. */
export interface Listener {
  /** What it says on standard error, line by line. */
  onLog?: ((line: string) => void) | undefined;
  /** Gives the start up. */
  signal?: AbortSignal | undefined;
}

/** A service that runs. */
export class Service {
  readonly #process: ChildProcess;

  /** Starts the tool's `serve` on a free port of the loopback address. */
  constructor(binary: string, state: State, flags: string[]) {
    const command = [binary, ...state.flags, "serve", "--listen", "127.0.0.1:0", ...flags];
    this.#process = spawn("/bin/sh", ["-c", KEEPER, "llm-firecracker", state.folder, ...command], {
      stdio: ["pipe", "ignore", "pipe"],
      // Ctrl-C is for this process, which then closes the pipe.
      detached: true,
    });
    // It may be gone before the pipe is closed.
    this.#process.stdin?.on("error", () => {});
  }

  /** The address that it says it listens on. */
  listening({ onLog, signal }: Listener): Promise<string> {
    const service = this.#process;
    const last: string[] = [];
    return new Promise((resolve, reject) => {
      if (!service.stderr) throw new ConnectionError("the service has no standard error");
      signal?.throwIfAborted();
      signal?.addEventListener("abort", () => reject(signal.reason as Error), { once: true });
      service.once("error", (cause) => reject(new ConnectionError("the service cannot be started", { cause })));
      service.once("close", (code) => {
        const words = last.join("; ") || "it said nothing";
        reject(new ConnectionError(`the service ended (${code ?? "by a signal"}): ${words}`));
      });
      // Read to the end, for a full pipe would hold the service up.
      createInterface({ input: service.stderr }).on("line", (line) => {
        last.push(line);
        if (last.length > LAST_LINES) last.shift();
        onLog?.(line);
        const [, address] = line.split(" listening on ");
        if (address) resolve(`http://${address}`);
      });
    });
  }

  /** Asks it to end, and waits for that. */
  async stop(): Promise<void> {
    const { pid, exitCode, signalCode, stdin } = this.#process;
    if (exitCode !== null || signalCode !== null || pid === undefined) return;
    const ended = new Promise<void>((resolve) => this.#process.once("exit", () => resolve()));
    stdin?.end();
    // Its whole group: the script, and the service.
    const timer = setTimeout(() => process.kill(-pid, "SIGKILL"), GRACE);
    await ended;
    clearTimeout(timer);
  }
}
