import type { Expiring, ProcessExit, Size } from "./models.js";
import { ConnectionError, isProblem } from "./problem.js";
import type { CallOptions, Transport } from "./transport.js";

/** What hears of a terminal. */
export interface TerminalOptions extends CallOptions {
  /** The offset of the first byte that is wanted; absent: all that is kept. */
  from?: number;
  /** What is shown. */
  onData?: (bytes: Uint8Array) => void;
  /** What was kept is shown, what comes now is new: before it a terminal should answer no queries. */
  onReplayed?: () => void;
  /** The sandbox ends by itself soon. */
  onExpiring?: (expiring: Expiring) => void;
}

/** A text frame of the service; one of these. */
interface Word {
  replayed?: unknown;
  expiring?: Expiring;
  exit?: ProcessExit;
}

const PROTOCOL = "llm-firecracker.terminal";
const KEY_PROTOCOL = "llm-firecracker.key.";
/** Bytes of one message; the service takes no larger ones. */
const MAX_MESSAGE = 64 * 1024;

/**
 * A terminal over a WebSocket. Closing it ends nothing in the sandbox, unless the process was started with
 * `on_disconnect: "kill"`.
 *
 * @example
 * ```ts
 * const shell = await sandbox.processes.start(["bash", "-l"], { pty: { rows: 24, columns: 80 } });
 * const terminal = await shell.terminal({ onData: (bytes) => screen.write(bytes) });
 * terminal.write("exit\n");
 * await terminal.exit;
 * ```
 */
export class Terminal implements Disposable {
  /** How the process ends; rejected when the terminal is closed before that. */
  readonly exit: Promise<ProcessExit>;
  readonly #socket: WebSocket;

  private constructor(socket: WebSocket, options: TerminalOptions) {
    const { signal } = options;
    const close = () => socket.close();
    this.#socket = socket;
    this.exit = new Promise((resolve, reject) => {
      let exit: ProcessExit | undefined;
      socket.onmessage = ({ data }) => {
        if (typeof data === "string") exit = hear(data, options) ?? exit;
        else options.onData?.(new Uint8Array(data as ArrayBuffer));
      };
      socket.onclose = ({ code, reason }) => {
        signal?.removeEventListener("abort", close);
        if (exit) resolve(exit);
        else reject(signal?.reason ?? new ConnectionError(`the terminal was closed: ${reason || code}`));
      };
    });
    // Who does not ask for it need not hear of it.
    this.exit.catch(() => {});
    signal?.addEventListener("abort", close, { once: true });
  }

  /** @internal */
  static async open(transport: Transport, path: string, options: TerminalOptions): Promise<Terminal> {
    const { signal } = options;
    signal?.throwIfAborted();
    const address = { path, query: { from: options.from } };
    const Socket = transport.webSocket ?? globalThis.WebSocket;
    if (!Socket) throw new ConnectionError("this runtime has no WebSocket: give the client one, as `webSocket`");
    const protocols = [PROTOCOL, ...(transport.key === undefined ? [] : [KEY_PROTOCOL + transport.key])];
    const socket = new Socket(transport.address(address).replace(/^http/, "ws"), protocols);
    socket.binaryType = "arraybuffer";
    // Before it is open: what is shown may come with the answer.
    const terminal = new Terminal(socket, options);
    if (await opened(socket)) return terminal;
    signal?.throwIfAborted();
    // A WebSocket says nothing of why it was refused; the same question without one is answered with a problem.
    try {
      await transport.done({ method: "GET", ...address, signal });
    } catch (error) {
      if (!isProblem(error, "upgrade_required")) throw error;
    }
    throw new ConnectionError("the terminal cannot be opened");
  }

  /** Types this, as UTF-8 when it is text. */
  write(keys: string | Uint8Array): void {
    const bytes = typeof keys === "string" ? new TextEncoder().encode(keys) : keys;
    for (let at = 0; at < bytes.length; at += MAX_MESSAGE) {
      this.#socket.send(bytes.slice(at, at + MAX_MESSAGE));
    }
  }

  /** Gives the terminal another size. */
  resize({ rows, columns }: Size): void {
    this.#say({ rows, columns });
  }

  /** Has nothing more sent until {@link Terminal.resume}; the process waits. After 30 seconds the service closes it. */
  pause(): void {
    this.#say({ flow: "pause" });
  }

  /** Has it go on. */
  resume(): void {
    this.#say({ flow: "resume" });
  }

  /** Closes it; the process goes on. */
  close(): void {
    this.#socket.close();
  }

  /** Closes it at the end of a `using` block. */
  [Symbol.dispose](): void {
    this.close();
  }

  #say(word: object): void {
    this.#socket.send(JSON.stringify(word));
  }
}

/** Whether it opens. */
function opened(socket: WebSocket): Promise<boolean> {
  return new Promise((resolve) => {
    socket.addEventListener("open", () => resolve(true), { once: true });
    socket.addEventListener("error", () => resolve(false), { once: true });
    socket.addEventListener("close", () => resolve(false), { once: true });
  });
}

/** Tells of a text frame; gives the exit that it says. */
function hear(text: string, options: TerminalOptions): ProcessExit | undefined {
  const word = JSON.parse(text) as Word;
  if (word.replayed !== undefined) options.onReplayed?.();
  if (word.expiring) options.onExpiring?.(word.expiring);
  return word.exit;
}
