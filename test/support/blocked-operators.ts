/** @file ONNX Runtime's blocked operators in float64, for any number of channels in a block: what a machine with wider or narrower vector
 *  registers computes. Nothing is rounded between nodes. Source: ONNX Runtime, contrib_ops/cpu/nchwc_ops.cc. */
import { sizeOf } from "../../src/core/shape.js";
import { type Tensor, toNumbers } from "../../src/core/tensor.js";
import { attribute } from "../../src/graph/attributes.js";
import type { Graph, Node } from "../../src/graph/graph.js";
import type { NdArray } from "../../src/graph/op.js";
import { opTable } from "../../src/ops/table.js";
import { NCHWC } from "../../src/runtime/blocked/layout.js";

/** Dimensions as ONNX Runtime sees them; data as they lie in memory. */
type Value = NdArray;

/** The outputs of a graph, which may have blocked operators.
 * @param block channels in a block
 * @throws Error where ONNX Runtime would refuse a shape */
export function runInBlocks(
  graph: Graph,
  feeds: Readonly<Record<string, Tensor>>,
  block: number,
): ReadonlyMap<string, Value> {
  const given = [...graph.initializers, ...Object.entries(feeds)];
  const values = new Map<string, Value>(given.map(([name, t]) => [name, { dims: t.dims, data: toNumbers(t) }]));
  for (const node of graph.nodes) {
    const inputs = node.inputs.map((name) => (name ? values.get(name) : undefined));
    const outputs = node.domain === NCHWC ? [blockedOperator(node, inputs, block)] : plainOperator(node, inputs, graph);
    node.outputs.forEach((name, i) => {
      if (name && outputs[i]) values.set(name, outputs[i]);
    });
  }
  return new Map(graph.outputs.map(({ name }) => [name, values.get(name) as Value]));
}

const plainOperator = (
  node: Node,
  inputs: readonly (Value | undefined)[],
  { opset, types }: Pick<Graph, "opset" | "types">,
): readonly (Value | undefined)[] =>
  opTable
    .get({ ...node, domain: "" })
    .run(inputs, { node: { ...node, domain: "" }, opset, inputTypes: node.inputs.map((n) => types.get(n)?.dtype) });

/** The operator of the same name on plain images. */
const asPlain = (node: Node, ...inputs: Value[]): Value =>
  plainOperator(node, inputs, { opset: 17, types: new Map() })[0] as Value;

function blockedOperator(node: Node, inputs: readonly (Value | undefined)[], block: number): Value {
  const x = inputs[0] as Value;
  if (node.opType === "ReorderInput") return toBlocks(attribute(node, "channels_last", "int") ? first(x) : x, block);
  if (node.opType === "ReorderOutput") return reorderOutput(node, x, block);
  if (node.opType === "Conv") return conv(node, inputs, block);
  if (node.opType === "Upsample") return toBlocks(upsampled(fromBlocks(x, block), node), block);
  return toBlocks(asPlain(node, fromBlocks(x, block)), block);
}

function reorderOutput(node: Node, x: Value, block: number): Value {
  const [n, , h, w] = x.dims as [number, number, number, number];
  const channels = attribute(node, "channels", "int") as number;
  const plain = fromBlocks(x, block);
  const kept = { dims: [n, channels, h, w], data: cut(plain, channels) };
  return attribute(node, "channels_last", "int") ? moved(kept, [0, 2, 3, 1]) : kept;
}

/** Only the first channels. */
function cut({ dims, data }: Value, channels: number): Float64Array {
  const [n, all, ...size] = dims as [number, number, ...number[]];
  const pixels = sizeOf(size);
  const kept = new Float64Array(n * channels * pixels);
  for (let i = 0; i < n; i++)
    kept.set(data.subarray(i * all * pixels, (i * all + channels) * pixels), i * channels * pixels);
  return kept;
}

/** Three ways to read X and W, by the input channels of a group: less than a block of them are plain images. */
function conv(node: Node, [x, w, bias, added]: readonly (Value | undefined)[], block: number): Value {
  const [images, kernel] = [x as Value, w as Value];
  const [group, perGroup] = [attribute(node, "group", "int") ?? 1, kernel.dims[1]];
  const channels = images.dims[1];
  if (channels >= block && channels % block !== 0)
    throw new Error(`X of ${channels} channels fills no blocks of ${block}`);
  if (channels !== perGroup * group || kernel.dims[0] % block !== 0)
    throw new Error(`W [${kernel.dims}] with group ${group} does not fit X [${images.dims}]`);
  const depthwise = perGroup === 1 && group === kernel.dims[0];
  const read = depthwise || perGroup >= block ? fromBlocks(images, block) : images;
  const weights = perGroup >= block ? bothFromBlocks(kernel, block) : fromBlocks(kernel, block, true);
  const made = asPlain(node, read, weights, ...(bias ? [bias] : []));
  const { data } = toBlocks(made, block);
  const sum = { dims: made.dims, data: added ? data.map((v, i) => v + added.data[i]) : data };
  return activated(node, sum);
}

/** The fused activation, whose parameters are in the order of the operator's attributes. */
function activated(node: Node, value: Value): Value {
  const opType = attribute(node, "activation", "string");
  if (opType === undefined) return value;
  const params = node.attributes.activation_params;
  const [p = 0, q = 0] = params?.kind === "floats" ? params.value : [];
  const by: Readonly<Record<string, (v: number) => number>> = {
    Relu: (v) => Math.max(0, v),
    Sigmoid: (v) => 1 / (1 + Math.exp(-v)),
    Tanh: Math.tanh,
    LeakyRelu: (v) => (v < 0 ? p * v : v),
    HardSigmoid: (v) => Math.min(1, Math.max(0, p * v + q)),
    Clip: (v) => Math.min(q, Math.max(p, v)),
  };
  return { dims: value.dims, data: value.data.map(by[opType]) };
}

function upsampled({ dims, data }: Value, node: Node): Value {
  const [, , rows, columns] = attribute(node, "scales", "ints") as readonly number[];
  const [n, c, h, w] = dims as [number, number, number, number];
  const [height, width] = [h * rows, w * columns];
  const larger = Float64Array.from({ length: n * c * height * width }, (_, i) => {
    const [plane, y, x] = [Math.floor(i / (height * width)), Math.floor(i / width) % height, i % width];
    return data[(plane * h + Math.floor(y / rows)) * w + Math.floor(x / columns)];
  });
  return { dims: [n, c, height, width], data: larger };
}

/** Channels last to channels first. */
const first = ({ dims, data }: Value): Value => moved({ dims, data }, [0, 3, 1, 2]);

/** [n, c, h, w] in memory [n, c / block, h, w, block]; zeros fill up the last block. */
export function toBlocks({ dims, data }: Value, block: number): Value {
  const [n, c, h, w] = dims as [number, number, number, number];
  const filled = Math.ceil(c / block) * block;
  const whole = new Float64Array(n * filled * h * w);
  for (let i = 0; i < n; i++) whole.set(data.subarray(i * c * h * w, (i + 1) * c * h * w), i * filled * h * w);
  const inBlocks = moved({ dims: [n, filled / block, block, h * w], data: whole }, [0, 1, 3, 2]);
  return { dims: [n, filled, h, w], data: inBlocks.data };
}

/** {@link toBlocks} undone.
 * @param leading the blocks are those of the first axis, as kernels have them */
function fromBlocks({ dims, data }: Value, block: number, leading = false): Value {
  const axis = leading ? 0 : 1;
  const [outer, inner] = [sizeOf(dims.slice(0, axis)), sizeOf(dims.slice(axis + 1))];
  const apart = { dims: [outer, dims[axis] / block, inner, block], data };
  return { dims, data: moved(apart, [0, 1, 3, 2]).data };
}

/** A kernel [o, i, h, w] that lies in memory as [o / block, i / block, h, w, block of i, block of o]. */
function bothFromBlocks({ dims, data }: Value, block: number): Value {
  const [o, i, ...size] = dims as [number, number, ...number[]];
  const apart = { dims: [o / block, i / block, sizeOf(size), block, block], data };
  return { dims, data: moved(apart, [0, 4, 1, 3, 2]).data };
}

const moved = (value: Value, perm: readonly number[]): Value =>
  asPlain(
    {
      opType: "Transpose",
      domain: "",
      name: "",
      inputs: [""],
      outputs: [""],
      attributes: { perm: { kind: "ints", value: perm } },
    },
    value,
  );
