/** @file Runs the whole network on many images and returns the logits of every exit. */
import { DynnError } from "../../core/errors.js";
import { checkGiven } from "../../core/given.js";
import { type Images, imageDims } from "../../core/images.js";
import { Lifetime } from "../../core/lifetime.js";
import { Logits } from "../../core/logits.js";
import { checkPixels } from "../../core/pixels.js";
import { showShape } from "../../core/shape.js";
import type { Tensor } from "../../core/tensor.js";
import { checkWhole } from "../../core/whole.js";
import { endsUnbounded } from "../../ops/probabilities.js";
import type { Backend, Session } from "../../runtime/backend.js";
import { batchFor } from "../../runtime/batch.js";
import type { DynamicModel } from "../model/model.js";
import { readingGraph, scoredGates } from "../model/scores.js";
import { rowsKind } from "./rows-kind.js";

/** Options of {@link Forward.compile}. */
export interface CompileOptions {
  /** Runs the model. */
  readonly backend: Backend;
}

/** Options of {@link Forward.logits}. */
export interface ForwardOptions {
  /** Largest number of images in one run. It changes time and memory. Left out: as many as the
   * memory allows, at most 64. */
  readonly batch?: number | undefined;
  /** Stops the work. The promise then rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** Called after each batch with the number of finished images and the number of all images. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

/** Runs a compiled model batch by batch.
 * @example
 * const forward = await Forward.compile(model, { backend: ortNode() });
 * const logits = await forward.logits(images, { batch: 64 });
 * await forward.release(); */
export class Forward {
  readonly #model: DynamicModel;
  readonly #backend: Backend;
  readonly #session: Session;
  readonly #life: Lifetime;

  private constructor(model: DynamicModel, backend: Backend, session: Session) {
    this.#model = model;
    this.#backend = backend;
    this.#session = session;
    this.#life = new Lifetime(`the forward pass of ${model.name}`, () => session.release());
  }

  /** Open a session for a model.
   * @throws DynnError 'runtime/load', 'call/argument' */
  static async compile(model: DynamicModel, options: CompileOptions): Promise<Forward> {
    checkGiven("Forward.compile", { model, options, backend: options?.backend });
    return new Forward(model, options.backend, await options.backend.compile(readingGraph(model)));
  }

  /** Runs every exit and every gate on images. All pixels are checked before work begins on the
   * first image. The results are checked too: routing and losses of probabilities would be wrong
   * without a word.
   * @throws DynnError 'model/classifier' when an exit holds probabilities
   * @throws DynnError as {@link outputs} */
  async logits(images: Images, options: ForwardOptions = {}): Promise<Logits> {
    const logits = await this.outputs(images, options);
    this.#refuseProbabilities(logits);
    return logits;
  }

  /** Runs every exit on images, whatever the exits hold.
   * @throws DynnError 'data/shape' when the model takes images of another shape
   * @throws DynnError 'data/value' when a pixel is NaN or outside [0,1]
   * @throws DynnError 'cli/value' when the batch is below 1
   * @throws DynnError 'shape/unknown', 'runtime/run', or the signal's reason when aborted
   * @throws DynnError 'call/argument', 'call/released' */
  async outputs(images: Images, { batch: given, signal, onProgress }: ForwardOptions = {}): Promise<Logits> {
    this.#life.check();
    const batch = given ?? this.#fittingBatch();
    checkWhole("batch", batch);
    this.#check(images);
    const { exits, gates, classes, input } = this.#model;
    const { count, dims } = images;
    const out = exits.map(() => new Float32Array(count * classes));
    const scores = gates.map(({ threshold, exit }) => ({ threshold, exit, scores: new Float32Array(count) }));
    for (let from = 0; from < count; from += batch) {
      signal?.throwIfAborted();
      this.#life.check();
      const part = images.rows(from, from + batch);
      const results = await this.#session.run({
        [input.name]: { dtype: "float32", dims: [part.count, ...dims], data: part.data },
      });
      exits.forEach((exit, k) => out[k]?.set((results[exit.logits] as Tensor<"float32">).data, from * classes));
      scoredGates(this.#model).forEach(([k, { score }]) => {
        scores[k].scores.set((results[score] as Tensor<"float32">).data, from);
      });
      onProgress?.(from + part.count, count);
    }
    return new Logits(out, classes, scores);
  }

  /** Releases the memory of the session. A second call does nothing. */
  release(): Promise<void> {
    return this.#life.release();
  }

  /** Releases the memory at the end of an `await using` block. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.release();
  }

  #fittingBatch(): number {
    const { name, graph } = this.#model;
    return batchFor({ name, graph, backend: this.#backend }).batch;
  }

  /** @throws DynnError 'model/classifier' */
  #refuseProbabilities({ exits, classes }: Logits): void {
    const { name, exits: named, graph } = this.#model;
    const wrong = named.find(
      ({ logits }, k) => rowsKind(exits[k], classes) === "probabilities" && !endsUnbounded(graph, logits),
    );
    if (wrong)
      throw new DynnError(
        "model/classifier",
        `${name}: exit "${wrong.name}" holds probabilities, expected logits. Give the model that checkOutputs returns.`,
        { exit: wrong.name },
      );
  }

  /** @throws DynnError 'data/shape', 'data/value', 'shape/unknown' */
  #check(images: Images): void {
    checkGiven("images of a forward pass", { images });
    const { data, dims, size } = images;
    const wanted = imageDims(this.#model);
    if (wanted.some((d, i) => d !== dims[i]))
      throw new DynnError(
        "data/shape",
        `images: their shape is ${showShape(dims)}, but ${this.#model.name} takes ${showShape(wanted)}. Give images of that shape.`,
        { got: dims, expected: wanted },
      );
    checkPixels({ name: "images", pixels: data }, size);
  }
}
