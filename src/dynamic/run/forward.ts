/** @file The whole network on many images: logits of every exit. */
import { DynnError } from "../../core/errors.js";
import { showShape } from "../../core/shape.js";
import type { Tensor } from "../../core/tensor.js";
import type { Backend, Session } from "../../runtime/backend.js";
import type { DynamicModel } from "../model/model.js";

export interface ForwardOptions {
  readonly batch: number;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

/** Runs a compiled model batch by batch. */
export class Forward {
  readonly #model: DynamicModel;
  readonly #session: Session;

  private constructor(model: DynamicModel, session: Session) {
    this.#model = model;
    this.#session = session;
  }

  static async compile(model: DynamicModel, backend: Backend): Promise<Forward> {
    return new Forward(model, await backend.compile(model.graph));
  }

  /** @param pixels float32 [n*c*h*w] in [0,1]
   * @returns       one array [n * classes] per exit
   * @throws DynnError 'runtime/run', or the signal's reason when aborted */
  async logits(pixels: Float32Array, { batch, signal, onProgress }: ForwardOptions): Promise<Float32Array[]> {
    const { exits, classes, input } = this.#model;
    const image = imageDims(this.#model);
    const each = image.reduce((a, b) => a * b, 1);
    const n = pixels.length / each;
    const out = exits.map(() => new Float32Array(n * classes));
    for (let from = 0; from < n; from += batch) {
      signal?.throwIfAborted();
      const count = Math.min(batch, n - from);
      const results = await this.#session.run({
        [input.name]: {
          dtype: "float32",
          dims: [count, ...image],
          data: pixels.subarray(from * each, (from + count) * each),
        },
      });
      exits.forEach((exit, k) => out[k]?.set((results[exit.logits] as Tensor<"float32">).data, from * classes));
      onProgress?.(from + count, n);
    }
    return out;
  }

  release(): Promise<void> {
    return this.#session.release();
  }
}

/** Channels, height and width that the model takes.
 * @throws DynnError 'shape/unknown' when the file leaves the image size open and none was given */
export function imageDims({ name, input }: Pick<DynamicModel, "name" | "input">): readonly [number, number, number] {
  const [, ...dims] = input.shape;
  if (dims.every((d) => typeof d === "number")) return dims as [number, number, number];
  throw new DynnError(
    "shape/unknown",
    `${name}: the image size ${showShape(dims)} is open. Read the model with the size of the images.`,
    { shape: input.shape },
  );
}
