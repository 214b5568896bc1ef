/** @file What tests of this room and of exits ask of a network: its size, and its answer on ONNX Runtime. */
import { uniform } from "../../src/core/rng.js";
import { sizeOf } from "../../src/core/shape.js";
import { type Tensor, tensor, toNumbers } from "../../src/core/tensor.js";
import { macsOf, nodeMacs } from "../../src/graph/cost.js";
import type { Graph } from "../../src/graph/graph.js";
import { inferShapes } from "../../src/graph/infer.js";
import { ortNode } from "../../src/node/ort-node/index.js";
import { opTable } from "../../src/ops/table.js";

/** Elements of all parameters that are trained. */
export const trainedElements = (graph: Graph): number =>
  [...graph.initializers].reduce((sum, [name, t]) => sum + (/\.(weight|bias|mix)$/.test(name) ? t.data.length : 0), 0);

/** MACs of one sample, all outputs together. */
export const macsOfAll = (graph: Graph): number =>
  macsOf(
    graph,
    graph.outputs.map((o) => o.name),
    nodeMacs(inferShapes(graph, opTable), opTable),
  );

export const pixels = (...dims: readonly number[]): Tensor<"float32"> =>
  tensor("float32", dims, uniform({ seed: 5, sample: 0, purpose: "test", step: 0 }, sizeOf(dims)));

/** Every output on ONNX Runtime, as numbers. */
export async function answers(graph: Graph, images: Tensor): Promise<Record<string, readonly number[]>> {
  const session = await ortNode().compile(graph);
  const results = await session.run({ [graph.inputs[0]?.name]: images });
  await session.release();
  return Object.fromEntries(Object.entries(results).map(([name, t]) => [name, [...toNumbers(t)]]));
}

/** Shapes of the outputs, inferred. */
export const outputShapes = (graph: Graph): readonly unknown[] =>
  inferShapes(graph, opTable).outputs.map(({ name, shape }) => [name, shape]);
