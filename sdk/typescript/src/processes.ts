import type {
  Expiring,
  ProcessEvent,
  ProcessExit,
  ProcessInfo,
  ProcessRequest,
  SignalTarget,
  Size,
} from "./models.js";
import type { Place } from "./place.js";
import { isProblem } from "./problem.js";
import { Terminal, type TerminalOptions } from "./terminal.js";
import { Kept, MAX_KEPT } from "./text.js";
import { told, toldOn, type Ending } from "./told.js";
import type { CallOptions, Data } from "./transport.js";

/** A line for `/bin/bash -c`, or a program and its arguments, run without a shell. */
export type Command = string | readonly string[];

/** How a process is started; the fields with underscores are the API's own. */
export type StartOptions = CallOptions & Omit<ProcessRequest, "cmd" | "argv" | "background">;

/** What hears of a process while it runs. It waits for what these return. */
export interface WaitOptions extends CallOptions {
  /** What it writes to standard output, or to its terminal. */
  onStdout?: (text: string) => unknown;
  /** What it writes to standard error. */
  onStderr?: (text: string) => unknown;
  /** Its sandbox ends by itself soon. */
  onExpiring?: (expiring: Expiring) => unknown;
  /** Characters that are kept of each output; absent: 16 Mi. What is over is heard, and then gone. */
  keep?: number;
}

/** How a process ended, and what it wrote. */
export type ProcessResult = ProcessExit & {
  /** What it wrote to standard output, or to its terminal; bytes that are no UTF-8 replaced. */
  stdout: string;
  /** What it wrote to standard error. */
  stderr: string;
  /** The end of `stdout` is not kept. */
  stdout_truncated: boolean;
  /** The end of `stderr` is not kept. */
  stderr_truncated: boolean;
};

const ENDING: Ending<ProcessEvent> = {
  what: "the process's output",
  isLast: (event) => event.event === "exit",
  problem: "error",
};

/** The processes of a sandbox. */
export class Processes {
  /** @internal */
  readonly place: Place;

  /** @internal */
  constructor(place: Place) {
    this.place = place;
  }

  /** Starts one that runs on by itself, until it ends, is killed or the sandbox ends. */
  async start(command: Command, options: StartOptions = {}): Promise<Process> {
    const { signal, ...rest } = options;
    const call = { method: "POST", path: this.#path, json: { ...rest, ...wanted(command) }, signal } as const;
    const info = await this.place.transport.json<ProcessInfo>(call);
    return new Process(this.place, info.id);
  }

  /** Starts one, and tells of it: `started`, then what it writes, at last `exit`. @internal */
  stream(command: Command, options: StartOptions): AsyncGenerator<ProcessEvent, void> {
    const { signal, ...rest } = options;
    const json = { ...rest, ...wanted(command), background: false };
    const events = this.place.transport.events({ method: "POST", path: this.#path, json, signal });
    return told(events, ENDING);
  }

  /** Those that were started and not forgotten, oldest first. */
  list(options: CallOptions = {}): Promise<ProcessInfo[]> {
    return this.place.transport.json({ method: "GET", path: this.#path, signal: options.signal });
  }

  /** One that is there already, by its id; nothing is asked of it yet. */
  get(id: number): Process {
    return new Process(this.place, id);
  }

  get #path(): string {
    return `${this.place.path}/processes`;
  }
}

function wanted(command: Command): Pick<ProcessRequest, "cmd" | "argv"> {
  return typeof command === "string" ? { cmd: command } : { argv: [...command] };
}

/**
 * A process of a sandbox. At the end of an `await using` block it is killed and forgotten.
 *
 * @example
 * ```ts
 * const server = await sandbox.processes.start("python3 -m http.server 8000");
 * await server.signal("SIGINT");
 * const { exit_code } = await server.wait();
 * ```
 */
export class Process implements AsyncDisposable {
  /** Its name in its sandbox. */
  readonly id: number;
  readonly #place: Place;
  readonly #path: string;

  /** @internal */
  constructor(place: Place, id: number) {
    this.id = id;
    this.#place = place;
    this.#path = `${place.path}/processes/${id}`;
  }

  /** What the service tells of it. */
  info(options: CallOptions = {}): Promise<ProcessInfo> {
    return this.#place.transport.json({ method: "GET", path: this.#path, signal: options.signal });
  }

  /**
   * What it wrote from an offset on, as far as that is kept, and what comes; the last is `exit`. Goes on by itself where
   * the connection breaks. Leaving the loop ends nothing.
   */
  output(options: CallOptions & { from?: number } = {}): AsyncGenerator<ProcessEvent, void> {
    const { from, signal } = options;
    const request = { method: "GET", path: `${this.#path}/output`, query: { from }, signal } as const;
    return toldOn(this.#place.transport, request, ENDING);
  }

  /** Waits for its end, and gives what it wrote. */
  wait(options: WaitOptions & { from?: number } = {}): Promise<ProcessResult> {
    const { from, signal } = options;
    return gather(this.output({ from, signal }), options);
  }

  /** Appends to its standard input (`stdin: "open"`), or types into its terminal. Waits until the sandbox took it. */
  async write(data: Data, options: CallOptions = {}): Promise<void> {
    await this.#feed(data, {}, options);
  }

  /** Closes its standard input, behind this data when there is some. */
  async closeStdin(data: Data = "", options: CallOptions = {}): Promise<void> {
    await this.#feed(data, { close: true }, options);
  }

  /** Sends it a signal: a name such as `SIGINT`, or a number. Absent `to`: it and what it started (its group). */
  signal(signal: string | number, options: CallOptions & { to?: SignalTarget } = {}): Promise<void> {
    const json = { signal, to: options.to };
    return this.#post("signal", json, options);
  }

  /** Kills it and all that it started. One that has ended already is left alone. */
  async kill(options: CallOptions = {}): Promise<void> {
    try {
      await this.signal("SIGKILL", { ...options, to: "all" });
    } catch (error) {
      if (!isProblem(error, "process_ended")) throw error;
    }
  }

  /** Gives its terminal another size. */
  resize(size: Size, options: CallOptions = {}): Promise<void> {
    return this.#post("resize", size, options);
  }

  /** Opens its terminal (`pty`), for a person: keys in, what is shown out. */
  terminal(options: TerminalOptions = {}): Promise<Terminal> {
    return Terminal.open(this.#place.transport, `${this.#path}/terminal`, options);
  }

  /** Kills it and all that it started, and forgets what it wrote: a sandbox keeps 256 processes. */
  async forget(options: CallOptions = {}): Promise<void> {
    try {
      await this.#place.transport.done({ method: "DELETE", path: this.#path, signal: options.signal });
    } catch (error) {
      if (!isProblem(error, "process_not_found", "sandbox_not_found")) throw error;
    }
  }

  /** Forgets it at the end of an `await using` block. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.forget();
  }

  #feed(data: Data, query: { close?: boolean }, { signal }: CallOptions): Promise<void> {
    const path = `${this.#path}/stdin`;
    return this.#place.transport.done({ method: "POST", path, query, body: data, signal });
  }

  #post(what: string, json: unknown, { signal }: CallOptions): Promise<void> {
    return this.#place.transport.done({ method: "POST", path: `${this.#path}/${what}`, json, signal });
  }
}

/** Hears a process to its end. @internal */
export async function gather(events: AsyncIterable<ProcessEvent>, options: WaitOptions): Promise<ProcessResult> {
  const keep = options.keep ?? MAX_KEPT;
  const [out, err] = [new Kept(keep), new Kept(keep)];
  for await (const event of events) {
    if (event.event === "output") {
      const isError = event.stream === "stderr";
      (isError ? err : out).add(event.data);
      await (isError ? options.onStderr : options.onStdout)?.(event.data);
    } else if (event.event === "expiring") {
      const { event: _, ...expiring } = event;
      await options.onExpiring?.(expiring);
    } else if (event.event === "exit") {
      const { event: _, ...exit } = event;
      const texts = { stdout: out.text, stderr: err.text };
      return { ...exit, ...texts, stdout_truncated: out.truncated, stderr_truncated: err.truncated };
    }
  }
  throw new TypeError("a stream without an exit is an error already");
}
