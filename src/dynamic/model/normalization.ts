/** @file Input normalisation inside the graph: (x - mean) / std per channel. The first operators of
 *  the graph say which affine map they are. For a model that expects normalised input, the
 *  normalisation is prepended. */
import { DynnError } from "../../core/errors.js";
import { fromNumbers } from "../../core/tensor.js";
import { GraphBuilder } from "../../graph/builder.js";
import { consumers, type Graph, type Node, type ValueName } from "../../graph/graph.js";
import { inferContext } from "../../graph/infer.js";
import type { OpTable } from "../../graph/op.js";
import type { Normalization } from "../../schema/normalization.js";

/** Largest number of maps in a row to read, because a file can hold any number of them. */
const MOST_MAPS = 8;

/** The normalisation that the graph applies to its input first. Undefined when the graph starts
 * with another operation.
 * @param graph with inferred types */
export function findNormalization(graph: Graph, ops: OpTable): Normalization | undefined {
  const readers = consumers(graph);
  let at = graph.inputs[0]?.name;
  let scale: number[] = [];
  let shift: number[] = [];
  for (let maps = 0; maps < MOST_MAPS; maps++) {
    const next = onlyReader(readers, at);
    const affine = next && ops.get(next).asAffine?.(inferContext(graph, next, graph.types));
    if (!next || !affine) break;
    scale = [...affine.scale].map((s, c) => s * (scale[c] ?? 1));
    shift = [...affine.shift].map((t, c) => t + affine.scale[c] * (shift[c] ?? 0));
    at = next.outputs[0];
  }
  if (scale.length === 0 || scale.some((s) => !(s > 0))) return undefined;
  return { mean: scale.map((s, c) => -shift[c] / s), std: scale.map((s) => 1 / s) };
}

const onlyReader = (
  readers: ReadonlyMap<ValueName, readonly Node[]>,
  value: ValueName | undefined,
): Node | undefined => {
  const list = value === undefined ? undefined : readers.get(value);
  return list?.length === 1 && list[0]?.inputs[0] === value ? list[0] : undefined;
};

/** Puts (x - mean) / std before all nodes of the graph. The input keeps its name.
 * @throws DynnError 'cli/value' unless mean and std have one number per channel */
export function prependNormalization(graph: Graph, { mean, std }: Normalization): Graph {
  const [input] = graph.inputs;
  if (!input) return graph;
  const channels = input.shape?.[1];
  if (typeof channels === "number" && (mean.length !== channels || std.length !== channels))
    throw new DynnError(
      "cli/value",
      `normalisation: got ${mean.length} means and ${std.length} standard deviations, expected ${channels} of each, one per channel. Give as many as the model's input has channels.`,
      { channels, mean, std },
    );
  const b = new GraphBuilder(graph);
  const channel = (values: readonly number[]) =>
    b.constant(fromNumbers("float32", [1, values.length, 1, 1], values), "normalization");
  const normalized = b.op("Div", [b.op("Sub", [input.name, channel(mean)]), channel(std)], {}, "normalized");
  const built = b.build();
  const nodes = graph.nodes.map((node) => ({
    ...node,
    inputs: node.inputs.map((name) => (name === input.name ? normalized : name)),
  }));
  return { ...built, nodes: [...built.nodes.slice(graph.nodes.length), ...nodes] };
}
