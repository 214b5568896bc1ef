/** @file Graphs of float16, bfloat16 or float64 become float32, the type in which dynn computes. */
import { type DType, ONNX_CODE } from "../../core/dtype.js";
import { fromNumbers, type Tensor, toNumbers } from "../../core/tensor.js";
import { type Attribute, int } from "../../graph/attributes.js";
import type { Graph, Node, ValueInfo } from "../../graph/graph.js";
import { type Adapter, isOp } from "./adapter.js";

const MAX_FLOAT32 = 3.4028234663852886e38;

/** Gives every float of a graph the type float32. Weights of 16 bits keep their values. */
export const floatTypes: Adapter = (graph) => {
  const found = foreignTypes(graph);
  if (found.length === 0) return undefined;
  const change = `The file computes in ${found.join(" and ")}. dynn computes in float32, so logits may differ by rounding.`;
  return {
    graph: {
      ...graph,
      inputs: graph.inputs.map(asFloat32),
      outputs: graph.outputs.map(asFloat32),
      nodes: graph.nodes.map(floatNode),
      initializers: new Map([...graph.initializers].map(([name, t]) => [name, floatTensor(t)])),
      types: new Map(),
    },
    change,
  };
};

/** 16-bit floats anywhere; float64 where the input or an output has it. Exports for float32 hold
 * float64 constants too. */
function foreignTypes({ inputs, outputs, nodes, initializers }: Graph): DType[] {
  const ends = [...inputs, ...outputs].map(({ dtype }) => dtype);
  const inside = [...initializers.values()].map(({ dtype }) => dtype);
  const casts = nodes.flatMap((node) => (isOp(node, "Cast") ? [targetOf(node)] : []));
  const all = new Set([...ends, ...inside, ...casts]);
  return (["float16", "bfloat16", "float64"] as const).filter((dtype) =>
    dtype === "float64" ? ends.includes(dtype) : all.has(dtype),
  );
}

const isForeign = (dtype: DType | undefined): boolean =>
  dtype === "float16" || dtype === "bfloat16" || dtype === "float64";

const targetOf = ({ attributes }: Node, name = "to"): DType | undefined => {
  const code = attributes[name];
  return (Object.keys(ONNX_CODE) as DType[]).find((dtype) => code?.kind === "int" && ONNX_CODE[dtype] === code.value);
};

const asFloat32 = (info: ValueInfo): ValueInfo => (isForeign(info.dtype) ? { ...info, dtype: "float32" } : info);

/** Finite numbers stay finite. */
const floatTensor = (t: Tensor): Tensor =>
  isForeign(t.dtype)
    ? fromNumbers(
        "float32",
        t.dims,
        toNumbers(t).map((v) => (Number.isFinite(v) ? Math.min(Math.max(v, -MAX_FLOAT32), MAX_FLOAT32) : v)),
      )
    : t;

function floatNode(node: Node): Node {
  const attributes = Object.entries(node.attributes).map(([name, a]): [string, Attribute] => {
    if (a.kind === "tensor") return [name, { kind: "tensor", value: floatTensor(a.value) }];
    const isType = name === "to" || (name === "dtype" && isOp(node, "EyeLike"));
    return [name, isType && isForeign(targetOf(node, name)) ? int(ONNX_CODE.float32) : a];
  });
  return { ...node, attributes: Object.fromEntries(attributes) };
}
