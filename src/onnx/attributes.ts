/** @file AttributeProto <-> Attribute. An int64 value becomes the nearest JavaScript number.
 *  Writing saturates, so INT64_MAX ("to the end") stays INT64_MAX. Source: onnx.proto,
 *  AttributeProto. */
import { create } from "@bufbuild/protobuf";
import { DynnError, reasonOf } from "../core/errors.js";
import { int64s, type Tensor } from "../core/tensor.js";
import type { Attribute, Attributes } from "../graph/attributes.js";
import type { Graph } from "../graph/graph.js";
import {
  type AttributeProto,
  AttributeProtoSchema,
  type GraphProto,
  type TensorProto,
  AttributeProto_AttributeType as Type,
} from "./generated/onnx_pb.js";
import { writeTensor } from "./tensors.js";

/** Readers for the tensor and the sub-graph of an attribute. */
export interface AttributeReader {
  readonly tensor: (proto: TensorProto, where: string) => Tensor;
  readonly graph: (proto: GraphProto, where: string) => Graph;
}

/** Reads a node's attributes.
 * @throws DynnError 'model/attribute', and what the readers throw */
export function readAttributes(protos: readonly AttributeProto[], where: string, reader: AttributeReader): Attributes {
  const names = new Set<string>();
  const entries = protos.map((proto): [string, Attribute] => {
    if (names.has(proto.name))
      throw new DynnError(
        "model/attribute",
        `${where}: attribute "${proto.name}" appears twice. Export the model again.`,
        { attribute: proto.name },
      );
    names.add(proto.name);
    return [proto.name, readAttribute(proto, `${where}: attribute "${proto.name}"`, reader)];
  });
  return Object.fromEntries(entries);
}

function readAttribute(proto: AttributeProto, where: string, reader: AttributeReader): Attribute {
  switch (proto.type) {
    case Type.FLOAT:
      return { kind: "float", value: proto.f };
    case Type.INT:
      return { kind: "int", value: Number(proto.i) };
    case Type.STRING:
      return { kind: "string", value: readText(proto.s, where) };
    case Type.FLOATS:
      return { kind: "floats", value: proto.floats };
    case Type.INTS:
      return { kind: "ints", value: proto.ints.map(Number) };
    case Type.STRINGS:
      return { kind: "strings", value: proto.strings.map((s) => readText(s, where)) };
    case Type.TENSOR:
      return { kind: "tensor", value: reader.tensor(present(proto.t, where), where) };
    case Type.GRAPH:
      return { kind: "graph", value: reader.graph(present(proto.g, where), where) };
    default:
      throw new DynnError(
        "model/attribute",
        `${where}: kind ${Type[proto.type]} is not supported, expected a number, a text, a tensor, a graph, or a list of numbers or texts. Export the model again.`,
        { kind: Type[proto.type] },
      );
  }
}

function present<T>(value: T | undefined, where: string): T {
  if (value !== undefined) return value;
  throw new DynnError("model/attribute", `${where}: its value is missing. Export the model again.`, {});
}

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function readText(bytes: Uint8Array, where: string): string {
  try {
    return utf8.decode(bytes);
  } catch (cause) {
    throw new DynnError(
      "model/attribute",
      `${where}: its text is not UTF-8 (${reasonOf(cause)}). Export the model again.`,
      {},
      { cause },
    );
  }
}

/** Writes attributes, sorted by name. */
export const writeAttributes = (attributes: Attributes, writeGraph: (graph: Graph) => GraphProto): AttributeProto[] =>
  Object.entries(attributes)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, attribute]) => create(AttributeProtoSchema, { name, ...fieldsOf(attribute, writeGraph) }));

function fieldsOf(attribute: Attribute, writeGraph: (graph: Graph) => GraphProto) {
  switch (attribute.kind) {
    case "float":
      return { type: Type.FLOAT, f: Math.fround(attribute.value) };
    case "int":
      return { type: Type.INT, i: int64s([attribute.value]).data[0] };
    case "string":
      return { type: Type.STRING, s: writeText(attribute.value) };
    case "floats":
      return { type: Type.FLOATS, floats: attribute.value.map(Math.fround) };
    case "ints":
      return { type: Type.INTS, ints: [...int64s(attribute.value).data] };
    case "strings":
      return { type: Type.STRINGS, strings: attribute.value.map(writeText) };
    case "tensor":
      return { type: Type.TENSOR, t: writeTensor(attribute.value, "") };
    case "graph":
      return { type: Type.GRAPH, g: writeGraph(attribute.value) };
  }
}

const writeText = (text: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(text);
