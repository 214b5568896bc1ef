/** @file Whether the output that `dynn gradient` takes its loss from holds probabilities that the
 *  graph does not show. */
import { floatValues } from "../autodiff/choose.js";
import { uniform } from "../core/rng.js";
import { isStatic, sizeOf } from "../core/shape.js";
import type { Tensor } from "../core/tensor.js";
import { rowsKind } from "../dynamic/run/rows-kind.js";
import type { Graph } from "../graph/graph.js";
import { inferShapes } from "../graph/infer.js";
import { foldConstants } from "../graph/passes/fold-constants.js";
import { prune } from "../graph/passes/prune.js";
import { severalLabels } from "../ops/output-logits.js";
import { endsUnbounded, readOutput } from "../ops/probabilities.js";
import { opTable } from "../ops/table.js";
import type { Backend } from "../runtime/backend.js";

/** Samples in the run, when the batch is open. */
const SAMPLES = 16;

/** Options of {@link holdsProbabilities}. */
export interface HeldOptions {
  /** Runs the graph. */
  readonly backend: Backend;
  /** The output of the loss. Left out: the last float output. */
  readonly output?: string | undefined;
}

/** Runs a graph on random pixels and says whether the rows of an output are probabilities. A graph
 * with several inputs, or with open sizes besides the batch, is not run: the answer is false.
 * @throws DynnError 'model/classifier' when the output does not exist, or holds a probability for
 *   each label of several; 'runtime/load', 'runtime/run' */
export async function holdsProbabilities(source: Graph, { backend, output }: HeldOptions): Promise<boolean> {
  const graph = foldConstants(inferShapes(source, opTable), opTable);
  const names = output === undefined ? undefined : [output];
  const chosen = floatValues(graph.outputs, names, "model/classifier", `${source.name}: output`).at(-1);
  const image = randomInput(graph);
  if (!chosen || !image || chosen.dtype !== "float32" || isShown(graph, chosen.name)) return false;
  const session = await backend.compile(prune({ ...source, outputs: [chosen] }));
  try {
    const results = await session.run({ [graph.inputs[0]?.name ?? ""]: image });
    const { data, dims } = results[chosen.name];
    if (dims.length !== 2) return false;
    const kind = rowsKind(data as Float32Array, dims[1]);
    if (kind === "labels") throw severalLabels(source.name, chosen.name);
    return kind === "probabilities";
  } finally {
    await session.release();
  }
}

/** Whether the graph itself shows what the output holds. */
function isShown(graph: Graph, name: string): boolean {
  const { kind, value } = readOutput(graph, name);
  return kind !== "logits" || value !== name || endsUnbounded(graph, name);
}

function randomInput({ inputs }: Graph): Tensor<"float32"> | undefined {
  const [input, ...more] = inputs;
  const [batch, ...dims] = input?.shape ?? [];
  if (more.length > 0 || input?.dtype !== "float32" || batch === undefined || !isStatic(dims)) return undefined;
  const count = typeof batch === "number" ? batch : SAMPLES;
  const data = uniform({ seed: 0, sample: 0, purpose: "test", step: 0 }, count * sizeOf(dims));
  return { dtype: "float32", dims: [count, ...dims], data };
}
