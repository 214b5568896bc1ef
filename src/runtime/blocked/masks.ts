/** @file Rewrites the masks of gradients that pass where x > 0: Cast(Greater(x, 0)).
 *  ONNX Runtime casts booleans one by one on one thread. HardSigmoid with the steepest slope gives
 *  the same 0 or 1 on all threads, except for x in (0, 3e-39). Normal float32 numbers are outside
 *  that interval. */

import { ONNX_CODE } from "../../core/dtype.js";
import { toNumbers } from "../../core/tensor.js";
import { attribute, float } from "../../graph/attributes.js";
import { type Graph, type Node, producers } from "../../graph/graph.js";
import { prune } from "../../graph/passes/prune.js";

/** Times the smallest normal float32 it is above 1. Times 1 it is still finite. */
const STEEPEST = 3e38;

/** @param graph with types inferred */
export function steepMasks(graph: Graph): Graph {
  const makers = producers(graph);
  const nodes = graph.nodes.map((node) => steepMask(graph, node, makers.get(node.inputs[0])) ?? node);
  return nodes.every((node, i) => node === graph.nodes[i]) ? graph : prune({ ...graph, nodes });
}

function steepMask(graph: Graph, node: Node, asked: Node | undefined): Node | undefined {
  if (node.opType !== "Cast" || attribute(node, "to", "int") !== ONNX_CODE.float32) return undefined;
  if (asked?.opType !== "Greater" || graph.types.get(asked.inputs[0])?.dtype !== "float32") return undefined;
  const bound = graph.initializers.get(asked.inputs[1]);
  if (!bound || bound.dims.length > 0 || toNumbers(bound)[0] !== 0) return undefined;
  const attributes = { alpha: float(STEEPEST), beta: float(0) };
  return { ...node, opType: "HardSigmoid", inputs: [asked.inputs[0]], attributes };
}
