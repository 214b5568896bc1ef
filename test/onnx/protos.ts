/** @file Small ONNX messages for tests, made with the generated types and not with dynn's writer. */
import { create, type DescMessage, type Message, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import {
  type AttributeProtoSchema,
  type GraphProtoSchema,
  AttributeProto_AttributeType as Kind,
  ModelProtoSchema,
  type NodeProtoSchema,
  type TensorProtoSchema,
  TensorProto_DataType as Type,
  type ValueInfoProtoSchema,
} from "../../src/onnx/generated/onnx_pb.js";

export { Kind, Type };

/** What `create` takes for a message, as a plain object. */
type Init<S extends DescMessage> = Exclude<MessageInitShape<S>, Message>;
export type TensorInit = Init<typeof TensorProtoSchema>;
export type NodeInit = Init<typeof NodeProtoSchema>;
export type AttributeInit = Init<typeof AttributeProtoSchema>;
export type GraphInit = Init<typeof GraphProtoSchema>;
type ModelInit = Init<typeof ModelProtoSchema>;

/** A value of dims: numbers (bigint), names, or nothing at all (""). */
export const value = (
  name: string,
  dims: readonly (bigint | string)[] | undefined,
  elemType: number = Type.FLOAT,
): Init<typeof ValueInfoProtoSchema> => ({
  name,
  type: {
    value: {
      case: "tensorType",
      value: {
        elemType,
        ...(dims && {
          shape: {
            dim: dims.map((d) =>
              typeof d === "bigint"
                ? { value: { case: "dimValue" as const, value: d } }
                : d
                  ? { value: { case: "dimParam" as const, value: d } }
                  : {},
            ),
          },
        }),
      },
    },
  },
});

export const relu: NodeInit = { opType: "Relu", name: "r", input: ["x"], output: ["y"] };

/** x [n,2] -> Relu -> y [n,2], with parts replaced. */
export const graphInit = (parts: GraphInit = {}): GraphInit => ({
  name: "g",
  input: [value("x", ["n", 2n])],
  output: [value("y", ["n", 2n])],
  node: [relu],
  ...parts,
});

export const modelBytes = (graph: GraphInit = {}, model: ModelInit = {}): Uint8Array =>
  toBinary(
    ModelProtoSchema,
    create(ModelProtoSchema, {
      irVersion: 8n,
      opsetImport: [{ domain: "", version: 17n }],
      graph: graphInit(graph),
      ...model,
    }),
  );

/** A model whose only initializer is this tensor, "w". */
export const withTensor = (tensor: TensorInit): Uint8Array => modelBytes({ initializer: [{ name: "w", ...tensor }] });

/** A model whose only node carries this attribute. */
export const withAttribute = (attribute: AttributeInit): Uint8Array =>
  modelBytes({ node: [{ ...relu, attribute: [{ name: "a", ...attribute }] }] });

/** The text of the error that `run` throws. */
export function textOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    return String(error);
  }
  return "nothing was thrown";
}
