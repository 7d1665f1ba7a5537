import type { Entries, Entry, Schemas, WatchEvent } from "./models.js";
import type { Place } from "./place.js";
import { isProblem } from "./problem.js";
import { told, type Ending } from "./told.js";
import { attempt, type CallOptions, type Data, type Request } from "./transport.js";

const WATCHED: Ending<WatchEvent> = {
  what: "what changes in the folder",
  isLast: (event) => event.event === "end",
  problem: "error",
};

/** How deep a folder is looked into; absent: its own entries alone. */
export interface FolderOptions extends CallOptions {
  /** Levels, from 1 on. */
  depth?: number;
}

/** The files of a sandbox, as its user sees them. Paths are absolute. */
export class Files {
  readonly #place: Place;

  /** @internal */
  constructor(place: Place) {
    this.#place = place;
  }

  /** A file as text; bytes that are no UTF-8 replaced. */
  async read(path: string, options: CallOptions = {}): Promise<string> {
    return new TextDecoder("utf-8", { ignoreBOM: true }).decode(await this.readBytes(path, options));
  }

  /** A file's bytes. */
  async readBytes(path: string, options: CallOptions = {}): Promise<Uint8Array<ArrayBuffer>> {
    const response = await this.#read(path, options);
    const what = `${path} broke off`;
    return new Uint8Array(await attempt(options.signal, what, () => response.arrayBuffer()));
  }

  /** A file's bytes as they come, for one of any size. Where it cannot be read to its end the stream fails. */
  async readStream(path: string, options: CallOptions = {}): Promise<ReadableStream<Uint8Array<ArrayBuffer>>> {
    const { body } = await this.#read(path, options);
    return body ?? new Blob([]).stream();
  }

  /** Writes a file of any size; it replaces what is there once all of it has come. */
  write(path: string, data: Data, options: CallOptions = {}): Promise<Schemas["WrittenBody"]> {
    const request = this.#request("PUT", "files", { path }, options);
    return this.#place.transport.json({ ...request, body: data });
  }

  /** A folder's entries, in order of their paths. */
  list(path: string, options: FolderOptions = {}): Promise<Entries> {
    return this.#place.transport.json(this.#request("GET", "entries", { path, depth: options.depth }, options));
  }

  /** One entry; a link is not followed. */
  stat(path: string, options: CallOptions = {}): Promise<Entry> {
    return this.#place.transport.json(this.#request("GET", "entries/stat", { path }, options));
  }

  /** Whether there is something. */
  async exists(path: string, options: CallOptions = {}): Promise<boolean> {
    try {
      await this.stat(path, options);
      return true;
    } catch (error) {
      if (isProblem(error, "file_not_found")) return false;
      throw error;
    }
  }

  /** Makes a folder, and those above it. */
  makeFolder(path: string, options: CallOptions = {}): Promise<void> {
    return this.#place.transport.done({ ...this.#request("POST", "folders", {}, options), json: { path } });
  }

  /** Gives an entry another path; a file that is there is replaced. */
  move(from: string, to: string, options: CallOptions = {}): Promise<void> {
    return this.#place.transport.done({ ...this.#request("POST", "move", {}, options), json: { from, to } });
  }

  /** Removes a file, or a folder with all that is in it. */
  remove(path: string, options: CallOptions = {}): Promise<void> {
    return this.#place.transport.done(this.#request("DELETE", "files", { path }, options));
  }

  /**
   * What changes in a folder from now on. The first event is `watching`: what happens after it is told. Leaving the loop
   * ends the watch. It is not taken up again where the connection breaks, for what happened meanwhile is not known:
   * then it fails with a {@link StreamCutError}.
   *
   * @example
   * ```ts
   * for await (const change of sandbox.files.watch("/work", { depth: 3, signal })) {
   *   if (change.event === "created") console.log(change.path);
   * }
   * ```
   */
  watch(path: string, options: FolderOptions = {}): AsyncGenerator<WatchEvent, void> {
    const request = this.#request("GET", "files/watch", { path, depth: options.depth }, options);
    return told(this.#place.transport.events(request), WATCHED);
  }

  #read(path: string, options: CallOptions): Promise<Response> {
    const request = this.#request("GET", "files", { path }, options);
    return this.#place.transport.send({ ...request, accept: "application/octet-stream" });
  }

  #request(method: Request["method"], what: string, query: Request["query"], { signal }: CallOptions): Request {
    return { method, path: `${this.#place.path}/${what}`, query: query ?? {}, signal };
  }
}
