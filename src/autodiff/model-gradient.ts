/** @file A model that also returns its gradient, as plain ONNX. `dynn gradient` writes it. */
import { DynnError } from "../core/errors.js";
import { showShape } from "../core/shape.js";
import { int } from "../graph/attributes.js";
import { GraphBuilder } from "../graph/builder.js";
import type { Graph, ValueInfo, ValueName } from "../graph/graph.js";
import { inferShapes } from "../graph/infer.js";
import type { OpTable } from "../graph/op.js";
import { simplify } from "../graph/passes/simplify.js";
import { refuseBatchMixing } from "../graph/per-sample.js";
import { emitLogits, logOf } from "../ops/output-logits.js";
import { readOutput } from "../ops/probabilities.js";
import { reduceSum, squeeze, unsqueeze } from "../ops/support/emit.js";
import { floatValues } from "./choose.js";
import { gradientGraph } from "./gradient.js";

/** The loss, the output it is computed from, and the input to differentiate with respect to. */
export interface ModelGradientOptions {
  /** cross-entropy: of the class probabilities and int64 labels [n]; sum: of the output's
   * elements. An output of the graph that holds probabilities p has the cross-entropy -log p. */
  readonly loss: "cross-entropy" | "sum";
  /** The output that the loss is computed from. Left out: the last float output. */
  readonly output?: string | undefined;
  /** The output holds probabilities although the graph does not show it. */
  readonly probabilities?: boolean | undefined;
  /** The input to differentiate with respect to. Left out: the first float input. */
  readonly wrt?: string | undefined;
}

/** A model that also computes its gradient. */
export interface ModelGradient {
  /** The model, with `loss` and `gradient` among its outputs. */
  readonly graph: Graph;
  /** The input for labels, int64 [n]. Undefined for the loss `sum`. */
  readonly labels: ValueName | undefined;
  /** The output with the loss of each sample, [n]. */
  readonly loss: ValueName;
  /** The output with the gradient of the summed loss, in the shape of the input. */
  readonly gradient: ValueName;
}

/** The model with two more outputs: `loss`, [n], and `gradient` of the summed loss in the shape of
 * the input. The opset stays, and dynn adds only standard operators.
 * @throws DynnError 'model/input' or 'model/classifier' when the input or output does not exist,
 *   'gradient/none' when the loss does not depend on the input
 * @example
 * ```ts
 * import { loadModel, modelGradient, opTable, ortNode } from "dynn/node";
 *
 * const { graph } = await loadModel("model.onnx");
 * const made = modelGradient(graph, opTable, { loss: "sum" });
 * const session = await ortNode().compile(made.graph);
 * const data = new Float32Array(3072).fill(0.5);
 * const image = { dtype: "float32", dims: [1, 3, 32, 32], data } as const;
 * const results = await session.run({ [graph.inputs[0].name]: image });
 * console.log(results[made.loss]?.data, results[made.gradient]?.dims);
 * await session.release();
 * ```
 */
export function modelGradient(source: Graph, ops: OpTable, options: ModelGradientOptions): ModelGradient {
  refuseBatchMixing(source, ops);
  const graph = simplify(inferShapes(source, ops), ops);
  const named = (name: string | undefined) => (name === undefined ? undefined : [name]);
  const [wrt] = floatValues(graph.inputs, named(options.wrt), "model/input", `${source.name}: input`) as [ValueInfo];
  const output = floatValues(graph.outputs, named(options.output), "model/classifier", `${source.name}: output`).at(
    -1,
  ) as ValueInfo;
  const b = new GraphBuilder(graph);
  const labels = options.loss === "cross-entropy" ? labelsFor(b, output, graph) : undefined;
  const [loss, gradient] = [b.fresh("loss"), b.fresh("gradient")];
  const value =
    labels === undefined ? sumPerSample(b, output) : crossEntropy(b, logitsOf(b, graph, output, options), labels);
  b.append({ opType: "Identity", domain: "", name: "", inputs: [value], outputs: [loss], attributes: {} });
  const keep = graph.outputs.map((o) => o.name);
  const request = { loss, wrt: [wrt.name], names: [gradient], keep };
  const withGradient = gradientGraph(inferShapes(b.build(), ops), ops, request);
  return { graph: withGradient, labels, loss, gradient: withGradient.outputs.at(-1)?.name ?? gradient };
}

/** The logits of the output.
 * @throws DynnError 'model/classifier' when the output is multi-label */
const logitsOf = (b: GraphBuilder, graph: Graph, { name }: ValueInfo, options: ModelGradientOptions): ValueName =>
  options.probabilities ? logOf(b, name) : emitLogits(b, graph, name, readOutput(graph, name));

/** @throws DynnError 'model/classifier' when the output is not [n, classes] */
function labelsFor(b: GraphBuilder, output: ValueInfo, graph: Graph): ValueName {
  const shape = output.shape ?? [];
  const isColumn = shape.length === 1 && ["column", "share"].includes(readOutput(graph, output.name).kind);
  if (shape.length === 2 || isColumn) return b.input("labels", "int64", [shape[0]]);
  throw new DynnError(
    "model/classifier",
    `${graph.name}: output ${output.name} is ${showShape(output.shape)}, and cross-entropy needs [n,classes]. Use the loss sum, or name another output.`,
    { output: output.name, shape: output.shape, options: ["loss"] },
  );
}

/** -log softmax(z)[label], one number per sample. */
function crossEntropy(b: GraphBuilder, logits: ValueName, labels: ValueName): ValueName {
  const logProbabilities = b.op("LogSoftmax", [logits], { axis: int(1) });
  const picked = b.op("GatherElements", [logProbabilities, unsqueeze(b, labels, [1])], { axis: int(1) });
  return b.op("Neg", [squeeze(b, picked, [1])]);
}

const sumPerSample = (b: GraphBuilder, { name, shape }: ValueInfo): ValueName =>
  reduceSum(b, name, (shape ?? []).map((_, i) => i).slice(1), false);
