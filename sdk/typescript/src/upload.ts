/**
 * A stream on its way out. Not every `fetch` lets go of one whose request is over, or says how it failed: this does both.
 */
export class Upload {
  /** What is sent. */
  readonly stream: ReadableStream<Uint8Array>;
  /** Why there is no more of it. */
  failure: { reason: unknown } | undefined;
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;

  /** Of what is to be sent. */
  constructor(source: ReadableStream<Uint8Array>) {
    this.#reader = source.getReader();
    // It is asked for the next piece when that can be sent, and no sooner.
    this.stream = new ReadableStream({ pull: (to) => this.#pass(to), cancel: () => this.end() }, { highWaterMark: 0 });
  }

  /** The request is over: nothing more is wanted of the source. */
  end(): void {
    this.#reader.cancel().catch(() => {});
  }

  async #pass(to: ReadableStreamDefaultController<Uint8Array>): Promise<void> {
    try {
      const { done, value } = await this.#reader.read();
      if (done) to.close();
      else to.enqueue(value);
    } catch (reason) {
      this.failure = { reason };
      throw reason;
    }
  }
}
