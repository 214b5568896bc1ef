/** @file The lifetime of something that holds memory outside JavaScript. */
import { DynnError } from "./errors.js";

/** Frees memory once, and refuses work afterwards. */
export class Lifetime {
  readonly #what: string;
  readonly #free: () => Promise<void>;
  #freed: Promise<void> | undefined;

  /** @param what its name in messages
   * @param free frees the memory */
  constructor(what: string, free: () => Promise<void>) {
    this.#what = what;
    this.#free = free;
  }

  /** @throws DynnError 'call/released' after the first call of {@link release} */
  check(): void {
    if (this.#freed === undefined) return;
    throw new DynnError(
      "call/released",
      `${this.#what}: was released, so it does no more work. Call release when the last call has ended, or make another one.`,
      { what: this.#what },
    );
  }

  /** Frees the memory. Further calls wait for the first and do nothing more. */
  release(): Promise<void> {
    this.#freed ??= this.#free();
    return this.#freed;
  }
}
