/** @file A graph with every float32 constant, input, output and cast turned to float64, for finite differences on the reference. */
import { fromNumbers, type Tensor, toNumbers } from "../../src/core/tensor.js";
import { type Attribute, int } from "../../src/graph/attributes.js";
import type { Graph, Node, ValueInfo } from "../../src/graph/graph.js";

/** How ONNX numbers element types. */
const [FLOAT, DOUBLE] = [1, 11];

const wide = <T extends Pick<ValueInfo, "dtype">>(value: T): T =>
  value.dtype === "float32" ? { ...value, dtype: "float64" } : value;

const wideTensor = (t: Tensor): Tensor => (t.dtype === "float32" ? fromNumbers("float64", t.dims, toNumbers(t)) : t);

function wideAttribute(name: string, found: Attribute): Attribute {
  if (found.kind === "tensor") return { kind: "tensor", value: wideTensor(found.value) };
  return name === "to" && found.kind === "int" && found.value === FLOAT ? int(DOUBLE) : found;
}

const wideNode = (node: Node): Node => ({
  ...node,
  attributes: Object.fromEntries(
    Object.entries(node.attributes).map(([name, found]) => [name, wideAttribute(name, found)]),
  ),
});

/** Types in between are dropped: inference finds them again. */
export const inFloat64 = (graph: Graph): Graph => ({
  ...graph,
  inputs: graph.inputs.map(wide),
  outputs: graph.outputs.map(wide),
  nodes: graph.nodes.map(wideNode),
  initializers: new Map([...graph.initializers].map(([name, t]) => [name, wideTensor(t)])),
  types: new Map(),
});
