/** @file Channels-last input ([n,h,w,c]: TensorFlow, Keras, tf2onnx) becomes channels first. */
import { type Shape, showShape } from "../../core/shape.js";
import { fromNumbers, type Tensor, toNumbers } from "../../core/tensor.js";
import { attribute, ints } from "../../graph/attributes.js";
import { GraphBuilder } from "../../graph/builder.js";
import { consumers, type Graph, type Node, type ValueInfo, type ValueName } from "../../graph/graph.js";
import type { OpTable } from "../../graph/op.js";
import { type Adapter, isElementwise, isOp, madeNode, withInput } from "./adapter.js";

/** From channels last to channels first, and back. */
const TO_FIRST = [0, 3, 1, 2];
const TO_LAST = [0, 2, 3, 1];

/** Numbers of channels that images have. */
const CHANNELS: readonly unknown[] = [1, 3, 4];

/** Puts the change of layout inside the graph. Where nothing but arithmetic with constants lies
 * between the input and the first Transpose, that Transpose goes and the constants turn. */
export const channelsLast: Adapter = (graph, { ops }) => {
  const [input] = graph.inputs;
  if (graph.inputs.length !== 1 || input.shape?.length !== 4 || !isChannelsLast(graph, input, input.shape))
    return undefined;
  const [batch, height, width, channels] = input.shape;
  const turned = { ...input, shape: [batch, channels, height, width] };
  const change = `The input "${input.name}" is ${showShape(input.shape)}, channels last. dynn takes ${showShape(turned.shape)}, and the transpose is inside.`;
  return { graph: withoutTranspose(graph, turned, ops) ?? withTranspose(graph, turned), change };
};

/** The first Transpose or convolution behind the input decides. Without either, the sizes do. */
function isChannelsLast(graph: Graph, input: ValueInfo, shape: Shape): boolean {
  return layoutByReaders(graph, input.name) ?? layoutBySizes(shape);
}

const layoutBySizes = ([, height, width, channels]: Shape): boolean =>
  CHANNELS.includes(channels) && [height, width].every((d) => typeof d === "string" || d > 4);

/** True: a Transpose makes channels first. False: channels are first already. */
function layoutByReaders(graph: Graph, input: ValueName): boolean | undefined {
  const readers = consumers(graph);
  const seen = new Set([input]);
  for (const name of seen)
    for (const node of readers.get(name) ?? []) {
      if (isOp(node, "Transpose")) return String(attribute(node, "perm", "ints")) === String(TO_FIRST) || undefined;
      if (isOp(node, "Conv", "MaxPool", "AveragePool", "BatchNormalization")) return node.inputs[0] !== name;
      if (isElementwise(node) || isOp(node, "Pad", "Slice", "Concat")) seen.add(node.outputs[0]);
    }
  return undefined;
}

/** The arithmetic from the input to the Transpose. Undefined where something else is between. */
function chainOf(graph: Graph, input: ValueName): { nodes: readonly Node[]; transpose: Node } | undefined {
  const readers = consumers(graph);
  const outputs = new Set(graph.outputs.map((o) => o.name));
  const nodes: Node[] = [];
  for (let at = input; ; ) {
    const [node, ...more] = readers.get(at) ?? [];
    if (!node || more.length > 0 || outputs.has(at)) return undefined;
    if (isOp(node, "Transpose")) return { nodes, transpose: node };
    const others = node.inputs.filter((name) => name !== "" && name !== at);
    if (
      !isElementwise(node) ||
      node.outputs.length > 1 ||
      others.some((name) => !isSmall(graph.initializers.get(name)))
    )
      return undefined;
    nodes.push(node);
    at = node.outputs[0];
  }
}

const isSmall = (constant: Tensor | undefined): boolean => constant !== undefined && constant.dims.length <= 4;

function withoutTranspose(graph: Graph, input: ValueInfo, ops: OpTable): Graph | undefined {
  const chain = chainOf(graph, input.name);
  if (!chain || String(attribute(chain.transpose, "perm", "ints")) !== String(TO_FIRST)) return undefined;
  const b = new GraphBuilder({ ...graph, inputs: [input], types: new Map() });
  const turned = new Map(
    chain.nodes.map((node) => [
      node,
      {
        ...node,
        inputs: node.inputs.map((name) => {
          const constant = graph.initializers.get(name);
          return constant && constant.data.length > 1 ? b.constant(channelsFirst(constant, ops), name) : name;
        }),
      },
    ]),
  );
  const { transpose } = chain;
  const nodes = graph.nodes.map((node) =>
    node === transpose ? madeNode("Identity", [node.inputs[0]], node.outputs[0]) : (turned.get(node) ?? node),
  );
  return { ...b.build(), nodes };
}

/** A constant that broadcasts against [n,h,w,c], turned so that it broadcasts against [n,c,h,w]. */
function channelsFirst(constant: Tensor, ops: OpTable): Tensor {
  const dims = [...Array.from({ length: 4 - constant.dims.length }, () => 1), ...constant.dims];
  const node = madeNode("Transpose", ["x"], "y", { perm: ints(TO_FIRST) });
  const [out] = ops
    .get(node)
    .run([{ dims, data: toNumbers(constant) }], { node, opset: 13, inputTypes: [constant.dtype] });
  return fromNumbers(constant.dtype, out.dims, out.data);
}

function withTranspose(graph: Graph, input: ValueInfo): Graph {
  const b = new GraphBuilder({ ...graph, inputs: [input], types: new Map() });
  const last = b.fresh(`${input.name}.channels_last`);
  const transpose = madeNode("Transpose", [input.name], last, { perm: ints(TO_LAST) });
  return { ...b.build(), nodes: [transpose, ...graph.nodes.map((node) => withInput(node, input.name, last))] };
}
