/** @file Runs a network with given bits in place of those that its gates compute, such as random
 *  ones. Each image may have bits of its own. */
import { type Images, imageDims } from "../../core/images.js";
import { Logits } from "../../core/logits.js";
import type { Tensor } from "../../core/tensor.js";
import type { Graph } from "../../graph/graph.js";
import { simplify } from "../../graph/passes/simplify.js";
import { opTable } from "../../ops/table.js";
import type { Session } from "../../runtime/backend.js";
import type { DynamicModel } from "../model/model.js";
import type { CompileOptions, ForwardOptions } from "./forward.js";

/** A model whose scores are inputs.
 * @example
 * const given = await GivenBits.compile(model, { backend: ortNode() });
 * const logits = await given.logits(images, images.map(() => [1, 0, 1]), { batch: 64 });
 * await given.release(); */
export class GivenBits {
  readonly #model: DynamicModel;
  readonly #session: Session;

  private constructor(model: DynamicModel, session: Session) {
    this.#model = model;
    this.#session = session;
  }

  /** Opens a session.
   * @param model a network with gates under no policy
   * @throws DynnError 'runtime/load' */
  static async compile(model: DynamicModel, { backend }: CompileOptions): Promise<GivenBits> {
    return new GivenBits(model, await backend.compile(scoresAsInputs(model)));
  }

  /** The logits of every exit under given bits. The scores that they hold are 0 for an open gate
   * and -1 for a closed one, so `route` reads the same bits.
   * @param bits [images][gates]
   * @throws DynnError 'runtime/run', or the signal's reason when aborted */
  async logits(
    images: Images,
    bits: readonly (readonly (0 | 1)[])[],
    { batch: most, signal, onProgress }: ForwardOptions & { readonly batch: number },
  ): Promise<Logits> {
    const { exits, gates, classes, input, oneByOne } = this.#model;
    const batch = oneByOne === undefined ? most : 1;
    const dims = imageDims(this.#model);
    const out = exits.map(() => new Float32Array(images.count * classes));
    const scores = gates.map((_, k) => Float32Array.from(bits, (own) => own[k] - 1));
    for (let from = 0; from < images.count; from += batch) {
      signal?.throwIfAborted();
      const part = images.rows(from, from + batch);
      const results = await this.#session.run({
        [input.name]: { dtype: "float32", dims: [part.count, ...dims], data: part.data },
        ...Object.fromEntries(gates.map(({ score }, k) => [score, rowsOf(scores[k], from, part.count)])),
      });
      for (const [k, { logits }] of exits.entries())
        out[k].set((results[logits] as Tensor<"float32">).data, from * classes);
      onProgress?.(from + part.count, images.count);
    }
    return new Logits(
      out,
      classes,
      gates.map(({ exit }, k) => ({ scores: scores[k], threshold: 0, exit })),
    );
  }

  /** Releases the memory of the session. */
  release(): Promise<void> {
    return this.#session.release();
  }
}

const rowsOf = (scores: Float32Array, from: number, count: number): Tensor<"float32"> => ({
  dtype: "float32",
  dims: [count],
  data: scores.slice(from, from + count),
});

/** The graph with the score of each gate as an input. What computed the scores is pruned. */
function scoresAsInputs({ graph, gates, input }: DynamicModel): Graph {
  const fed = new Set(gates.map(({ score }) => score));
  const nodes = graph.nodes.map((node) => ({
    ...node,
    outputs: node.outputs.map((name) => (fed.has(name) ? `${name}/own` : name)),
  }));
  const scores = [...fed].map((name) => ({ name, dtype: "float32" as const, shape: [input.shape[0]] }));
  return simplify({ ...graph, nodes, inputs: [...graph.inputs, ...scores], types: new Map() }, opTable);
}
