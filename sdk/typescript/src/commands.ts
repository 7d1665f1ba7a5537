import type { ProcessEvent } from "./models.js";
import { ConnectionError, isProblem } from "./problem.js";
import {
  gather,
  type Command,
  type Process,
  type Processes,
  type ProcessResult,
  type StartOptions,
  type WaitOptions,
} from "./processes.js";
import type { Data } from "./transport.js";

/** How a command is run, and what hears of it; the fields with underscores are the API's own. */
export interface CommandOptions extends WaitOptions, Omit<StartOptions, "signal" | "stdin" | "pty"> {
  /** All of its standard input; absent: none. */
  stdin?: Data | undefined;
}

/** Commands that are run to their end. */
export class Commands {
  readonly #processes: Processes;

  /** @internal */
  constructor(processes: Processes) {
    this.#processes = processes;
  }

  /**
   * Runs a command to its end and gives what it wrote. One that failed is a result like others: look at `exit_code`.
   * Giving the call up kills it. What it started ends with it; for what should run on there is
   * {@link Processes.start}.
   *
   * @example
   * ```ts
   * const { stdout, exit_code } = await sandbox.commands.run("ls -l | wc -l");
   * const sorted = await sandbox.commands.run(["sort", "-n"], { stdin: "3\n1\n2\n" });
   * ```
   */
  async run(command: Command, options: CommandOptions = {}): Promise<ProcessResult> {
    const { onStdout, onStderr, onExpiring, keep, stdin, signal: asked, ...rest } = options;
    const input = stdin === undefined ? {} : { stdin: "open" as const };
    // Each half of it ends the other.
    const over = new AbortController();
    const signal = asked ? AbortSignal.any([asked, over.signal]) : over.signal;
    // Who goes does not want it to run on.
    const events = this.#processes.stream(command, { on_disconnect: "kill", ...rest, ...input, signal });
    let process: Process | undefined;
    const begin = (id: number) => {
      process = this.#processes.get(id);
      // Without its input it might wait for ever.
      if (stdin !== undefined) feed(process, stdin, signal).catch((error: unknown) => over.abort(error));
    };
    try {
      return await gather(started(events, begin), { onStdout, onStderr, onExpiring, keep });
    } finally {
      over.abort();
      // There may be 256 processes, ended ones too. Who has given up does not wait for it.
      const forgotten = process?.forget().catch(() => {});
      if (!asked?.aborted) await forgotten;
    }
  }
}

/** The same events; says the process's id once it has started. */
async function* started(events: AsyncIterable<ProcessEvent>, begin: (id: number) => void): AsyncGenerator<ProcessEvent, void> {
  for await (const event of events) {
    if (event.event === "started") begin(event.id);
    yield event;
  }
}

async function feed(process: Process, stdin: Data, signal: AbortSignal): Promise<void> {
  try {
    await process.closeStdin(stdin, { signal });
  } catch (error) {
    // It need not read all of it, or any. Who is still sending then may see no more of that than a broken pipe.
    if (isProblem(error, "process_ended", "stdin_closed", "process_not_found")) return;
    if (error instanceof ConnectionError && (await hasEnded(process, signal))) return;
    throw error;
  }
}

async function hasEnded(process: Process, signal: AbortSignal): Promise<boolean> {
  const info = await process.info({ signal }).catch(() => undefined);
  return info?.exit != null;
}
