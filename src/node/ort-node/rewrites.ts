/** @file Chooses the rewrites for speed that a graph gets on this machine. They change nothing but
 *  time. */
import type { Tensor } from "../../core/tensor.js";
import { GraphBuilder } from "../../graph/builder.js";
import { type Graph, type Node, subgraphs } from "../../graph/graph.js";
import { inferShapes } from "../../graph/infer.js";
import { emptyGraph } from "../../graph/op.js";
import { writeModel } from "../../onnx/write.js";
import { opTable } from "../../ops/table.js";
import { isTraining, lowerBatchStatistics } from "../../runtime/blocked/batch-statistics.js";
import { fillChannels } from "../../runtime/blocked/fill.js";
import { NCHWC } from "../../runtime/blocked/layout.js";
import { steepMasks } from "../../runtime/blocked/masks.js";
import { blockedLayout } from "../../runtime/blocked/rewrite.js";
import { lowerKernelGradients } from "../../runtime/kernel-gradients.js";
import { ort } from "./ort.js";

/** Whether the graph is a training step. It has batch statistics, or convolutions with weights that
 * are not constant, which ONNX Runtime leaves as they are. */
const trains = (graph: Graph): boolean =>
  graph.nodes.some((node) => isTraining(node) || (node.opType === "Conv" && !graph.initializers.has(node.inputs[1])));

/** The graph rewritten so that ONNX Runtime runs it correctly, and fastest when `forSpeed` is true.
 * @param graph with types, when they can be inferred */
export async function rewritten(graph: Graph, forSpeed: boolean): Promise<Graph> {
  if (!trains(graph)) return forSpeed ? inference(graph) : graph;
  const lowered = lowerBatchStatistics(inferShapes(graph, opTable));
  if (!forSpeed) return lowerKernelGradients(lowered);
  const block = await blockSize();
  const masked = steepMasks(lowered);
  return block === undefined ? lowerKernelGradients(masked) : blockedLayout(masked, block);
}

/** The rewrite of a forward pass or a gradient, whose weights are constant. The whole graph gets
 * the blocked layout, or stays as it is when a convolution cannot have that layout: ONNX Runtime is
 * then faster around that convolution. */
async function inference(graph: Graph): Promise<Graph> {
  const block = await blockSize();
  if (graph.types.size === 0) return graph;
  const masked = steepMasks(graph);
  if (block === undefined) return masked;
  const blocked = blockedLayout(fillChannels(masked, block), block);
  return has(blocked, isBlocked) && !has(blocked, isPlainConv) ? blocked : masked;
}

const isBlocked = (node: Node): boolean => node.domain === NCHWC;
const isPlainConv = (node: Node): boolean => node.domain === "" && node.opType === "Conv";

/** Whether the graph, or a graph inside it, has such a node. */
const has = (graph: Graph, such: (node: Node) => boolean): boolean =>
  graph.nodes.some((node) => such(node) || subgraphs(node).some((inner) => has(inner, such)));

let known: Promise<number | undefined> | undefined;

/** Channels in a block of the blocked layout. Undefined on a machine whose ONNX Runtime lacks this
 * layout. */
function blockSize(): Promise<number | undefined> {
  known ??= probe();
  return known;
}

/** The layout rounds channels up to whole blocks: 4 channels go in, one block comes out. */
async function probe(): Promise<number | undefined> {
  const b = new GraphBuilder(emptyGraph("probe", 17));
  const x = b.input("x", "float32", [1, 4, 1, 1]);
  b.append({ opType: "ReorderInput", domain: NCHWC, name: "", inputs: [x], outputs: ["y"], attributes: {} });
  b.output("y", "float32", undefined);
  try {
    const session = await ort.InferenceSession.create(writeModel({ graph: b.build() }), {
      executionProviders: ["cpu"],
    });
    const { y } = await session.run({ x: new ort.Tensor("float32", new Float32Array(4), [1, 4, 1, 1]) });
    await session.release();
    const channels = (y as unknown as Pick<Tensor, "dims">).dims[1];
    return channels !== undefined && channels > 1 ? channels : undefined;
  } catch {
    return undefined;
  }
}
