// Properties are tried on many values; a seed says which, so that a failure can be had again.

/** Numbers that look random, the same for the same seed (mulberry32). */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed;
  }

  /** A whole number from 0 to below `end`. */
  below(end: number): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % end;
  }

  /** One of them. */
  pick<T>(from: readonly T[]): T {
    return from[this.below(from.length)] as T;
  }

  /** As many as `most` of them, one after the other. */
  text(from: readonly string[], most: number): string {
    return Array.from({ length: this.below(most + 1) }, () => this.pick(from)).join("");
  }

  /** The bytes in pieces, cut anywhere, some of them empty. */
  pieces(bytes: Uint8Array): Uint8Array[] {
    const pieces = [];
    for (let at = 0; at < bytes.length; ) {
      const length = this.below(6);
      pieces.push(bytes.subarray(at, at + length));
      at += length;
    }
    return pieces;
  }
}

/** Tries a property on this many values; an error names the seed. */
export async function holds(times: number, property: (random: Random) => unknown): Promise<void> {
  for (let seed = 1; seed <= times; seed++) {
    try {
      await property(new Random(seed));
    } catch (cause) {
      throw new Error(`it does not hold for seed ${seed}: ${String(cause)}`, { cause });
    }
  }
}
