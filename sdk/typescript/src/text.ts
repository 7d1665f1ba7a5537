// Output that is kept, as far as there is room: what a guest prints has no end by itself.

/** Characters (of UTF-16) that are kept of one output, when nobody says otherwise. */
export const MAX_KEPT = 16 * 1024 * 1024;

/** The beginning of an output. */
export class Kept {
  #text = "";
  #truncated = false;
  readonly #limit: number;

  /** With the most characters that are kept. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Adds to it. */
  add(text: string): void {
    if (this.#truncated) return;
    const room = this.#limit - this.#text.length;
    if (text.length > room) {
      this.#truncated = true;
      // Not between the halves of a character.
      const cut = room > 0 && /[\ud800-\udbff]/.test(text[room - 1] ?? "") ? room - 1 : room;
      text = text.slice(0, Math.max(cut, 0));
    }
    this.#text += text;
  }

  /** What is kept. */
  get text(): string {
    return this.#text;
  }

  /** Something is not kept. */
  get truncated(): boolean {
    return this.#truncated;
  }
}
