/** @file Sessions that run one sample at a time. Some graphs hold a batch of 1 in their nodes.
 *  In others the answers would depend on the other samples of a batch: DynamicQuantizeLinear takes
 *  one scale from the whole batch. */

import type { ArrayOf } from "../core/dtype.js";
import { type Dim, sizeOf } from "../core/shape.js";
import { type Tensor, tensor } from "../core/tensor.js";
import { type Graph, subgraphs, type ValueInfo } from "../graph/graph.js";
import { opTable } from "../ops/table.js";
import type { Session, Tensors } from "./backend.js";

/** Whether a node of the graph takes one scale from all samples of a batch. */
export const scalesBatch = ({ nodes }: Graph): boolean =>
  nodes.some(
    (node) => (opTable.has(node) && opTable.get(node).scalesBatch === true) || subgraphs(node).some(scalesBatch),
  );

/** Whether a graph is for one sample: the first axis of every input and every output is 1. */
const isForOne = ({ inputs, outputs }: Graph): boolean =>
  [...inputs, ...outputs].every((value) => batchOf(value) === 1);

/** The session, run once for each sample where the graph needs it. Inputs and outputs whose first
 * axis is the batch are cut and joined. */
export function oneByOne(graph: Graph, session: Session): Session {
  const batch = samplesOf(graph);
  if (batch === undefined) return session;
  const batched = (values: readonly ValueInfo[]) =>
    new Set(values.filter((value) => batchOf(value) === batch).map((value) => value.name));
  const [inputs, outputs] = [batched(graph.inputs), batched(graph.outputs)];
  return {
    ...session,
    run: async (feeds) => {
      const rows = [...inputs].map((input) => feeds[input]?.dims[0] ?? 1);
      const count = Math.max(...rows);
      if (count <= 1 || rows.some((row) => row !== count)) return session.run(feeds);
      const results: Tensors[] = [];
      for (let i = 0; i < count; i++)
        results.push(await session.run(map(feeds, (t, key) => (inputs.has(key) ? row(t, i) : t))));
      return map(results[0], (t, key) => (outputs.has(key) ? joined(results.map((result) => result[key])) : t));
    },
  };
}

/** The first axis of values with a row per sample. Undefined for a graph that takes whole
 * batches. */
function samplesOf(graph: Graph): Dim | undefined {
  const name = graph.inputs.map(batchOf).find((dim) => typeof dim === "string");
  const split = name === undefined ? isForOne(graph) : scalesBatch(graph);
  return split ? (name ?? 1) : undefined;
}

const batchOf = ({ shape }: ValueInfo): Dim | undefined => shape?.[0];

const map = (tensors: Tensors, change: (t: Tensor, name: string) => Tensor): Tensors =>
  Object.fromEntries(Object.entries(tensors).map(([name, t]) => [name, change(t, name)]));

function row({ dtype, dims, data }: Tensor, i: number): Tensor {
  const each = sizeOf(dims.slice(1));
  return tensor(dtype, [1, ...dims.slice(1)], data.slice(i * each, (i + 1) * each) as ArrayOf);
}

function joined(parts: readonly Tensor[]): Tensor {
  const [{ dtype, dims, data }] = parts;
  const Typed = data.constructor as new (length: number) => ArrayOf;
  const all = new Typed(parts.reduce((sum, part) => sum + part.data.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part.data as never, at);
    at += part.data.length;
  }
  return tensor(dtype, [parts.reduce((sum, part) => sum + part.dims[0], 0), ...dims.slice(1)], all);
}
