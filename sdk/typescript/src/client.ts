import type {
  ImageInfo,
  LanguageInfo,
  Printed,
  Readiness,
  RunEvent,
  RunRequest,
  RunResult,
  SandboxInfo,
  SandboxRequest,
  Schemas,
} from "./models.js";
import { ProblemError, statusOf } from "./problem.js";
import { Sandbox } from "./sandbox.js";
import { told } from "./told.js";
import { Transport, type CallOptions, type ClientOptions } from "./transport.js";

/** What hears of a program while it runs. The program waits for what these return. */
export interface RunOptions extends CallOptions {
  /** What it prints to standard output. */
  onStdout?: (text: string, printed: Printed) => unknown;
  /** What it prints to standard error. */
  onStderr?: (text: string, printed: Printed) => unknown;
}

/** An event of the wire: its `result` may also tell why there is none of the program. */
type ToldEvent = Exclude<RunEvent, { event: "result" }> | ({ event: "result" } & Schemas["ExecuteResponse"]);

/**
 * A service that runs programs.
 *
 * @example
 * ```ts
 * const client = new Client({ url: "http://127.0.0.1:8080" });
 * const { stdout } = await client.run({ language: "python", code: "print(6 * 7)" });
 * ```
 */
export class Client {
  /** @internal */
  readonly transport: Transport;

  /** Of a service; nothing is asked of it yet. */
  constructor(options: ClientOptions = {}) {
    this.transport = new Transport(options);
  }

  /** Where the service is. */
  get url(): string {
    return this.transport.url;
  }

  /**
   * Runs a program in a VM of its own and says how it ended. One that failed is a result like others: look at `status`.
   *
   * @throws ProblemError when the service refuses it or fails at it
   */
  async run(request: RunRequest, options: RunOptions = {}): Promise<RunResult> {
    // By events, also where nobody listens: they keep proxies and `fetch` itself from giving up on a long program.
    for await (const event of this.stream(request, options)) {
      if (event.event === "stdout") await options.onStdout?.(event.data, event);
      else if (event.event === "stderr") await options.onStderr?.(event.data, event);
      else {
        const { event: _, ...result } = event;
        return result;
      }
    }
    throw new TypeError("a stream without a result is an error already");
  }

  /**
   * Runs a program in a VM of its own and gives what it prints as it comes; the last event is its `result`. Leaving the
   * loop ends the program.
   *
   * @throws ProblemError when the service refuses it or fails at it
   */
  async *stream(request: RunRequest, options: CallOptions = {}): AsyncGenerator<RunEvent, void> {
    const { signal } = options;
    const events = this.transport.events({ method: "POST", path: "/api/v1/execute", json: request, signal });
    const ending = { what: "the program's output", isLast: (event: ToldEvent) => event.event === "result" };
    for await (const event of told<ToldEvent>(events, ending)) {
      if (event.event !== "result") {
        yield event;
        continue;
      }
      const { failure, ...result } = event;
      if (failure) throw failed(failure, event.trace_id);
      yield result;
    }
  }

  /**
   * Starts a VM that stays, for any number of programs. End it with {@link Sandbox.close}, or let the block do it:
   *
   * @example
   * ```ts
   * await using sandbox = await client.sandbox({ language: "python" });
   * ```
   */
  async sandbox(request: SandboxRequest = {}, options: CallOptions = {}): Promise<Sandbox> {
    const { signal } = options;
    const call = { method: "POST", path: "/api/v1/sandboxes", json: request, signal } as const;
    const info = await this.transport.json<SandboxInfo>(call);
    return new Sandbox(this.transport, info.id);
  }

  /** A sandbox that is there already, by its id. */
  async connect(id: string, options: CallOptions = {}): Promise<Sandbox> {
    const sandbox = new Sandbox(this.transport, id);
    await sandbox.info(options);
    return sandbox;
  }

  /** This key's sandboxes. */
  sandboxes(options: CallOptions = {}): Promise<SandboxInfo[]> {
    return this.#get("/api/v1/sandboxes", options);
  }

  /** The languages that the service knows; `available` says whose image is there. */
  languages(options: CallOptions = {}): Promise<LanguageInfo[]> {
    return this.#get("/api/v1/languages", options);
  }

  /** The images that programs and sandboxes may have. */
  images(options: CallOptions = {}): Promise<ImageInfo[]> {
    return this.#get("/api/v1/rootfs", options);
  }

  /** Whether jobs are taken, and what is missing. */
  async ready(options: CallOptions = {}): Promise<Readiness> {
    return this.#get("/readyz", options);
  }

  #get<T>(path: string, { signal }: CallOptions): Promise<T> {
    return this.transport.json<T>({ method: "GET", path, signal });
  }
}

function failed({ code, message }: Schemas["FailureBody"], traceId: string): ProblemError {
  return new ProblemError({ code, detail: message, status: statusOf(code), trace_id: traceId });
}
