/** @file Splits a network that is trained in part. The frozen part becomes its own graph, which
 *  runs at inference speed. Its outputs (features) are the inputs of the trained part. Features can
 *  be kept, because frozen weights give the same features in every epoch. */
import { descendants, type Graph, type ValueName } from "../../graph/graph.js";
import { inferShapes } from "../../graph/infer.js";
import { prune } from "../../graph/passes/prune.js";
import { opTable } from "../../ops/table.js";

export interface FrozenSplit {
  /** The graph from images to features. */
  readonly frozen: Graph;
  /** The graph from features to the values that depend on trained parameters. */
  readonly trained: Graph;
  readonly features: readonly ValueName[];
}

/** Splits a graph in front of the first nodes that depend on trained parameters.
 * @param wanted values that the trained graph must have. A frozen value among them becomes a
 *  feature */
export function splitFrozen(source: Graph, trained: readonly ValueName[], wanted: readonly ValueName[]): FrozenSplit {
  const graph = inferShapes(source, opTable);
  const moving = descendants(graph, trained);
  const own = graph.nodes.filter((node) => node.outputs.some((name) => moving.has(name)));
  const made = new Set([...graph.inputs.map((i) => i.name), ...graph.nodes.flatMap((node) => node.outputs)]);
  const read = own.flatMap((node) => node.inputs).filter((name) => made.has(name) && !moving.has(name));
  const features = [...new Set([...read, ...wanted.filter((name) => !moving.has(name))])];
  const typed = features.map((name) => {
    const type = graph.types.get(name);
    return { name, dtype: type?.dtype ?? "float32", shape: type?.shape };
  });
  const outputs = wanted.map((name) => ({ name, dtype: "float32" as const, shape: undefined }));
  return {
    frozen: prune({ ...graph, outputs: typed }),
    trained: inferShapes(prune({ ...graph, inputs: typed, nodes: own, outputs, types: new Map() }), opTable),
    features,
  };
}
