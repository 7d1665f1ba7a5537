/**
 * A service of one's own, on this machine: the one entry that needs Node's modules (Deno and Bun have them, too).
 *
 * @packageDocumentation
 */

import { Client } from "./client.js";
import { Service, type Listener } from "./local/service.js";
import { addKey, findBinary, makeState, type State } from "./local/state.js";
import type { ClientOptions } from "./transport.js";

/** How a service of one's own is started. */
export interface LocalOptions extends Omit<ClientOptions, "url" | "key">, Listener {
  /** The tool; absent: `LLM_FIRECRACKER_BIN` of the environment, else `llm-firecracker` in the `PATH`. */
  binary?: string;
  /**
   * The state folder whose images it uses; absent: `LLM_FIRECRACKER_STATE_DIR` of the environment, else the tool's own.
   */
  images?: string;
  /** More of the service's configuration, as TOML tables; not `[server]` and `[vmm]`, which are written here. */
  configuration?: string;
  /** More flags of `serve`, such as `--allow-writable`. */
  flags?: string[];
}

/**
 * A client of a service that it started, and ends.
 *
 * @example
 * ```ts
 * import { startLocal } from "llm-firecracker/local";
 *
 * await using client = await startLocal();
 * const { stdout } = await client.run({ language: "python", code: "print(6 * 7)" });
 * ```
 */
export class LocalClient extends Client implements AsyncDisposable {
  /** The key that its requests carry; nobody else has it. */
  readonly key: string;
  readonly #service: Service;
  readonly #state: State;

  /** @internal */
  constructor(options: ClientOptions & { key: string }, service: Service, state: State) {
    super(options);
    this.key = options.key;
    this.#service = service;
    this.#state = state;
  }

  /** Ends the service with all that runs in it. */
  async close(): Promise<void> {
    await this.#service.stop();
    await this.#state.remove();
  }

  /** Closes it at the end of an `await using` block. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/**
 * Starts a service on a free loopback port, with a key and a folder of its own, and gives a client of it. It has this
 * host's images, and ends with {@link LocalClient.close} or with this process.
 *
 * @throws ConnectionError when it does not start; the message has its last words
 */
export async function startLocal(options: LocalOptions = {}): Promise<LocalClient> {
  const { binary: named, images, configuration, flags, onLog, signal, ...rest } = options;
  signal?.throwIfAborted();
  const binary = await findBinary(named);
  const state = await makeState({ images, configuration });
  let service: Service | undefined;
  try {
    const key = await addKey(binary, state);
    service = new Service(binary, state, flags ?? []);
    const url = await service.listening({ onLog, signal });
    return new LocalClient({ ...rest, url, key }, service, state);
  } catch (error) {
    await service?.stop();
    await state.remove();
    throw error;
  }
}
