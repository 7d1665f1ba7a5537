import type { CellEnd, CellError, CellEvent, CellRequest, ContextInfo, ContextRequest, Result, Schemas } from "./models.js";
import type { Place } from "./place.js";
import { isProblem } from "./problem.js";
import { told, toldOn } from "./told.js";
import type { CallOptions } from "./transport.js";

/** How code is run; the fields with underscores are the API's own. */
export interface StreamCodeOptions extends CallOptions, Omit<CellRequest, "code" | "context"> {
  /** The interpreter, or its number; absent: the language's own. */
  context?: Context | number | undefined;
}

/** What hears of code while it runs. The next event waits for what these return. */
export interface CodeOptions extends StreamCodeOptions {
  /** What it prints to standard output. */
  onStdout?: (text: string) => unknown;
  /** What it prints to standard error. */
  onStderr?: (text: string) => unknown;
  /** A value that it shows, or that of its last expression. */
  onResult?: (result: Result) => unknown;
  /** What code before it left behind, and prints meanwhile. */
  onLate?: (late: Schemas["LateBody"]) => unknown;
}

/** How code ended, and all that it showed and printed. */
export interface CodeResult extends CellEnd {
  /** Its number in its context. */
  cell: number;
  /** Values that it showed, in order. */
  results: Result[];
  /** What it printed. */
  logs: Schemas["Logs"];
  /** The error that it did not catch. */
  error: CellError | undefined;
  /** What others printed meanwhile: what code before it left behind. */
  late: Schemas["LateBody"][];
  /** It found a new interpreter, without the variables of before. */
  renewed: boolean;
  /** The value of its last expression as text. */
  text: string | undefined;
}

/** Runs a cell and gathers what is told of it. @internal */
export async function runCell(place: Place, code: string, options: CodeOptions): Promise<CodeResult> {
  const { onStdout, onStderr, onResult, onLate, ...rest } = options;
  const hearing = new Hearing();
  for await (const event of streamCell(place, code, rest)) {
    const heard = hearing.take(event);
    if (heard?.late) await onLate?.(heard.late);
    else if (heard?.stdout !== undefined) await onStdout?.(heard.stdout);
    else if (heard?.stderr !== undefined) await onStderr?.(heard.stderr);
    else if (heard?.result) await onResult?.(heard.result);
    if (event.event === "end") return hearing.result(event);
  }
  throw new TypeError("a stream without an end is an error already");
}

/** Runs a cell and tells of it. @internal */
export function streamCell(place: Place, code: string, options: StreamCodeOptions): AsyncGenerator<CellEvent, void> {
  const { signal, context, ...rest } = options;
  const number = typeof context === "object" ? context.id : context;
  // Who gives it up does not want it to go on, unless they say so.
  const json: CellRequest = { on_disconnect: "kill", ...rest, code, context: number };
  const path = `${place.path}/execute`;
  const events = place.transport.events({ method: "POST", path, json, signal });
  return told(events, { what: "what the code tells", isLast: (event: CellEvent) => event.event === "end" });
}

/** One of them, by what an event says. */
interface Heard {
  stdout?: string;
  stderr?: string;
  result?: Result;
  late?: Schemas["LateBody"];
}

/** All that is told of a cell, so far. */
class Hearing {
  #renewed = false;
  #error: CellError | undefined;
  readonly #logs = { stdout: "", stderr: "" };
  readonly #results: Result[] = [];
  readonly #late: Schemas["LateBody"][] = [];

  take(event: CellEvent): Heard | undefined {
    switch (event.event) {
      case "renewed":
        this.#renewed = true;
        return undefined;
      case "output":
        return this.#printed(event);
      case "display":
      case "result": {
        if (event.late) return undefined;
        const result = { is_result: event.event === "result", data: event.data };
        this.#results.push(result);
        return { result };
      }
      case "error": {
        const { name, value, traceback } = event;
        this.#error = { name, value, traceback };
        return undefined;
      }
      default:
        return undefined;
    }
  }

  #printed(event: CellEvent & { event: "output" }): Heard {
    const { stream, data } = event;
    if (event.late) {
      const late = { cell: event.cell, stream, data };
      this.#late.push(late);
      return { late };
    }
    const name = stream === "stderr" ? "stderr" : "stdout";
    this.#logs[name] += data;
    return { [name]: data };
  }

  result(event: CellEvent & { event: "end" }): CodeResult {
    const { event: _, offset: _offset, next_offset: _next, cell, ...end } = event;
    const last = this.#results.findLast((result) => result.is_result);
    return {
      ...end,
      cell: cell ?? 0,
      results: this.#results,
      logs: this.#logs,
      error: this.#error,
      late: this.#late,
      renewed: this.#renewed,
      text: last?.data["text/plain"],
    };
  }
}

/** The interpreters of a sandbox. */
export class Contexts {
  readonly #place: Place;

  /** @internal */
  constructor(place: Place) {
    this.#place = place;
  }

  /** Starts another one. */
  async create(request: ContextRequest = {}, options: CallOptions = {}): Promise<Context> {
    const path = `${this.#place.path}/contexts`;
    const { signal } = options;
    const info = await this.#place.transport.json<ContextInfo>({ method: "POST", path, json: request, signal });
    return new Context(this.#place, info.id, info.language);
  }

  /** All that there are, each language's own too once it was used. */
  list(options: CallOptions = {}): Promise<ContextInfo[]> {
    return this.#place.transport.json({ method: "GET", path: `${this.#place.path}/contexts`, signal: options.signal });
  }

  /** One that is there already; nothing is asked of it yet. */
  get(info: Pick<ContextInfo, "id" | "language">): Context {
    return new Context(this.#place, info.id, info.language);
  }
}

/** An interpreter that keeps its variables. */
export class Context implements AsyncDisposable {
  /** Its number in the sandbox. */
  readonly id: number;
  /** What its code is written in. */
  readonly language: string;
  readonly #place: Place;
  readonly #path: string;

  /** @internal */
  constructor(place: Place, id: number, language: string) {
    this.id = id;
    this.language = language;
    this.#place = place;
    this.#path = `${place.path}/contexts/${id}`;
  }

  /** Runs code in it; see {@link Sandbox.runCode}. */
  runCode(code: string, options: Omit<CodeOptions, "context"> = {}): Promise<CodeResult> {
    return runCell(this.#place, code, { ...options, context: this });
  }

  /** The same as events; see {@link Sandbox.streamCode}. */
  streamCode(code: string, options: Omit<StreamCodeOptions, "context"> = {}): AsyncGenerator<CellEvent, void> {
    return streamCell(this.#place, code, { ...options, context: this });
  }

  /**
   * All that is told of it, from an offset on, and what comes, until it is deleted; of every cell, whoever runs it. Goes
   * on by itself where the connection breaks. Without `from`: what is kept.
   */
  async *events(options: CallOptions & { from?: number } = {}): AsyncGenerator<CellEvent, void> {
    const { from, signal } = options;
    const request = { method: "GET", path: `${this.#path}/events`, query: { from }, signal } as const;
    const ending = { what: "what the context tells", isLast: () => false };
    let heard = false;
    try {
      for await (const event of toldOn<CellEvent>(this.#place.transport, request, ending)) {
        heard = true;
        yield event;
      }
    } catch (error) {
      if (!heard || !isProblem(error, "context_not_found")) throw error;
    }
  }

  /** Has the code that runs end as by Ctrl-C; variables stay. */
  interrupt(options: CallOptions = {}): Promise<void> {
    return this.#post("interrupt", options);
  }

  /** Begins anew: variables go, files stay. */
  restart(options: CallOptions = {}): Promise<void> {
    return this.#post("restart", options);
  }

  /** Ends it. */
  delete(options: CallOptions = {}): Promise<void> {
    return this.#place.transport.done({ method: "DELETE", path: this.#path, signal: options.signal });
  }

  /** Ends it with an `await using` block. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.delete();
  }

  #post(what: string, { signal }: CallOptions): Promise<void> {
    return this.#place.transport.done({ method: "POST", path: `${this.#path}/${what}`, signal });
  }
}
