/// <reference lib="esnext.disposable" preserve="true" />
import { Commands } from "./commands.js";
import { Contexts, runCell, streamCell, type CodeOptions, type CodeResult, type StreamCodeOptions } from "./contexts.js";
import { Files } from "./files.js";
import type { CellEvent, SandboxInfo } from "./models.js";
import { isProblem } from "./problem.js";
import { Processes } from "./processes.js";
import type { CallOptions, Transport } from "./transport.js";

/**
 * A VM that stays: programs, processes and files in it, until it is closed or its time is up.
 *
 * @example
 * ```ts
 * await using sandbox = await client.sandbox({ language: "python" });
 * await sandbox.runCode("x = 41");
 * const { text } = await sandbox.runCode("x + 1"); // "42"
 * ```
 */
export class Sandbox implements AsyncDisposable {
  /** Its name, for {@link Client.connect}. */
  readonly id: string;
  /** Its files. */
  readonly files: Files;
  /** Commands that are run to their end. */
  readonly commands: Commands;
  /** Processes that run on. */
  readonly processes: Processes;
  /** Interpreters that keep their variables, besides each language's own. */
  readonly contexts: Contexts;
  readonly #transport: Transport;
  readonly #path: string;

  /** @internal */
  constructor(transport: Transport, id: string) {
    this.id = id;
    this.#transport = transport;
    this.#path = `/api/v1/sandboxes/${encodeURIComponent(id)}`;
    const place = { transport, path: this.#path };
    this.files = new Files(place);
    this.processes = new Processes(place);
    this.commands = new Commands(this.processes);
    this.contexts = new Contexts(place);
  }

  /**
   * Runs code in an interpreter that keeps its variables from one call to the next: the language's own, or that of
   * `context`. Code that failed is a result like others: look at `status` and `error`. Giving the call up interrupts the
   * code.
   */
  runCode(code: string, options: CodeOptions = {}): Promise<CodeResult> {
    return runCell({ transport: this.#transport, path: this.#path }, code, options);
  }

  /** The same as events, as they come; the last is `end`. Leaving the loop interrupts the code. */
  streamCode(code: string, options: StreamCodeOptions = {}): AsyncGenerator<CellEvent, void> {
    return streamCell({ transport: this.#transport, path: this.#path }, code, options);
  }

  /** What the service tells of it. */
  info(options: CallOptions = {}): Promise<SandboxInfo> {
    return this.#transport.json({ method: "GET", path: this.#path, signal: options.signal });
  }

  /** Has it end this many seconds from now, and no sooner. */
  extend(seconds: number, options: CallOptions = {}): Promise<SandboxInfo> {
    const json = { timeout: seconds };
    return this.#transport.json({ method: "PATCH", path: this.#path, json, signal: options.signal });
  }

  /** Ends it and all in it. One that has ended already is closed. */
  async close(options: CallOptions = {}): Promise<void> {
    try {
      await this.#transport.done({ method: "DELETE", path: this.#path, signal: options.signal });
    } catch (error) {
      if (!isProblem(error, "sandbox_not_found")) throw error;
    }
  }

  /** Closes it at the end of an `await using` block. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
