/** @file Fills channels up to whole blocks with channels of zeros, so that a graph with constant
 *  weights can be blocked throughout. MobileNetV2 has images of 24 channels, and some machines have
 *  blocks of 16. Weights that read a zero channel are 0, so no other value changes.
 *  Source: ONNX Runtime's NCHWc transformer does the same for one convolution at a time. */
import { sizeOf } from "../../core/shape.js";
import type { Tensor } from "../../core/tensor.js";
import { attribute, int } from "../../graph/attributes.js";
import { GraphBuilder } from "../../graph/builder.js";
import { type Graph, type Node, reads, type ValueName, type ValueType } from "../../graph/graph.js";

/** Operators that work channel by channel, and make a finite number of every zero. */
const CHANNELWISE = new Set([
  ...["Add", "Mul", "Sub", "Max", "Min", "Relu", "Greater", "Less", "Equal", "Cast", "Where", "Neg", "Abs", "Sign"],
  ...["Sigmoid", "Tanh", "HardSigmoid", "HardSwish", "LeakyRelu", "Clip", "Identity"],
]);

/** The axes of a convolution's weights that count the channels of its input and its output. */
interface WeightAxes {
  readonly input?: number;
  readonly output?: number;
  readonly depthwise: boolean;
}

/** @param graph with types
 * @param block channels in a block
 * @returns the same graph when it has no images to fill */
export function fillChannels(graph: Graph, block: number): Graph {
  const fillable = fillableValues(graph, block);
  if (fillable.size === 0) return graph;
  const b = new GraphBuilder({ ...graph, nodes: [] });
  for (const name of graph.nodes.flatMap((node) => node.outputs)) b.reserve(name);
  const whole = (channels: number): number => Math.ceil(channels / block) * block;
  const nodes = graph.nodes.map((node) => filledNode(graph, node, { b, fillable, whole }));
  const types = [...graph.types].map(([name, type]): [ValueName, ValueType] => {
    const [n, channels, ...size] = type.shape;
    return [name, fillable.has(name) ? { ...type, shape: [n, whole(channels as number), ...size] } : type];
  });
  const built = b.build();
  const constants = [...built.initializers].map(([name, { dtype, dims }]): [ValueName, ValueType] => [
    name,
    { dtype, shape: dims },
  ]);
  return { ...built, nodes, types: new Map([...constants, ...types]) };
}

/** The images whose channels do not fill blocks, and that only operators use that can be filled.
 * Values that must have the same channels are filled together or not at all. */
function fillableValues(graph: Graph, block: number): Set<ValueName> {
  const isRagged = (name: ValueName): boolean => {
    const [, channels] = graph.types.get(name)?.shape ?? [];
    return isImage(graph, name) && typeof channels === "number" && channels > block && channels % block !== 0;
  };
  const sets = new Joined();
  for (const { name } of [...graph.inputs, ...graph.outputs]) sets.refuse(name);
  for (const node of graph.nodes) {
    const images = [...reads(node), ...node.outputs].filter(isRagged);
    const axes = weightAxes(graph, node);
    if (axes?.depthwise || isChannelwise(graph, node, images)) sets.join(images);
    else if (!axes) for (const name of images) sets.refuse(name);
  }
  const made = graph.nodes.flatMap((node) => node.outputs);
  return new Set(made.filter((name) => isRagged(name) && !sets.isRefused(name)));
}

const isImage = (graph: Graph, name: ValueName): boolean =>
  graph.types.get(name)?.shape.length === 4 && !graph.initializers.has(name);

/** Whether all values of a channelwise node are images with as many channels, or constants of one
 * element. */
function isChannelwise(graph: Graph, node: Node, images: readonly ValueName[]): boolean {
  const channels = (name: ValueName): unknown => graph.types.get(name)?.shape[1];
  const isOne = (name: ValueName): boolean => sizeOf(graph.initializers.get(name)?.dims ?? [0]) === 1;
  const fits = (name: ValueName): boolean =>
    isOne(name) || (images.includes(name) && channels(name) === channels(images[0]));
  return node.domain === "" && CHANNELWISE.has(node.opType) && [...reads(node), ...node.outputs].every(fits);
}

/** Undefined for a node that is not a convolution with constant weights, or whose groups are
 * neither one nor one for each channel. */
function weightAxes(graph: Graph, node: Node): WeightAxes | undefined {
  const [w, bias = ""] = node.inputs.slice(1);
  const dims = graph.initializers.get(w ?? "")?.dims;
  const isConv = node.opType === "Conv";
  if (node.domain !== "" || (!isConv && node.opType !== "ConvTranspose") || dims?.length !== 4) return undefined;
  if (bias !== "" && !graph.initializers.has(bias)) return undefined;
  const groups = attribute(node, "group", "int") ?? 1;
  if (groups === 1) return { input: isConv ? 1 : 0, output: isConv ? 0 : 1, depthwise: false };
  return groups === dims[0] && dims[1] === 1 ? { output: 0, depthwise: true } : undefined;
}

interface Filling {
  readonly b: GraphBuilder;
  readonly fillable: ReadonlySet<ValueName>;
  /** The channels of whole blocks. */
  readonly whole: (channels: number) => number;
}

/** A convolution with weights for the zero channels. Other nodes stay as they are. */
function filledNode(graph: Graph, node: Node, { b, fillable, whole }: Filling): Node {
  const axes = weightAxes(graph, node);
  const [x, w, bias = ""] = node.inputs;
  const [from, to] = [fillable.has(x), fillable.has(node.outputs[0])];
  if (!axes || (!from && !to)) return node;
  const weights = graph.initializers.get(w) as Tensor;
  const grows = weights.dims.map((_, axis) => (axis === axes.input && from) || (axis === axes.output && to));
  const dims = weights.dims.map((size, axis) => (grows[axis] ? whole(size) : size));
  const inputs = [x, b.constant(withZeros(weights, dims), `${w}.filled`)];
  const shift = graph.initializers.get(bias);
  if (shift) inputs.push(to ? b.constant(withZeros(shift, [whole(shift.dims[0])]), `${bias}.filled`) : bias);
  const group = axes.depthwise ? { group: int(dims[0]) } : {};
  return { ...node, inputs, attributes: { ...node.attributes, ...group } };
}

/** A constant with zeros behind its own elements on each axis. */
function withZeros({ dtype, data, dims: old }: Tensor, dims: readonly number[]): Tensor {
  const [rows, , ...kernel] = [...old, 1, 1];
  const [columns, wide, each] = [old[1] ?? 1, dims[1] ?? 1, sizeOf(kernel)];
  const grown = new Float32Array(sizeOf(dims));
  for (let row = 0; row < rows; row++) {
    const values = (data as Float32Array).subarray(row * columns * each, (row + 1) * columns * each);
    grown.set(values, row * wide * each);
  }
  return { dtype, dims: [...dims], data: grown };
}

/** Sets of values that grow together. A set with a refused value is refused. */
class Joined {
  readonly #parents = new Map<ValueName, ValueName>();
  readonly #refused = new Set<ValueName>();

  join(names: readonly ValueName[]): void {
    for (const name of names) this.#unite(this.#root(names[0]), this.#root(name));
  }

  refuse(name: ValueName): void {
    this.#refused.add(this.#root(name));
  }

  isRefused(name: ValueName): boolean {
    return this.#refused.has(this.#root(name));
  }

  #unite(a: ValueName, b: ValueName): void {
    if (a === b) return;
    this.#parents.set(b, a);
    if (this.#refused.has(b)) this.#refused.add(a);
  }

  #root(name: ValueName): ValueName {
    let root = name;
    for (let next = this.#parents.get(root); next !== undefined; next = this.#parents.get(root)) root = next;
    return root;
  }
}
