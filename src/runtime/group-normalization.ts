/** @file GroupNormalization in operators that ONNX Runtime has kernels of. It has none of this one, and puts its definition in place of it
 *  while a session opens, in time that grows with the square of their number: 0.6 s for 100, 18 s for 500.
 *  Spec: ONNX GroupNormalization-21. */
import { isStatic, multiplyDims, type Shape } from "../core/shape.js";
import { fromNumbers, type Tensor } from "../core/tensor.js";
import { type Attributes, attribute, float } from "../graph/attributes.js";
import { GraphBuilder } from "../graph/builder.js";
import { type Graph, type Node, subgraphs, type ValueName, type ValueType, withSubgraphs } from "../graph/graph.js";
import { distinctNames } from "../graph/scopes.js";

const isGroupNormalization = ({ domain, opType }: Node): boolean => domain === "" && opType === "GroupNormalization";

const hasOne = ({ nodes }: Graph): boolean =>
  nodes.some((node) => isGroupNormalization(node) || subgraphs(node).some(hasOne));

/** @param graph with types
 *  @returns the graph without GroupNormalization, but for those whose channels are not known, or that are not in float32. */
export function lowerGroupNormalization(graph: Graph): Graph {
  if (!hasOne(graph)) return graph;
  const lowered = inGraph(graph);
  return lowered.nodes.some((node) => subgraphs(node).length > 0) ? distinctNames(lowered) : lowered;
}

function inGraph(graph: Graph): Graph {
  if (!hasOne(graph)) return graph;
  const b = new GraphBuilder({ ...graph, nodes: [] });
  for (const name of graph.nodes.flatMap((node) => node.outputs)) b.reserve(name);
  for (const node of graph.nodes) {
    const [x, scale] = node.inputs.map((name) => graph.types.get(name));
    if (isGroupNormalization(node) && x && scale && canLower(x, scale))
      lower(
        b,
        node,
        x,
        [1, 2].map((i) => graph.initializers.get(node.inputs[i])),
      );
    else b.append(withSubgraphs(node, inGraph));
  }
  return b.build();
}

const canLower = ({ dtype, shape }: ValueType, scale: ValueType): boolean =>
  dtype === "float32" && scale.dtype === "float32" && typeof shape[1] === "number" && isStatic(scale.shape);

/** Groups are the channels of an InstanceNormalization; scale and shift are one per group, or one per channel in it. */
function lower(b: GraphBuilder, node: Node, { shape }: ValueType, parameters: readonly (Tensor | undefined)[]): void {
  const [x, scale, shift] = node.inputs as [ValueName, ValueName, ValueName];
  const [channels, groups] = [shape[1] as number, attribute(node, "num_groups", "int") as number];
  const same = (value: number) => b.constant(fromNumbers("float32", [groups], new Float64Array(groups).fill(value)));
  const spread = (name: ValueName, value: Tensor | undefined): ValueName =>
    value
      ? b.constant({ ...value, dims: [groups, value.data.length / groups, 1] }, name)
      : b.op("Reshape", [name, b.ints([groups, -1, 1])]);
  const pixels = multiplyDims(shape.slice(2));
  const each = channels / groups;
  // Where ONNX Runtime does not know shapes, it looks for memory to use again in time that grows with the square of the nodes.
  const op = (opType: string, inputs: readonly ValueName[], rest: Shape, attributes: Attributes = {}): ValueName => {
    const made = b.op(opType, inputs, attributes);
    b.setType(made, { dtype: "float32", shape: [shape[0], groups, ...rest] });
    return made;
  };
  const epsilon = float(attribute(node, "epsilon", "float") ?? 1e-5);
  const lines = op("Reshape", [x, b.ints([0, groups, -1])], [multiplyDims([each, pixels])]);
  const normal = op("InstanceNormalization", [lines, same(1), same(0)], [multiplyDims([each, pixels])], { epsilon });
  const grouped = op("Reshape", [normal, b.ints([0, groups, each, -1])], [each, pixels]);
  const scaled = op("Mul", [grouped, spread(scale, parameters[0])], [each, pixels]);
  const shifted = op("Add", [scaled, spread(shift, parameters[1])], [each, pixels]);
  b.append({ ...node, opType: "Reshape", inputs: [shifted, likeOf(b, x, shape)], attributes: {} });
}

/** What to reshape to for the shape of x: a constant where no more than one length is open. */
const likeOf = (b: GraphBuilder, x: ValueName, shape: Shape): ValueName =>
  shape.filter((d) => typeof d === "string").length <= 1 && !shape.includes(0)
    ? b.ints(shape.map((d) => (typeof d === "number" ? d : -1)))
    : b.op("Shape", [x]);
