/** @file Lowers training-mode BatchNormalization to reductions and an inference-mode
 *  BatchNormalization.
 *  ONNX Runtime's own kernel for the training mode runs on one thread, and writes the running
 *  averages over its own inputs.
 *  variance = mean(x * x) - mean(x)^2, at least 0. The difference loses digits only when |mean| is
 *  far above the deviation. Rounding can then make it negative. */
import { attribute } from "../../graph/attributes.js";
import { GraphBuilder } from "../../graph/builder.js";
import type { Graph, Node, ValueName } from "../../graph/graph.js";
import { inferShapes } from "../../graph/infer.js";
import { reduce } from "../../ops/support/emit.js";
import { opTable } from "../../ops/table.js";

/** Whether a node is a BatchNormalization in training mode. */
export const isTraining = (node: Node): boolean =>
  node.opType === "BatchNormalization" && attribute(node, "training_mode", "int") === 1;

/** @param graph with types inferred */
export function lowerBatchStatistics(graph: Graph): Graph {
  if (!graph.nodes.some(isTraining)) return graph;
  const b = new GraphBuilder({ ...graph, nodes: [] });
  for (const name of graph.nodes.flatMap((node) => node.outputs)) b.reserve(name);
  for (const node of graph.nodes)
    if (isTraining(node)) lower(b, node, graph.types.get(node.inputs[0])?.shape.length ?? 4);
    else b.append(node);
  return inferShapes(b.build(), opTable);
}

function lower(b: GraphBuilder, node: Node, rank: number): void {
  const [x, scale, shift] = node.inputs as [ValueName, ValueName, ValueName];
  const axes = Array.from({ length: rank - 1 }, (_, i) => (i === 0 ? 0 : i + 1));
  const momentum = attribute(node, "momentum", "float") ?? 0.9;
  const mean = reduce(b, "ReduceMean", x, axes, false);
  const square = reduce(b, "ReduceMean", b.op("Mul", [x, x]), axes, false);
  const variance = b.op("Max", [b.op("Sub", [square, b.op("Mul", [mean, mean])]), b.scalar(0)]);
  const { training_mode: _, momentum: __, ...attributes } = node.attributes;
  b.append({ ...node, inputs: [x, scale, shift, mean, variance], outputs: [node.outputs[0]], attributes });
  [mean, variance].forEach((now, i) => {
    const output = node.outputs[i + 1];
    if (output) b.append(mixed(b, node.inputs[i + 3], now, momentum, output));
  });
}

/** momentum * old + (1 - momentum) * now, under a given name. */
function mixed(b: GraphBuilder, old: ValueName, now: ValueName, momentum: number, output: ValueName): Node {
  const node = { domain: "", name: "", outputs: [output], attributes: {} };
  if (momentum === 0) return { ...node, opType: "Identity", inputs: [now] };
  const kept = b.op("Mul", [old, b.scalar(momentum)]);
  return { ...node, opType: "Add", inputs: [kept, b.op("Mul", [now, b.scalar(1 - momentum)])] };
}
