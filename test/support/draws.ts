/** @file Random numbers for made-up results, one stream per text. */
import { uniform } from "../../src/core/rng.js";

/** Numbers from 0 to 1, the same for the same text. */
export class Draws {
  readonly #seed: number;
  #block: ArrayLike<number> = [];
  #step = 0;
  #at = 0;

  constructor(text: string) {
    this.#seed = Number.parseInt(text.slice(0, 8), 16);
  }

  next(): number {
    if (this.#at >= this.#block.length) {
      this.#block = uniform({ seed: this.#seed, sample: 0, purpose: "init", step: this.#step++ }, 1024);
      this.#at = 0;
    }
    return this.#block[this.#at++];
  }
}
