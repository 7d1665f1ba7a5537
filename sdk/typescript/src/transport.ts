// The one place where requests are made: who asks, what a refusal becomes, when it is asked again.

import { ConnectionError, isProblemBody, ProblemError, StreamCutError } from "./problem.js";
import { readEvents, type ServerEvent } from "./sse.js";
import { Upload } from "./upload.js";

/** How a client reaches its service. */
export interface ClientOptions {
  /** Where the service is; absent: `LLM_FIRECRACKER_URL` of the environment, else `http://127.0.0.1:8080`. */
  url?: string | URL;
  /** The key; absent: `LLM_FIRECRACKER_KEY` of the environment, else none. */
  key?: string;
  /**
   * How often a request is made again that the service had no room for (429 and 503 with `Retry-After`: nothing of it
   * was done). Absent: 2.
   */
  retries?: number;
  /** Used instead of the runtime's own `fetch`. */
  fetch?: (request: string, init: RequestInit) => Promise<Response>;
  /** Used for terminals instead of the runtime's own `WebSocket`. */
  webSocket?: new (url: string, protocols: string[]) => WebSocket;
}

/** What every call takes. */
export interface CallOptions {
  /** Gives the call up; the promise is rejected with its `reason`. */
  signal?: AbortSignal | undefined;
}

/** What can be sent: text as UTF-8, bytes, or a stream of them of any length. */
export type Data = string | Uint8Array | ArrayBuffer | Blob | ReadableStream<Uint8Array>;

/** What is asked for. */
export interface Request extends CallOptions {
  method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  path: string;
  query?: Record<string, string | number | boolean | undefined>;
  /** Sent as JSON. */
  json?: unknown;
  /** Sent as it is. */
  body?: Data | undefined;
  accept?: string;
}

const DEFAULT_URL = "http://127.0.0.1:8080";
const DEFAULT_RETRIES = 2;
/** A service that wants a longer pause than this is not waited for, in seconds. */
const LONGEST_PAUSE = 30;
const EVENTS = "text/event-stream";

/** Makes requests. */
export class Transport {
  /** Without a slash at its end. */
  readonly url: string;
  readonly key: string | undefined;
  readonly webSocket: ClientOptions["webSocket"];
  readonly #fetch: NonNullable<ClientOptions["fetch"]>;
  readonly #retries: number;

  constructor(options: ClientOptions) {
    this.url = String(options.url ?? fromEnvironment("LLM_FIRECRACKER_URL") ?? DEFAULT_URL).replace(/\/+$/, "");
    this.key = (options.key ?? fromEnvironment("LLM_FIRECRACKER_KEY"))?.trim();
    // `fetch` would repeat the key in its own error.
    if (this.key !== undefined && !/^[\x21-\x7e]+$/.test(this.key)) throw new TypeError("the key has characters that no key has");
    this.webSocket = options.webSocket;
    // Browsers' own wants to be called as a function of the window.
    this.#fetch = options.fetch ?? ((request, init) => fetch(request, init));
    this.#retries = options.retries ?? DEFAULT_RETRIES;
  }

  /** The answer's JSON. */
  async json<T>(request: Request): Promise<T> {
    const response = await this.send(request);
    return attempt(request.signal, "the answer cannot be read", () => response.json() as Promise<T>);
  }

  /** For what is answered without a body. */
  async done(request: Request): Promise<void> {
    const response = await this.send(request);
    await response.body?.cancel();
  }

  /** The answer's events, as they come. Leaving the loop ends the request. */
  async *events(request: Request): AsyncGenerator<ServerEvent, void> {
    const response = await this.send({ ...request, accept: EVENTS });
    const type = response.headers.get("content-type") ?? "";
    if (!response.body || !type.startsWith(EVENTS)) {
      await response.body?.cancel();
      throw new ConnectionError(`${request.method} ${request.path} is not answered with events`);
    }
    let last: string | undefined;
    try {
      for await (const event of readEvents(response.body)) {
        last = event.id || last;
        yield event;
      }
    } catch (cause) {
      request.signal?.throwIfAborted();
      throw Object.assign(new StreamCutError(`${request.method} ${request.path}`, offset(last)), { cause });
    }
  }

  /** An answer that is a success; everything else is thrown. */
  async send(request: Request): Promise<Response> {
    if (request.body instanceof ReadableStream) return this.#upload(request, new Upload(request.body));
    for (let left = this.#retries; ; left--) {
      const response = await this.#attempt(request);
      if (response.ok) return response;
      const problem = await this.#problemOf(response);
      const pause = problem.retryAfter ?? Infinity;
      const again = left > 0 && pause <= LONGEST_PAUSE;
      if (!again || !(problem.status === 429 || problem.status === 503)) throw problem;
      await sleep(pause * 1000, request.signal);
    }
  }

  /** A stream can be read once, so it is sent once. */
  async #upload(request: Request, upload: Upload): Promise<Response> {
    try {
      const response = await this.#attempt({ ...request, body: upload.stream });
      if (response.ok) return response;
      throw await this.#problemOf(response);
    } catch (error) {
      throw upload.failure ? upload.failure.reason : error;
    } finally {
      upload.end();
    }
  }

  #attempt(request: Request): Promise<Response> {
    const ask = () => this.#fetch(this.address(request), this.#init(request));
    return attempt(request.signal, `${this.url} cannot be reached`, ask);
  }

  /** The problem that a refusal is; of something that is none (a proxy's page) another error is thrown. */
  async #problemOf(response: Response): Promise<ProblemError> {
    const body: unknown = await response.json().catch(() => undefined);
    if (!isProblemBody(body)) throw new ConnectionError(`${this.url} answers ${response.status}`);
    const pause = response.headers.get("retry-after");
    const seconds = pause === null ? NaN : Number(pause);
    return new ProblemError(body, Number.isFinite(seconds) ? seconds : undefined);
  }

  /** The whole address of what is asked for. */
  address(request: Pick<Request, "path" | "query">): string {
    const query = new URLSearchParams();
    for (const [name, value] of Object.entries(request.query ?? {})) {
      if (value !== undefined) query.set(name, String(value));
    }
    const text = query.toString();
    return this.url + request.path + (text && `?${text}`);
  }

  #init(request: Request): RequestInit {
    const headers = new Headers({ accept: request.accept ?? "application/json" });
    if (this.key !== undefined) headers.set("authorization", `Bearer ${this.key}`);
    const init: RequestInit & { duplex?: "half" } = { method: request.method, headers, redirect: "error" };
    if (request.signal) init.signal = request.signal;
    if (request.json !== undefined) {
      headers.set("content-type", "application/json");
      init.body = JSON.stringify(request.json);
    } else if (request.body !== undefined) {
      headers.set("content-type", "application/octet-stream");
      init.body = request.body as BodyInit;
      // A body that comes bit by bit is sent before the answer begins; fetch wants to be told.
      if (request.body instanceof ReadableStream) init.duplex = "half";
    }
    return init;
  }
}

/** Does it; a failure of the way there becomes a {@link ConnectionError}, one that was asked for stays as it is. */
export async function attempt<T>(
  signal: AbortSignal | undefined,
  what: string,
  act: () => Promise<T>,
): Promise<T> {
  signal?.throwIfAborted();
  try {
    return await act();
  } catch (cause) {
    signal?.throwIfAborted();
    throw new ConnectionError(what, { cause });
  }
}

function offset(id: string | undefined): number | undefined {
  return id === undefined ? undefined : Number(id);
}

/** Waits; rejected when it is given up. */
export function sleep(milliseconds: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const over = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", over);
      resolve();
    }, milliseconds);
    signal?.addEventListener("abort", over, { once: true });
  });
}

/** A variable of the environment, where there is one and it may be read. */
function fromEnvironment(name: string): string | undefined {
  const { process } = globalThis as { process?: { env?: Record<string, string | undefined> } };
  try {
    return process?.env?.[name] || undefined;
  } catch {
    // Deno asks for a permission.
    return undefined;
  }
}
