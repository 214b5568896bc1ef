/** @file Takes images from a source, one item at a time. */

/** Images, one or more at a time: float32 [k*c*h*w] in [0,1]. Do not change an array before its
 * images are answered. */
export type ImageSource = Iterable<Float32Array> | AsyncIterable<Float32Array>;

export class Intake {
  readonly #iterator: AsyncIterator<Float32Array> | Iterator<Float32Array>;
  #asked: Promise<IteratorResult<Float32Array>> | undefined;
  #ended = false;
  #failure: { readonly reason: unknown } | undefined;

  constructor(source: ImageSource) {
    this.#iterator = Symbol.asyncIterator in source ? source[Symbol.asyncIterator]() : source[Symbol.iterator]();
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** The next images. Undefined when the source has ended. Without `wait`, also undefined when the
   * source has not delivered them yet. */
  async take(wait: boolean): Promise<Float32Array | undefined> {
    this.#asked ??= this.#ask();
    const result = await (wait ? this.#asked : Promise.race([this.#asked, nextTurn()]));
    if (result === undefined) return undefined;
    this.#asked = undefined;
    this.#ended = result.done === true;
    return result.done ? undefined : result.value;
  }

  /** Throws the error of the source, if it failed. */
  rethrow(): void {
    if (this.#failure) throw this.#failure.reason;
  }

  /** Closes the source. A pending request may never end, so this method does not wait for it. */
  async close(): Promise<void> {
    if (this.#ended) return;
    const closed = Promise.resolve(this.#iterator.return?.());
    if (this.#asked) closed.catch(() => undefined);
    else await closed;
  }

  /** A source that fails has ended. `rethrow` throws its error after the earlier images are
   * done. */
  async #ask(): Promise<IteratorResult<Float32Array>> {
    try {
      return await this.#iterator.next();
    } catch (reason) {
      this.#failure = { reason };
      return { done: true, value: undefined };
    }
  }
}

/** Long enough for a source that has images ready, and too short for a user to notice. */
const nextTurn = (): Promise<undefined> => new Promise((resolve) => setTimeout(() => resolve(undefined), 0));
