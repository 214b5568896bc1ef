/** @file Where the bytes of initializers lie in a model file. Another model can name these bytes as
 *  its external data. Source: onnx.proto (ModelProto.graph, GraphProto.initializer,
 *  TensorProto.raw_data). */
import { GraphProtoSchema, ModelProtoSchema, TensorProtoSchema } from "./generated/onnx_pb.js";
import { type BytesPlace, bytesAt, messageFields } from "./message-fields.js";

const GRAPH = ModelProtoSchema.field.graph.number;
const INITIALIZER = GraphProtoSchema.field.initializer.number;
const NAME = TensorProtoSchema.field.name.number;
const RAW_DATA = TensorProtoSchema.field.rawData.number;

/** The place of the raw data of each initializer of the main graph. An initializer without raw data
 * is left out.
 * @param bytes of an ONNX file
 * @throws DynnError 'model/parse' when the bytes are not an ONNX model */
export function initializerPlaces(bytes: Uint8Array): ReadonlyMap<string, BytesPlace> {
  const places = new Map<string, BytesPlace>();
  const inside = (message: BytesPlace | undefined, number: number): BytesPlace[] =>
    messageFields(bytes, message).flatMap((field) => (field.number === number && field.content ? [field.content] : []));
  for (const graph of inside(undefined, GRAPH))
    for (const tensor of inside(graph, INITIALIZER)) {
      const [name, data] = [inside(tensor, NAME).at(-1), inside(tensor, RAW_DATA).at(-1)];
      if (name && data) places.set(new TextDecoder().decode(bytesAt(bytes, name)), data);
    }
  return places;
}
