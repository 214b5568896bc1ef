/** @file Declared values: ValueInfoProto <-> ValueInfo and ValueType. A dimension keeps its name; one without a name gets a fresh one.
 *  Source: onnx.proto, ValueInfoProto, TypeProto, TensorShapeProto. */
import { create } from "@bufbuild/protobuf";
import type { DType } from "../core/dtype.js";
import { ONNX_CODE } from "../core/dtype.js";
import { DynnError } from "../core/errors.js";
import type { Dim, Shape } from "../core/shape.js";
import type { Node, ValueInfo, ValueName, ValueType } from "../graph/graph.js";
import { GRAPH_LIMITS, tooLarge } from "../graph/limits.js";
import { dtypeOf, readDType } from "./dtypes.js";
import {
  type GraphProto,
  type TensorShapeProto_Dimension,
  TensorShapeProto_DimensionSchema,
  type TypeProto_Tensor,
  type ValueInfoProto,
  ValueInfoProtoSchema,
} from "./generated/onnx_pb.js";
import { readDim } from "./tensors.js";

/** Makes names for dimensions that have none; no other dimension of the graph or its sub-graphs has them. */
export function dimNamer(graph: GraphProto): () => string {
  const taken = new Set(dimNames(graph));
  let count = 0;
  return () => {
    for (;;) {
      const name = `unknown_${++count}`;
      if (!taken.has(name)) return name;
    }
  };
}

/** The dimension names of a graph and its sub-graphs. */
function dimNames(graph: GraphProto): string[] {
  const own = [...graph.input, ...graph.output, ...graph.valueInfo].flatMap((info) =>
    info.type?.value.case === "tensorType" ? (info.type.value.value.shape?.dim ?? []) : [],
  );
  const inner = graph.node.flatMap((node) => node.attribute.flatMap((a) => (a.g ? dimNames(a.g) : [])));
  return [...own.flatMap((dim) => (dim.value.case === "dimParam" ? [dim.value.value] : [])), ...inner];
}

/** Read an input or output.
 * @throws DynnError 'model/input', 'model/dtype', 'model/tensor', 'model/limit' */
export function readValueInfo(proto: ValueInfoProto, where: string, freshDim: () => string): ValueInfo {
  const type = proto.type?.value;
  if (type?.case !== "tensorType")
    throw new DynnError(
      "model/input",
      `${where}: its type is ${type?.case?.replace("Type", "") ?? "not stated"}, expected a tensor. Export the model with tensors only.`,
      { name: proto.name, type: type?.case },
    );
  if (proto.name === "") throw new DynnError("model/input", `${where}: it has no name. Export the model again.`, {});
  return {
    name: proto.name,
    dtype: readDType(type.value.elemType, where),
    shape: readShape(type.value, where, freshDim),
  };
}

function readShape(type: TypeProto_Tensor, where: string, freshDim: () => string): Dim[] | undefined {
  const dims = type.shape?.dim;
  if (dims && dims.length > GRAPH_LIMITS.rank)
    throw tooLarge(where, `its shape has ${dims.length} axes`, String(GRAPH_LIMITS.rank));
  return dims?.map((dim) => readShapeDim(dim, where, freshDim));
}

function readShapeDim(dim: TensorShapeProto_Dimension, where: string, freshDim: () => string): Dim {
  if (dim.value.case === "dimValue") return readDim(dim.value.value, where);
  return dim.value.value || freshDim();
}

/** Stated types of the values in between. What says nothing (no shape, no tensor, a value that is not there) is left out. */
export function readTypes(
  proto: GraphProto,
  nodes: readonly Node[],
  outputs: readonly ValueInfo[],
  where: string,
  freshDim: () => string,
): Map<ValueName, ValueType> {
  const between = new Set(nodes.flatMap((node) => node.outputs));
  for (const { name } of outputs) between.delete(name);
  const types = new Map<ValueName, ValueType>();
  for (const info of proto.valueInfo) {
    if (!between.has(info.name) || info.type?.value.case !== "tensorType") continue;
    const dtype = dtypeOf(info.type.value.value.elemType);
    const shape = readShape(info.type.value.value, `${where}: value "${info.name}"`, freshDim);
    if (dtype && shape) types.set(info.name, { dtype, shape });
  }
  return types;
}

/** Write a declared value; its shape may be unknown. */
export const writeValueInfo = (name: string, dtype: DType, shape: Shape | undefined): ValueInfoProto =>
  create(ValueInfoProtoSchema, {
    name,
    type: {
      value: {
        case: "tensorType",
        value: { elemType: ONNX_CODE[dtype], ...(shape && { shape: { dim: shape.map(dimension) } }) },
      },
    },
  });

const dimension = (dim: Dim) =>
  create(TensorShapeProto_DimensionSchema, {
    value: typeof dim === "number" ? { case: "dimValue", value: BigInt(dim) } : { case: "dimParam", value: dim },
  });
