/** @file What comes from a source of images: asked for one at a time, and only when there is room. */

/** Images, one or more at a time: float32 [k*c*h*w] in [0,1]. An array must stay as it is until its images are answered. */
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

  /** The next images; undefined when the source has ended, or, unless `wait`, when they are not there yet. */
  async take(wait: boolean): Promise<Float32Array | undefined> {
    this.#asked ??= this.#ask();
    const result = await (wait ? this.#asked : Promise.race([this.#asked, nextTurn()]));
    if (result === undefined) return undefined;
    this.#asked = undefined;
    this.#ended = result.done === true;
    return result.done ? undefined : result.value;
  }

  /** Throw what ended the source, if something did. */
  rethrow(): void {
    if (this.#failure) throw this.#failure.reason;
  }

  /** Tell the source that no more is wanted. A source that is being asked may never answer, and is not waited for. */
  async close(): Promise<void> {
    if (this.#ended) return;
    const closed = Promise.resolve(this.#iterator.return?.());
    if (this.#asked) closed.catch(() => undefined);
    else await closed;
  }

  /** A source that fails has ended; why is told when all that came before is done. */
  async #ask(): Promise<IteratorResult<Float32Array>> {
    try {
      return await this.#iterator.next();
    } catch (reason) {
      this.#failure = { reason };
      return { done: true, value: undefined };
    }
  }
}

/** Long enough for a source that only has to be asked, too short to be felt. */
const nextTurn = (): Promise<undefined> => new Promise((resolve) => setTimeout(() => resolve(undefined), 0));
