/** @file Rewrites the masks of gradients, which are booleans that become numbers: Cast(Greater(x,
 *  0)), and Cast(Equal(x, Clip(x))). ONNX Runtime casts booleans one by one on one thread.
 *  HardSigmoid with the steepest slope gives the same 0 or 1 on all threads, except for a
 *  difference in (0, 3e-39). Normal float32 numbers are outside that interval. */

import { ONNX_CODE } from "../../core/dtype.js";
import { toNumbers } from "../../core/tensor.js";
import { attribute, float } from "../../graph/attributes.js";
import { type Graph, type Node, producers, type ValueName } from "../../graph/graph.js";
import { prune } from "../../graph/passes/prune.js";

/** Times the smallest normal float32 it is above 1. Times 1 it is still finite. */
const STEEPEST = 3e38;

/** @param graph with types inferred */
export function steepMasks(graph: Graph): Graph {
  const makers = producers(graph);
  const nodes = graph.nodes.flatMap((node) => {
    const asked = isCastToFloat(node) ? makers.get(node.inputs[0]) : undefined;
    return (asked && (positive(graph, node, asked) ?? unclipped(graph, node, asked, makers))) ?? [node];
  });
  if (nodes.every((node, i) => node === graph.nodes[i])) return graph;
  return prune({ ...graph, nodes, types: typesWith(graph, nodes) });
}

/** The types, and those of new values, which have the type of their first input. */
function typesWith({ types, nodes: old }: Graph, nodes: readonly Node[]): Graph["types"] {
  const made = new Set(old.flatMap((node) => node.outputs));
  const all = new Map(types);
  for (const { inputs, outputs } of nodes) {
    const type = all.get(inputs[0]);
    if (type && !made.has(outputs[0])) all.set(outputs[0], type);
  }
  return all;
}

const isCastToFloat = (node: Node): boolean =>
  node.opType === "Cast" && attribute(node, "to", "int") === ONNX_CODE.float32;

const isFloat = (graph: Graph, name: ValueName): boolean => graph.types.get(name)?.dtype === "float32";

function positive(graph: Graph, cast: Node, asked: Node): Node[] | undefined {
  if (asked.opType !== "Greater" || !isFloat(graph, asked.inputs[0])) return undefined;
  const bound = graph.initializers.get(asked.inputs[1]);
  if (!bound || bound.dims.length > 0 || toNumbers(bound)[0] !== 0) return undefined;
  const attributes = { alpha: float(STEEPEST), beta: float(0) };
  return [{ ...cast, opType: "HardSigmoid", inputs: [asked.inputs[0]], attributes }];
}

/** 1 - |x - Clip(x)| at the steepest slope. Both bounds must be finite: infinity minus infinity is
 * not a number. */
function unclipped(graph: Graph, cast: Node, asked: Node, makers: ReadonlyMap<ValueName, Node>): Node[] | undefined {
  const clip = makers.get(asked.inputs[1]);
  if (asked.opType !== "Equal" || clip?.opType !== "Clip" || clip.inputs[0] !== asked.inputs[0]) return undefined;
  if (!isFloat(graph, asked.inputs[0]) || !isBounded(graph, clip)) return undefined;
  const [excess, distance] = ["excess", "distance"].map((name) => `${cast.outputs[0]}.${name}`);
  const attributes = { alpha: float(-STEEPEST), beta: float(1) };
  return [
    { ...asked, opType: "Sub", outputs: [excess], attributes: {} },
    { ...cast, opType: "Abs", inputs: [excess], outputs: [distance], attributes: {} },
    { ...cast, opType: "HardSigmoid", inputs: [distance], attributes },
  ];
}

function isBounded(graph: Graph, clip: Node): boolean {
  return [1, 2].every((i) => {
    const bound = graph.initializers.get(clip.inputs[i] ?? "");
    return bound !== undefined && bound.dims.length === 0 && Number.isFinite(toNumbers(bound)[0]);
  });
}
