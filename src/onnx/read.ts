/** @file ONNX bytes -> OnnxModel. dynn reads a file completely or refuses it with a DynnError.
 *  Constants of every kind (initializers, Constant nodes, inputs with a default) become
 *  initializers of the graph. Source: onnx.proto and the ONNX IR specification. */
import { bytesOf } from "../core/bytes.js";
import { DynnError, reasonOf } from "../core/errors.js";
import { fromNumbers, scalar, type Tensor } from "../core/tensor.js";
import { type Attribute, showNode } from "../graph/attributes.js";
import { checkGraph, sortNodes } from "../graph/checker.js";
import type { Graph, Node, ValueName } from "../graph/graph.js";
import { readAttributes } from "./attributes.js";
import { decodeModel } from "./decode.js";
import type { GraphProto, ModelProto, NodeProto } from "./generated/onnx_pb.js";
import { IR_VERSIONS, type OnnxModel, READ_OPSETS, tidyDomain } from "./model.js";
import { convertOpset, readOpset } from "./opsets.js";
import { trimOutputs } from "./outputs.js";
import { readTensor, type TensorSource } from "./tensors.js";
import { dimNamer, readTypes, readValueInfo } from "./values.js";

/** What a model file may hold and ask for. */
export interface ReadLimits {
  /** Largest tensor, in bytes. */
  readonly tensorBytes: number;
  /** Memory that the decoded messages of the file take, as an upper estimate without raw tensor
   * data. */
  readonly decodedBytes: number;
  /** Number of nodes, including the nodes of sub-graphs. */
  readonly nodes: number;
  /** Number of outputs of the graph. */
  readonly outputs: number;
  /** Deepest nesting of sub-graphs. */
  readonly depth: number;
}

/** Default limits for reading. graph/limits.ts holds the limits of a graph itself. */
export const READ_LIMITS: ReadLimits = {
  tensorBytes: 2 ** 31,
  decodedBytes: 2 ** 30,
  nodes: 100_000,
  outputs: 256,
  depth: 16,
};

/** How a model file is read. */
export interface ReadOptions {
  /** The model's name in messages: its path or address. */
  readonly name?: string;
  /** Returns the bytes of a file of external data. The argument is the location that the model
   * states. It is relative to the model's folder, and the reader does not check it. */
  readonly external?: (location: string) => Uint8Array;
  /** Limits in place of the usual ones. */
  readonly limits?: Partial<ReadLimits>;
  /** True when the caller no longer uses `bytes` and the results of `external`. Aligned tensors
   * are then views of them. Otherwise every tensor is a copy. */
  readonly owned?: boolean;
}

interface Context {
  readonly opset: number;
  readonly depth: number;
  readonly source: TensorSource;
  /** See {@link dimNamer}. */
  readonly freshDim: () => string;
}

/** Reads a model of opset 7 to 24.
 * @throws DynnError 'model/parse', 'model/empty', 'model/version', 'model/op', 'model/dtype',
 *   'model/tensor', 'model/limit', 'model/external', 'model/attribute', 'model/input',
 *   'model/metadata', and what {@link checkGraph} throws */
export function readModel(bytes: Uint8Array, options: ReadOptions = {}): OnnxModel {
  const name = options.name ?? "model";
  const limits = { ...READ_LIMITS, ...options.limits };
  // A Uint8Array: the slices of a Node.js Buffer would be Buffers.
  const proto = decodeModel(bytesOf(bytes), name, limits);
  const opsets = readOpsets(proto, name);
  refuseExtras(proto, name);
  if (!proto.graph) throw new DynnError("model/empty", `${name}: it has no graph. Export the model again.`, { name });
  refuseLarge(proto.graph, name, limits);
  const source: TensorSource = {
    owned: options.owned ?? false,
    tensorBytes: limits.tensorBytes,
    external: externalFiles(options.external),
    claimed: new Map(),
  };
  const trimmed = trimOutputs(proto.graph);
  const stated = opsets.get("") as number;
  const context = {
    opset: readOpset(stated),
    depth: limits.depth,
    source,
    freshDim: dimNamer(proto.graph),
  };
  const graph = convertOpset(readGraph(trimmed.graph, name, context), stated);
  checkGraph(graph);
  const changes = [...trimmed.changes, ...opsetChange(stated, graph.opset)];
  return {
    graph,
    metadata: readMetadata(proto, name),
    producer: { name: proto.producerName, version: proto.producerVersion },
    irVersion: Number(proto.irVersion),
    opsets,
    ...(changes.length > 0 && { changes }),
  };
}

const opsetChange = (stated: number, read: number): readonly string[] =>
  stated === read ? [] : [`The file has opset ${stated}. dynn reads its nodes in the form of opset ${read}.`];

function refuseLarge({ output }: GraphProto, name: string, { outputs }: ReadLimits): void {
  if (output.length > outputs)
    throw new DynnError(
      "model/limit",
      `${name}: it has ${output.length} outputs, more than the limit of ${outputs}. Raise limits.outputs if the model needs this size.`,
      { outputs: output.length, limit: outputs },
    );
}

function readOpsets(proto: ModelProto, name: string): ReadonlyMap<string, number> {
  const ir = Number(proto.irVersion);
  if (ir < IR_VERSIONS.oldest || ir > IR_VERSIONS.newest)
    throw new DynnError(
      "model/version",
      `${name}: IR version ${ir} is not supported, expected ${IR_VERSIONS.oldest} to ${IR_VERSIONS.newest}. Export the model with another version of ONNX.`,
      { irVersion: ir },
    );
  const opsets = new Map(proto.opsetImport.map((entry) => [tidyDomain(entry.domain), Number(entry.version)]));
  const opset = opsets.get("");
  if (opset === undefined || opset < READ_OPSETS.oldest || opset > READ_OPSETS.newest)
    throw new DynnError(
      "model/version",
      `${name}: ai.onnx opset ${opset ?? "is not stated"}${opset === undefined ? "" : " is not supported"}, expected ${READ_OPSETS.oldest} to ${READ_OPSETS.newest}. Export the model with opset 17.`,
      { opset },
    );
  return opsets;
}

function refuseExtras(proto: ModelProto, name: string): void {
  if (proto.functions.length > 0)
    throw new DynnError(
      "model/op",
      `${name}: it defines its own operators (functions: ${proto.functions.map((f) => f.name).join(", ")}), which is not supported. Export with functions inlined.`,
      { name },
    );
  if (proto.trainingInfo.length > 0)
    throw new DynnError(
      "model/parse",
      `${name}: it holds a training graph (training_info), which is not supported. Export the model for inference.`,
      { name },
    );
}

function readMetadata(proto: ModelProto, name: string): ReadonlyMap<string, string> {
  const metadata = new Map<string, string>();
  for (const { key, value } of proto.metadataProps) {
    if (metadata.has(key))
      throw new DynnError(
        "model/metadata",
        `${name}: metadata "${key}" appears twice. Write the model again with one value.`,
        { key },
      );
    metadata.set(key, value);
  }
  return metadata;
}

/** Reads each file of external data once. */
function externalFiles(load: ReadOptions["external"]): TensorSource["external"] {
  const files = new Map<string, Uint8Array>();
  return (location, where) => {
    const known = files.get(location);
    if (known) return known;
    if (!load)
      throw new DynnError(
        "model/external",
        `${where}: its data is in another file, "${location}". Load the model by its path, or give options.external.`,
        { location },
      );
    const file = loadExternal(load, location, where);
    files.set(location, file);
    return file;
  };
}

function loadExternal(load: (location: string) => Uint8Array, location: string, where: string): Uint8Array {
  try {
    const file = load(location);
    return bytesOf(file);
  } catch (cause) {
    if (cause instanceof DynnError) throw cause;
    throw new DynnError(
      "model/external",
      `${where}: its data file "${location}" cannot be read (${reasonOf(cause)}). Give options.external the bytes of that file.`,
      { location },
      { cause },
    );
  }
}

function readGraph(proto: GraphProto, where: string, context: Context): Graph {
  if (context.depth < 0)
    throw new DynnError(
      "model/limit",
      `${where}: sub-graphs are nested too deeply. Raise limits.depth if the model needs this depth.`,
      {},
    );
  const initializers = readInitializers(proto, where, context);
  const nodes: Node[] = [];
  for (const node of proto.node.map((node) => readNode(node, where, context))) {
    if (node.opType === "Constant" && node.domain === "")
      addInitializer(initializers, node.outputs[0] ?? "", constantOf(node, where), where);
    else nodes.push(node);
  }
  const inputs = proto.input
    .filter((input) => !initializers.has(input.name))
    .map((input) => readValueInfo(input, `${where}: input "${input.name}"`, context.freshDim));
  const outputs = proto.output.map((output) =>
    readValueInfo(output, `${where}: output "${output.name}"`, context.freshDim),
  );
  return {
    name: proto.name,
    opset: context.opset,
    inputs,
    outputs,
    nodes: sortNodes(nodes),
    initializers,
    types: readTypes(proto, nodes, outputs, where, context.freshDim),
  };
}

function readInitializers(proto: GraphProto, where: string, context: Context): Map<ValueName, Tensor> {
  if (proto.sparseInitializer.length > 0)
    throw new DynnError(
      "model/tensor",
      `${where}: it holds sparse initializers, which are not supported. Export the model with dense weights.`,
      {},
    );
  const initializers = new Map<ValueName, Tensor>();
  for (const tensor of proto.initializer)
    addInitializer(
      initializers,
      tensor.name,
      readTensor(tensor, `${where}: initializer "${tensor.name}"`, context.source),
      where,
    );
  return initializers;
}

function addInitializer(initializers: Map<ValueName, Tensor>, name: ValueName, value: Tensor, where: string): void {
  if (name === "") throw new DynnError("model/tensor", `${where}: a constant has no name. Export the model again.`, {});
  if (initializers.has(name))
    throw new DynnError(
      "model/duplicate",
      `${where}: two constants are named "${name}". Give every value its own name.`,
      { name },
    );
  initializers.set(name, value);
}

function readNode(proto: NodeProto, where: string, context: Context): Node {
  const bare = {
    opType: proto.opType,
    domain: tidyDomain(proto.domain),
    name: proto.name,
    inputs: proto.input,
    outputs: proto.output,
    attributes: {},
  };
  const attributes = readAttributes(proto.attribute, `${where}: ${showNode(bare)}`, {
    tensor: (t, at) => readTensor(t, at, context.source),
    graph: (g, at) => readGraph(g, at, { ...context, depth: context.depth - 1 }),
  });
  return { ...bare, attributes };
}

/** The tensor that a Constant node holds. */
function constantOf(node: Node, where: string): Tensor {
  const [name, attribute] = (Object.entries(node.attributes)[0] ?? []) as [string?, Attribute?];
  if (name === "value" && attribute?.kind === "tensor") return attribute.value;
  if (name === "value_float" && attribute?.kind === "float") return scalar("float32", attribute.value);
  if (name === "value_floats" && attribute?.kind === "floats")
    return fromNumbers("float32", [attribute.value.length], attribute.value);
  if (name === "value_int" && attribute?.kind === "int") return scalar("int64", attribute.value);
  if (name === "value_ints" && attribute?.kind === "ints")
    return fromNumbers("int64", [attribute.value.length], attribute.value);
  throw new DynnError(
    "model/attribute",
    `${where}: ${showNode(node)}: its value is ${name ? `"${name}" of kind ${attribute?.kind}` : "missing"}, expected value, value_float, value_floats, value_int or value_ints. Export the model again.`,
    { node: node.name },
  );
}
