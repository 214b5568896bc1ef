/** @file Graph -> ONNX bytes. Equal models give equal bytes: metadata, attributes and domains
 *  are sorted, and initializers keep their order. The file states the types of intermediate
 *  values as value_info with named dimensions, because ONNX Runtime needs them for its blocked
 *  layouts. */
import { create, toBinary } from "@bufbuild/protobuf";
import { DynnError } from "../core/errors.js";
import { VERSION } from "../core/version.js";
import { type Graph, type Node, subgraphs, trimmedInputs } from "../graph/graph.js";
import { writeAttributes } from "./attributes.js";
import {
  type GraphProto,
  GraphProtoSchema,
  type ModelProto,
  ModelProtoSchema,
  NodeProtoSchema,
} from "./generated/onnx_pb.js";
import { IR_OF_OPSET, type OnnxModel, OPSETS } from "./model.js";
import { type ExternalPlace, writeTensor } from "./tensors.js";
import { writeValueInfo } from "./values.js";

/** Length limit of a protobuf message. */
const MESSAGE_LIMIT = 2 ** 31 - 1;

/** A model to write: a graph alone, or all fields of {@link OnnxModel}. The producer is always
 * dynn. */
export type WritableModel = Pick<OnnxModel, "graph"> &
  Partial<Pick<OnnxModel, "metadata" | "irVersion" | "opsets">> & {
    /** Where the bytes of initializers of the main graph lie in files beside this one. The file
     * then holds the places alone. */
    readonly external?: ReadonlyMap<string, ExternalPlace> | undefined;
  };

/** Writes a model as bytes.
 * @param model `irVersion` rises to the version that the opset needs; `opsets` gives the versions
 *   of other domains, 1 by default
 * @throws DynnError 'model/version', 'model/limit' */
export function writeModel(model: WritableModel): Uint8Array<ArrayBuffer> {
  const { graph, external } = model;
  const bytes = weightBytes(graph) - externalBytes(external);
  if (bytes > MESSAGE_LIMIT)
    throw new DynnError(
      "model/limit",
      `graph "${graph.name}": its weights take ${bytes} bytes, more than the ${MESSAGE_LIMIT} that one ONNX file can hold. Use a smaller model or smaller element types.`,
      { bytes, limit: MESSAGE_LIMIT },
    );
  return toBinary(ModelProtoSchema, modelProto(model));
}

function modelProto({ graph, metadata, irVersion, opsets, external }: WritableModel): ModelProto {
  const neededIr = IR_OF_OPSET[graph.opset];
  if (neededIr === undefined)
    throw new DynnError(
      "model/version",
      `graph "${graph.name}": opset ${graph.opset} cannot be written, expected ${OPSETS.oldest} to ${OPSETS.newest}. Build the graph with one of these.`,
      { opset: graph.opset },
    );
  const domains = [...new Set(["", ...domainsOf(graph)])].sort();
  return create(ModelProtoSchema, {
    irVersion: BigInt(Math.max(neededIr, irVersion ?? 0)),
    producerName: "dynn",
    producerVersion: VERSION,
    opsetImport: domains.map((domain) => ({
      domain,
      version: BigInt(domain === "" ? graph.opset : (opsets?.get(domain) ?? 1)),
    })),
    metadataProps: [...(metadata ?? [])].sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, value]) => ({ key, value })),
    graph: graphProto(graph, external),
  });
}

const domainsOf = (graph: Graph): string[] =>
  graph.nodes.flatMap((node) => [node.domain, ...subgraphs(node).flatMap(domainsOf)]);

const weightBytes = (graph: Graph): number =>
  [...graph.initializers.values()].reduce((sum, t) => sum + t.data.byteLength, 0) +
  graph.nodes.flatMap(subgraphs).reduce((sum, inner) => sum + weightBytes(inner), 0);

const externalBytes = (external: WritableModel["external"] = new Map()): number =>
  [...external.values()].reduce((sum, { length }) => sum + length, 0);

function graphProto(graph: Graph, external: WritableModel["external"] = new Map()): GraphProto {
  const outputs = new Set(graph.outputs.map((output) => output.name));
  const names = new Set<string>();
  const between = graph.nodes.flatMap((node) => node.outputs).filter((name) => !outputs.has(name));
  return create(GraphProtoSchema, {
    name: graph.name,
    input: graph.inputs.map((v) => writeValueInfo(v.name, v.dtype, v.shape)),
    output: graph.outputs.map((v) => writeValueInfo(v.name, v.dtype, v.shape)),
    initializer: [...graph.initializers].map(([name, value]) => writeTensor(value, name, external.get(name))),
    node: graph.nodes.map((node) => nodeProto(node, names)),
    valueInfo: between.flatMap((name) => {
      const type = graph.types.get(name);
      return type ? [writeValueInfo(name, type.dtype, type.shape)] : [];
    }),
  });
}

/** @param names names of the nodes before this one. ONNX Runtime refuses a graph in which two nodes
 *   have one name, so a repeated name is left out */
function nodeProto(node: Node, names: Set<string>) {
  const isRepeated = names.has(node.name);
  names.add(node.name);
  return create(NodeProtoSchema, {
    opType: node.opType,
    domain: node.domain,
    name: isRepeated ? "" : node.name,
    // ONNX Runtime crashes when LayerNormalization has a bias input with an empty name.
    input: trimmedInputs(node.inputs),
    output: [...node.outputs],
    attribute: writeAttributes(node.attributes, (graph) => graphProto(graph)),
  });
}
