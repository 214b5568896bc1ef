/** @file Opsets outside those that dynn computes with: nodes of opset 7 to 10 in the form of opset
 *  11, and nodes of opset 22 to 24 in the form of opset 21. Source: the version notes of the ONNX
 *  operators. */
import { ONNX_CODE } from "../core/dtype.js";
import { DynnError } from "../core/errors.js";
import { fromNumbers, int64s, type Tensor } from "../core/tensor.js";
import { attribute, int, showNode, string } from "../graph/attributes.js";
import { GraphBuilder } from "../graph/builder.js";
import type { Graph, Node, ValueName } from "../graph/graph.js";
import { OPSETS } from "./model.js";

/** The opset in whose form a graph of `opset` is read. */
export const readOpset = (opset: number): number => Math.min(Math.max(opset, OPSETS.oldest), OPSETS.newest);

type Rewrite = (b: GraphBuilder, node: Node, graph: Graph) => readonly Node[];

/** The graph in the form of the next opset that dynn computes with.
 * @throws DynnError 'model/version' for a node that has no such form */
export function convertOpset(graph: Graph, from: number): Graph {
  const table = from < OPSETS.oldest ? OLD : from > OPSETS.newest ? NEW : undefined;
  if (!table) return graph;
  const b = new GraphBuilder({ ...graph, opset: readOpset(from) });
  const nodes = graph.nodes.flatMap((node) =>
    node.domain === "" && Object.hasOwn(table, node.opType) ? table[node.opType](b, node, graph) : [node],
  );
  return { ...b.build(), nodes };
}

/** Attributes of old nodes that are inputs now. */
const OLD: Readonly<Record<string, Rewrite>> = {
  BatchNormalization: (_, node) => {
    if (attribute(node, "spatial", "int") === 0) throw unreadable(node, "spatial is 0");
    return [without(node, "spatial")];
  },
  Clip: (b, node) => {
    const bound = (name: string) => {
      const value = attribute(node, name, "float");
      return value === undefined ? "" : b.constant(scalarOf(value));
    };
    return [node.inputs.length > 1 ? node : withInputs(without(node, "min", "max"), bound("min"), bound("max"))];
  },
  Pad: (b, node) => {
    const pads = attribute(node, "pads", "ints");
    if (!pads) return [node];
    const value = b.constant(scalarOf(attribute(node, "value", "float") ?? 0));
    return [withInputs(without(node, "pads", "value"), b.ints(pads), value)];
  },
  Slice: (b, node) => {
    const [starts, ends] = [attribute(node, "starts", "ints"), attribute(node, "ends", "ints")];
    if (!starts || !ends) return [node];
    const axes = attribute(node, "axes", "ints") ?? starts.map((_, i) => i);
    return [withInputs(without(node, "starts", "ends", "axes"), b.ints(starts), b.ints(ends), b.ints(axes))];
  },
  TopK: (b, node) => {
    const k = attribute(node, "k", "int");
    return [k === undefined ? node : withInputs(without(node, "k"), b.constant(int64s([k])))];
  },
  Scatter: (_, node) => [{ ...node, opType: "ScatterElements" }],
  Upsample: (b, node, graph) => [resized(b, graph, node)],
  Resize: (b, node, graph) => [resized(b, graph, node)],
};

/** Before opset 11 an output element lay at i / scale. ONNX Runtime then rounds down where a side
 * grows, and up where a side shrinks.
 * @throws DynnError 'model/version' when one side grows and the other shrinks */
function resized(b: GraphBuilder, graph: Graph, node: Node): Node {
  const stated = attribute(node, "scales", "floats");
  const scales = stated ? b.constant(fromNumbers("float32", [stated.length], stated)) : node.inputs[1];
  const factors = stated ?? [...(graph.initializers.get(scales)?.data ?? [])].map(Number);
  const mode = attribute(node, "mode", "string") ?? "nearest";
  const [grows, shrinks] = [factors.some((s) => s > 1), factors.some((s) => s < 1)];
  if (mode === "nearest" && (factors.length === 0 || (grows && shrinks)))
    throw unreadable(node, `its scales are ${factors.join() || "no constants"}, and dynn cannot tell how they round`);
  return {
    ...node,
    opType: "Resize",
    inputs: [node.inputs[0], b.constant(fromNumbers("float32", [0], [])), scales],
    attributes: {
      mode: string(mode === "bilinear" ? "linear" : mode),
      coordinate_transformation_mode: string("asymmetric"),
      nearest_mode: string(shrinks ? "ceil" : "floor"),
    },
  };
}

/** New operators, written with older ones. */
const NEW: Readonly<Record<string, Rewrite>> = {
  QuantizeLinear: (_, node) => {
    const precision = attribute(node, "precision", "int") ?? 0;
    if (precision !== 0 && precision !== ONNX_CODE.float32)
      throw unreadable(node, `precision is ${precision}, and dynn divides in float32`);
    return [without(node, "precision")];
  },
  DequantizeLinear: (b, node) => {
    const to = attribute(node, "output_dtype", "int") ?? 0;
    if (to === 0) return [node];
    const made = b.fresh(`${node.outputs[0]}.scaled`);
    return [
      { ...without(node, "output_dtype"), outputs: [made] },
      { ...node, opType: "Cast", name: "", inputs: [made], attributes: { to: int(to) } },
    ];
  },
  Swish: (b, node) => {
    const [x] = node.inputs;
    const alpha = attribute(node, "alpha", "float") ?? 1;
    const scaled = b.fresh(`${node.outputs[0]}.scaled`);
    const gate = b.fresh(`${node.outputs[0]}.gate`);
    const scale = alpha === 1 ? [] : [made("Mul", [x, b.constant(scalarOf(alpha))], scaled)];
    return [
      ...scale,
      made("Sigmoid", [alpha === 1 ? x : scaled], gate),
      { ...node, opType: "Mul", inputs: [x, gate], attributes: {} },
    ];
  },
  RMSNormalization: (b, node) => {
    const [x, weight] = node.inputs;
    const axis = attribute(node, "axis", "int") ?? -1;
    if (axis !== -1) throw unreadable(node, `axis is ${axis}, and dynn reads -1`);
    const at = (what: string) => b.fresh(`${node.outputs[0]}.${what}`);
    const [square, mean, shifted, root, normal] = ["square", "mean", "shifted", "root", "normal"].map(at);
    const epsilon = b.constant(scalarOf(attribute(node, "epsilon", "float") ?? 1e-5));
    return [
      made("Mul", [x, x], square),
      made("ReduceMean", [square, b.ints([-1])], mean, { keepdims: int(1) }),
      made("Add", [mean, epsilon], shifted),
      made("Sqrt", [shifted], root),
      made("Div", [x, root], normal),
      { ...node, opType: "Mul", inputs: [normal, weight], attributes: {} },
    ];
  },
};

const scalarOf = (value: number): Tensor => fromNumbers("float32", [], [value]);

const made = (
  opType: string,
  inputs: readonly ValueName[],
  output: ValueName,
  attributes: Node["attributes"] = {},
): Node => ({ opType, domain: "", name: "", inputs, outputs: [output], attributes });

const without = (node: Node, ...names: readonly string[]): Node => ({
  ...node,
  attributes: Object.fromEntries(Object.entries(node.attributes).filter(([name]) => !names.includes(name))),
});

const withInputs = (node: Node, ...more: readonly ValueName[]): Node => ({
  ...node,
  inputs: [node.inputs[0], ...more],
});

const unreadable = (node: Node, what: string): DynnError =>
  new DynnError("model/version", `${showNode(node)}: ${what}. Export the model with opset 17.`, { node: node.name });
