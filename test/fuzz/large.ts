/** @file Models of about a megabyte that make a careless pass quadratic, or that decode to far more than they are. Made anew for each test:
 *  as files they would be a burden. */
import { create, toBinary } from "@bufbuild/protobuf";
import { fromNumbers } from "../../src/core/tensor.js";
import { type Attributes, int } from "../../src/graph/attributes.js";
import { GraphBuilder } from "../../src/graph/builder.js";
import { emptyGraph } from "../../src/graph/op.js";
import { GraphProtoSchema, ModelProtoSchema, TensorProtoSchema } from "../../src/onnx/generated/onnx_pb.js";
import { writeModel } from "../../src/onnx/write.js";
import { type GraphInit, Kind, modelBytes, Type, value } from "../onnx/protos.js";

const LENGTH = 6000;

/** A classifier of [n,3,8,8] images with `body` between its convolution and its head. */
function classifier(body: (b: GraphBuilder, x: string) => string, opset = 17): Uint8Array {
  const b = new GraphBuilder(emptyGraph("large", opset));
  const x = b.input("x", "float32", ["n", 3, 8, 8]);
  const filter = (...dims: number[]) => {
    const size = dims.reduce((a, d) => a * d, 1);
    return b.constant(fromNumbers("float32", dims, new Float64Array(size).fill(0.1)));
  };
  const conv = b.op("Conv", [x, filter(16, 3, 3, 3)]);
  const pooled = b.op("GlobalAveragePool", [body(b, conv)]);
  b.output(b.op("Gemm", [b.op("Flatten", [pooled]), filter(16, 4)]), "float32", undefined);
  return writeModel({ graph: b.build() });
}

/** The same operator again and again. */
const repeated = (
  op: string,
  operands: readonly ((b: GraphBuilder, i: number) => string)[] = [],
  { length = LENGTH, attributes, opset }: { length?: number; attributes?: Attributes; opset?: number } = {},
): Uint8Array =>
  classifier((b, x) => {
    let at = x;
    for (let i = 0; i < length; i++) at = b.op(op, [at, ...operands.map((make) => make(b, i))], attributes);
    return at;
  }, opset);

const manyIfs = (): Uint8Array => {
  const branch: GraphInit = {
    node: [{ opType: "Relu", input: ["x"], output: ["inner"] }],
    output: [value("inner", ["n", 2n])],
  };
  return modelBytes({
    node: Array.from({ length: LENGTH }, (_, i) => ({
      opType: "If",
      input: ["x"],
      output: [i === 0 ? "y" : `y${i}`],
      attribute: [{ name: "then_branch", type: Kind.GRAPH, g: branch }],
    })),
  });
};

/** A graph whose field `number` holds these bytes, behind a whole model's head. */
function withGraphBytes(number: number, bytes: Uint8Array, times: number): Uint8Array {
  const graph = Buffer.concat(new Array<Buffer>(times).fill(Buffer.from([(number << 3) | 2, bytes.length, ...bytes])));
  const head = toBinary(ModelProtoSchema, create(ModelProtoSchema, { irVersion: 8n, opsetImport: [{ version: 17n }] }));
  return new Uint8Array(Buffer.concat([head, Buffer.from([(7 << 3) | 2]), varint(graph.length), graph]));
}

function varint(n: number): Uint8Array {
  return n < 128 ? Uint8Array.of(n) : Uint8Array.of((n & 127) | 128, ...varint(n >>> 7));
}

const bigIntegers = (): Uint8Array => {
  const tensor = create(TensorProtoSchema, { name: "w", dataType: Type.INT64, int64Data: new Array(1 << 21).fill(1n) });
  return toBinary(
    ModelProtoSchema,
    create(ModelProtoSchema, {
      graph: create(GraphProtoSchema, { initializer: Array.from({ length: 12 }, () => tensor) }),
    }),
  );
};

/** name -> what stages say, and the bytes */
export const LARGE: Readonly<Record<string, readonly [expected: string, make: () => Uint8Array]>> = {
  "four million empty nodes": ["read model/limit", () => withGraphBytes(1, new Uint8Array(), 4_000_000)],
  "a million nodes with names": [
    "read model/limit",
    () => withGraphBytes(1, Uint8Array.of(0x1a, 2, 0x6f, 0x70), 1_000_000),
  ],
  "four million empty tensors": ["read model/limit", () => withGraphBytes(5, new Uint8Array(), 4_000_000)],
  "25 million integers of one byte": ["read model/limit", bigIntegers],
  "a chain of activations": ["read ok, session ok, gradient sum model/limit", () => repeated("Relu")],
  "a chain of maps after a convolution": [
    "read ok, session ok, gradient session sum ok",
    () => repeated("Mul", [(b) => b.scalar(1.0001)]),
  ],
  "a chain of maps, each with a constant of its own": [
    "read ok",
    () => repeated("Add", [(b, i) => b.constant(fromNumbers("float32", [16, 1, 1], new Float64Array(16).fill(i)))]),
  ],
  "a chain of identities": ["read ok", () => repeated("Identity")],
  "a chain of convolutions": [
    "read ok, session ok, gradient sum model/limit",
    () => {
      let filters: string | undefined;
      const one = (b: GraphBuilder) => {
        filters ??= b.constant(fromNumbers("float32", [16, 16, 1, 1], new Float64Array(256).fill(0.06)));
        return filters;
      };
      return repeated("Conv", [one], { length: 20_000 });
    },
  ],
  "a chain of which each link's gradient takes a dozen nodes": [
    "read ok, session ok, gradient sum model/limit",
    () => repeated("LRN", [], { attributes: { size: int(3) } }),
  ],
  "a chain of which ONNX Runtime puts definitions in place of links": [
    "read ok, session ok, gradient sum model/limit",
    () => {
      let vector: string | undefined;
      const scale = (b: GraphBuilder) => {
        vector ??= b.constant(fromNumbers("float32", [16], new Float64Array(16).fill(1)));
        return vector;
      };
      return repeated("GroupNormalization", [scale, scale], { attributes: { num_groups: int(2) }, opset: 21 });
    },
  ],
  "a chain of shapes that change": [
    "read ok, session ok, gradient sum model/limit",
    () =>
      classifier((b, x) => {
        let at = x;
        for (let i = 0; i < LENGTH; i++) {
          at = b.op("Relu", [b.op("Reshape", [at, b.ints([0, 2, -1])])]);
          at = b.op("Relu", [b.op("Reshape", [at, b.ints([-1, 16, 6, 6])])]);
        }
        return at;
      }),
  ],
  "a constant map of a constant map of a constant": [
    "read ok",
    () =>
      classifier((b, x) => {
        let at = b.op("Expand", [b.scalar(1), b.ints([1, 16, 6, 6])]);
        for (let i = 0; i < LENGTH; i++) at = b.op("Neg", [at]);
        return b.op("Add", [x, at]);
      }),
  ],
  "as many exits as there may be": [
    "read ok",
    () => {
      const b = new GraphBuilder(emptyGraph("exits", 17));
      let at = b.op("Flatten", [b.input("x", "float32", ["n", 1, 2, 2])]);
      for (let i = 0; i < LENGTH; i++) {
        at = b.op("Relu", [at]);
        if (i % 24 === 0) b.output(at, "float32", undefined);
      }
      return writeModel({ graph: b.build() });
    },
  ],
  "thousands of sub-graphs": ["read ok", manyIfs],
  "too many nodes": ["read model/limit", () => withGraphBytes(1, Uint8Array.of(0x0a, 1, 120), 100_001)],
};
