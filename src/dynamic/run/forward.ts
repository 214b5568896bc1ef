/** @file Runs the whole network on many images and returns the logits of every exit. */
import { DynnError } from "../../core/errors.js";
import { type Images, imageDims } from "../../core/images.js";
import { Logits } from "../../core/logits.js";
import { checkPixels } from "../../core/pixels.js";
import { showShape } from "../../core/shape.js";
import type { Tensor } from "../../core/tensor.js";
import { checkWhole } from "../../core/whole.js";
import { endsUnbounded } from "../../ops/probabilities.js";
import type { Backend, Session } from "../../runtime/backend.js";
import type { DynamicModel } from "../model/model.js";
import { readingGraph, scoredGates } from "../model/scores.js";
import { rowsKind } from "./rows-kind.js";

/** Options of {@link Forward.logits}. */
export interface ForwardOptions {
  /** Largest number of images in one run. It changes time and memory. */
  readonly batch: number;
  /** Stops the work. The promise then rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** Called after each batch with the number of finished images and the number of all images. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

/** Runs a compiled model batch by batch.
 * @example
 * const forward = await Forward.compile(model, ortNode());
 * const logits = await forward.logits(images, { batch: 64 });
 * await forward.release(); */
export class Forward {
  readonly #model: DynamicModel;
  readonly #session: Session;

  private constructor(model: DynamicModel, session: Session) {
    this.#model = model;
    this.#session = session;
  }

  /** Open a session for a model.
   * @throws DynnError 'runtime/load' */
  static async compile(model: DynamicModel, backend: Backend): Promise<Forward> {
    return new Forward(model, await backend.compile(readingGraph(model)));
  }

  /** Runs every exit and every gate on images. All pixels are checked before work begins on the
   * first image. The results are checked too: routing and losses of probabilities would be wrong
   * without a word.
   * @throws DynnError 'model/classifier' when an exit holds probabilities
   * @throws DynnError as {@link outputs} */
  async logits(images: Images, options: ForwardOptions): Promise<Logits> {
    const logits = await this.outputs(images, options);
    this.#refuseProbabilities(logits);
    return logits;
  }

  /** Runs every exit on images, whatever the exits hold.
   * @throws DynnError 'data/shape' when the model takes images of another shape
   * @throws DynnError 'data/value' when a pixel is NaN or outside [0,1]
   * @throws DynnError 'cli/value' when the batch is below 1
   * @throws DynnError 'shape/unknown', 'runtime/run', or the signal's reason when aborted */
  async outputs(images: Images, { batch, signal, onProgress }: ForwardOptions): Promise<Logits> {
    checkWhole("batch", batch);
    this.#check(images);
    const { exits, gates, classes, input } = this.#model;
    const { count, dims } = images;
    const out = exits.map(() => new Float32Array(count * classes));
    const scores = gates.map(({ threshold, exit }) => ({ threshold, exit, scores: new Float32Array(count) }));
    for (let from = 0; from < count; from += batch) {
      signal?.throwIfAborted();
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

  /** Releases the memory of the session. */
  release(): Promise<void> {
    return this.#session.release();
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
  #check({ data, dims, size }: Images): void {
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
