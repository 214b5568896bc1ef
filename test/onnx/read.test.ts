import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { DType } from "../../src/core/dtype.js";
import { TensorProto_DataLocation } from "../../src/onnx/generated/onnx_pb.js";
import { type ReadOptions, readModel } from "../../src/onnx/read.js";
import {
  type AttributeInit,
  type GraphInit,
  graphInit,
  Kind,
  modelBytes,
  type NodeInit,
  relu,
  type TensorInit,
  Type,
  textOf,
  value,
  withAttribute,
  withTensor,
} from "./protos.js";

const weight = (tensor: TensorInit, options: ReadOptions = {}) =>
  readModel(withTensor(tensor), options).graph.initializers.get("w");
const little = (numbers: readonly number[], set: "setFloat32" | "setInt16", size: number) => {
  const view = new DataView(new ArrayBuffer(numbers.length * size));
  numbers.forEach((number, i) => {
    view[set](i * size, number, true);
  });
  return new Uint8Array(view.buffer);
};
const constant = (output: string, attribute: AttributeInit[]): NodeInit => ({
  opType: "Constant",
  output: [output],
  attribute,
});

describe("a model", () => {
  test("is read with its graph, versions, producer and metadata", () => {
    const model = readModel(
      modelBytes(
        {},
        {
          producerName: "someone",
          producerVersion: "3",
          metadataProps: [{ key: "dynn.exits", value: "[]" }],
          opsetImport: [
            { domain: "ai.onnx", version: 13n },
            { domain: "com.microsoft", version: 1n },
          ],
        },
      ),
    );
    expect(model).toEqual({
      graph: {
        name: "g",
        opset: 13,
        inputs: [{ name: "x", dtype: "float32", shape: ["n", 2] }],
        outputs: [{ name: "y", dtype: "float32", shape: ["n", 2] }],
        nodes: [{ opType: "Relu", domain: "", name: "r", inputs: ["x"], outputs: ["y"], attributes: {} }],
        initializers: new Map(),
        types: new Map(),
      },
      metadata: new Map([["dynn.exits", "[]"]]),
      producer: { name: "someone", version: "3" },
      irVersion: 8,
      opsets: new Map([
        ["", 13],
        ["com.microsoft", 1],
      ]),
    });
  });

  test("may lie anywhere in a Node Buffer", () => {
    const bytes = withTensor({ dataType: Type.FLOAT, dims: [2n], rawData: little([1, 2], "setFloat32", 4) });
    for (let shift = 0; shift < 4; shift++) {
      const buffer = Buffer.alloc(bytes.length + 8).subarray(shift, shift + bytes.length);
      buffer.set(bytes);
      for (const owned of [false, true])
        expect(readModel(buffer, { owned }).graph.initializers.get("w")?.data).toEqual(Float32Array.of(1, 2));
    }
  });

  test("keeps dimension names, and gives every nameless dimension a name of its own", () => {
    const { graph } = readModel(
      modelBytes({ input: [value("x", ["unknown_2", "", 3n, ""])], output: [value("y", ["unknown_2", ""])] }),
    );
    expect([graph.inputs[0]?.shape, graph.outputs[0]?.shape]).toEqual([
      ["unknown_2", "unknown_1", 3, "unknown_3"],
      ["unknown_2", "unknown_4"],
    ]);
  });

  test("may leave out a shape", () => {
    expect(readModel(modelBytes({ output: [value("y", undefined)] })).graph.outputs[0]?.shape).toBeUndefined();
  });

  test("keeps the types of values in between and nothing else of value_info", () => {
    const { graph } = readModel(
      modelBytes({
        node: [
          { opType: "Relu", input: ["x"], output: ["h"] },
          { opType: "Relu", input: ["h"], output: ["k"] },
          { opType: "Relu", input: ["k"], output: ["y"] },
        ],
        valueInfo: [value("h", ["n", 2n]), value("gone", [1n]), value("y", [7n]), value("k", undefined)],
      }),
    );
    expect(graph.types).toEqual(new Map([["h", { dtype: "float32", shape: ["n", 2] }]]));
  });

  test("has its nodes sorted, each one moved only when it must be", () => {
    const node = (name: string, input: string[], output: string): NodeInit => ({
      opType: "Add",
      name,
      input,
      output: [output],
    });
    const nodes = [
      node("1", ["x", "x"], "a"),
      node("2", ["c", "a"], "y"),
      node("3", ["a", "a"], "b"),
      node("4", ["b", "a"], "c"),
    ];
    expect(readModel(modelBytes({ node: nodes })).graph.nodes.map((n) => n.name)).toEqual(["1", "3", "4", "2"]);
  });

  test("keeps inputs that are left out", () => {
    const { graph } = readModel(modelBytes({ node: [{ opType: "Clip", input: ["x", "", "x"], output: ["y"] }] }));
    expect(graph.nodes[0]?.inputs).toEqual(["x", "", "x"]);
  });

  test("with an initializer among its inputs keeps it as a constant only", () => {
    const w: TensorInit = { name: "w", dataType: Type.FLOAT, dims: [], floatData: [3] };
    const bytes = modelBytes({ input: [value("x", ["n", 2n]), value("w", [])], initializer: [w] }, { irVersion: 3n });
    const { graph } = readModel(bytes);
    expect(graph.inputs.map((input) => input.name)).toEqual(["x"]);
    expect(graph.initializers.get("w")).toEqual({ dtype: "float32", dims: [], data: Float32Array.of(3) });
  });

  test("turns Constant nodes into initializers", () => {
    const { graph } = readModel(
      modelBytes({
        node: [
          constant("t", [
            { name: "value", type: Kind.TENSOR, t: { dataType: Type.INT32, dims: [1n], int32Data: [5] } },
          ]),
          constant("f", [{ name: "value_float", type: Kind.FLOAT, f: 0.5 }]),
          constant("fs", [{ name: "value_floats", type: Kind.FLOATS, floats: [1, 2] }]),
          constant("i", [{ name: "value_int", type: Kind.INT, i: -7n }]),
          constant("is", [{ name: "value_ints", type: Kind.INTS, ints: [1n, 2n ** 63n - 1n] }]),
          relu,
        ],
      }),
    );
    expect(graph.nodes.map((node) => node.opType)).toEqual(["Relu"]);
    expect(graph.initializers).toEqual(
      new Map<string, unknown>([
        ["t", { dtype: "int32", dims: [1], data: Int32Array.of(5) }],
        ["f", { dtype: "float32", dims: [], data: Float32Array.of(0.5) }],
        ["fs", { dtype: "float32", dims: [2], data: Float32Array.of(1, 2) }],
        ["i", { dtype: "int64", dims: [], data: BigInt64Array.of(-7n) }],
        ["is", { dtype: "int64", dims: [2], data: BigInt64Array.of(1n, 2n ** 63n - 1n) }],
      ]),
    );
  });

  test("may hold sub-graphs that read names from around them", () => {
    const branch = (name: string): GraphInit => ({
      name,
      node: [{ opType: "Neg", input: ["x"], output: ["z"] }],
      output: [value("z", undefined)],
    });
    const attribute = [
      { name: "then_branch", type: Kind.GRAPH, g: branch("then") },
      { name: "else_branch", type: Kind.GRAPH, g: branch("else") },
    ];
    const { graph } = readModel(
      modelBytes({
        input: [value("x", []), value("c", [], Type.BOOL)],
        node: [{ opType: "If", input: ["c"], output: ["y"], attribute }],
      }),
    );
    const then = graph.nodes[0]?.attributes.then_branch;
    expect(then?.kind === "graph" && then.value.nodes[0]?.inputs).toEqual(["x"]);
  });

  test("has attributes of every plain kind", () => {
    const attribute: AttributeInit[] = [
      { name: "f", type: Kind.FLOAT, f: 0.25 },
      { name: "i", type: Kind.INT, i: -3n },
      { name: "big", type: Kind.INT, i: 2n ** 63n - 1n },
      { name: "s", type: Kind.STRING, s: new TextEncoder().encode("größer") },
      { name: "fs", type: Kind.FLOATS, floats: [1, 2] },
      { name: "is", type: Kind.INTS, ints: [1n, -(2n ** 63n)] },
      { name: "ss", type: Kind.STRINGS, strings: [new TextEncoder().encode("a")] },
      { name: "__proto__", type: Kind.INT, i: 1n },
    ];
    const attributes = readModel(modelBytes({ node: [{ ...relu, attribute }] })).graph.nodes[0]?.attributes;
    expect(Object.entries(attributes ?? {})).toEqual([
      ["f", { kind: "float", value: 0.25 }],
      ["i", { kind: "int", value: -3 }],
      ["big", { kind: "int", value: 2 ** 63 }],
      ["s", { kind: "string", value: "größer" }],
      ["fs", { kind: "floats", value: [1, 2] }],
      ["is", { kind: "ints", value: [1, -(2 ** 63)] }],
      ["ss", { kind: "strings", value: ["a"] }],
      ["__proto__", { kind: "int", value: 1 }],
    ]);
  });
});

describe("tensor data", () => {
  test.each<[DType, TensorInit, readonly (number | bigint)[]]>([
    ["float32", { dataType: Type.FLOAT, floatData: [0.5, -2] }, [0.5, -2]],
    ["float64", { dataType: Type.DOUBLE, doubleData: [0.1, 1e300] }, [0.1, 1e300]],
    ["float16", { dataType: Type.FLOAT16, int32Data: [0x3c00, 0xc000] }, [0x3c00, 0xc000]],
    ["bfloat16", { dataType: Type.BFLOAT16, int32Data: [0x3f80, 0xc000] }, [0x3f80, 0xc000]],
    ["int8", { dataType: Type.INT8, int32Data: [-128, 127] }, [-128, 127]],
    ["uint8", { dataType: Type.UINT8, int32Data: [0, 255] }, [0, 255]],
    ["int16", { dataType: Type.INT16, int32Data: [-32768, 5] }, [-32768, 5]],
    ["uint16", { dataType: Type.UINT16, int32Data: [65535, 5] }, [65535, 5]],
    ["int32", { dataType: Type.INT32, int32Data: [-(2 ** 31), 5] }, [-(2 ** 31), 5]],
    ["uint32", { dataType: Type.UINT32, uint64Data: [4294967295n, 5n] }, [4294967295, 5]],
    ["int64", { dataType: Type.INT64, int64Data: [-(2n ** 63n), 5n] }, [-(2n ** 63n), 5n]],
    ["uint64", { dataType: Type.UINT64, uint64Data: [2n ** 64n - 1n, 5n] }, [2n ** 64n - 1n, 5n]],
    ["bool", { dataType: Type.BOOL, int32Data: [1, 0] }, [1, 0]],
  ])("of %s is read from its typed field", (dtype, tensor, expected) => {
    const got = weight({ dims: [2n], ...tensor });
    expect([got?.dtype, [...(got?.data ?? [])]]).toEqual([dtype, expected]);
  });

  test("raw, is read at any alignment", () => {
    fc.assert(
      fc.property(
        fc.array(fc.float({ noNaN: true }), { maxLength: 9 }),
        fc.string({ maxLength: 9 }),
        fc.boolean(),
        (numbers, name, owned) => {
          const w: TensorInit = {
            name: `w${name}`,
            dataType: Type.FLOAT,
            dims: [BigInt(numbers.length)],
            rawData: little(numbers, "setFloat32", 4),
          };
          const read = readModel(modelBytes({ initializer: [w] }), { owned }).graph.initializers.get(`w${name}`);
          expect(read?.data).toEqual(Float32Array.from(numbers));
        },
      ),
    );
  });

  test("survives later writes to the bytes it came from, unless the reader owns them", () => {
    const views: boolean[] = [];
    for (const name of ["w", "w1", "w12", "w123"])
      for (const owned of [false, true]) {
        const bytes = modelBytes({
          initializer: [{ name, dataType: Type.INT16, dims: [2n], rawData: little([7, 8], "setInt16", 2) }],
        });
        const data = readModel(bytes, { owned }).graph.initializers.get(name)?.data;
        expect(data).toEqual(Int16Array.of(7, 8));
        if (owned) views.push(data?.buffer === bytes.buffer);
        else bytes.fill(0);
        expect(data).toEqual(Int16Array.of(7, 8));
      }
    expect(views).toContain(true);
  });

  test("may be in a file beside, of which one part is taken", () => {
    const entries = (parts: Readonly<Record<string, string>>) =>
      Object.entries(parts).map(([key, v]) => ({ key, value: v }));
    const asked: string[] = [];
    const external = (location: string) => {
      asked.push(location);
      return little([1, 2, 3, 4], "setFloat32", 4);
    };
    const tensor = (name: string, parts: Readonly<Record<string, string>>): TensorInit => ({
      name,
      dataType: Type.FLOAT,
      dims: [2n],
      dataLocation: TensorProto_DataLocation.EXTERNAL,
      externalData: entries({ location: "w.bin", ...parts }),
    });
    const { graph } = readModel(
      modelBytes({ initializer: [tensor("a", { offset: "4", length: "8" }), tensor("b", { offset: "8" })] }),
      { external },
    );
    expect([...graph.initializers.values()].map((t) => [...t.data])).toEqual([
      [2, 3],
      [3, 4],
    ]);
    expect(asked).toEqual(["w.bin"]);
  });
});

describe("a model that cannot be used is refused with the reason:", () => {
  const external = (...entries: readonly (readonly [string, string])[]): TensorInit => ({
    dataType: Type.FLOAT,
    dims: [1n],
    dataLocation: TensorProto_DataLocation.EXTERNAL,
    externalData: entries.map(([key, v]) => ({ key, value: v })),
  });
  const nested = (depth: number): NodeInit => ({
    opType: "If",
    input: ["x"],
    output: [`y${depth}`],
    attribute:
      depth === 0
        ? []
        : [
            {
              name: "b",
              type: Kind.GRAPH,
              g: { name: "b", node: [nested(depth - 1)], output: [value(`y${depth - 1}`, [])] },
            },
          ],
  });
  const ascii = (text: string) => Uint8Array.from(text, (char) => char.charCodeAt(0));

  test.each<[string, Uint8Array, string, ReadOptions?]>([
    ["nothing at all", new Uint8Array(), "model: the file is empty (0 bytes). Give an ONNX model. [model/parse]"],
    [
      "an ending in the middle",
      modelBytes().subarray(0, 20),
      "model: 20 bytes that are not a whole ONNX model (premature EOF). The file may be cut off or damaged; get it again. [model/parse]",
    ],
    [
      "garbage that protobuf takes",
      Uint8Array.of(0xf8, 0x07, 1),
      "model: 3 bytes that are not a whole ONNX model (it has no graph, opset or version). The file may be cut off or damaged; get it again. [model/parse]",
    ],
    [
      "a ZIP archive",
      ascii("PK\x03\x04....."),
      "model: not an ONNX model, but a ZIP archive (a PyTorch .pt or Keras .keras file is one); export the model to ONNX first. [model/parse]",
    ],
    [
      "an ORT file",
      ascii("\x18\0\0\0ORTM...."),
      "model: not an ONNX model, but a model in ONNX Runtime's own .ort format; give the .onnx file it was made from. [model/parse]",
    ],
    [
      "a web page",
      ascii("<!DOCTYPE html>"),
      "model: not an ONNX model, but a web page or XML; download the model file itself. [model/parse]",
    ],
    ["no graph", modelBytes({}, { graph: undefined }), "model: it has no graph. Export the model again. [model/empty]"],
    [
      "no opset",
      modelBytes({}, { opsetImport: [] }),
      "model: ai.onnx opset is not stated, expected 7 to 24. Export the model with opset 17. [model/version]",
    ],
    [
      "an old opset",
      modelBytes({}, { opsetImport: [{ version: 6n }] }),
      "model: ai.onnx opset 6 is not supported, expected 7 to 24. Export the model with opset 17. [model/version]",
    ],
    [
      "a future IR",
      modelBytes({}, { irVersion: 99n }),
      "m.onnx: IR version 99 is not supported, expected 3 to 14. Export the model with another version of ONNX. [model/version]",
      { name: "m.onnx" },
    ],
    [
      "functions",
      modelBytes({}, { functions: [{ name: "F" }] }),
      "model: it defines its own operators (functions: F), which is not supported. Export with functions inlined. [model/op]",
    ],
    [
      "training_info",
      modelBytes({}, { trainingInfo: [{}] }),
      "model: it holds a training graph (training_info), which is not supported. Export the model for inference. [model/parse]",
    ],
    [
      "metadata twice",
      modelBytes({}, { metadataProps: [{ key: "k" }, { key: "k" }] }),
      'model: metadata "k" appears twice. Write the model again with one value. [model/metadata]',
    ],
    [
      "sparse weights",
      modelBytes({ sparseInitializer: [{}] }),
      "model: it holds sparse initializers, which are not supported. Export the model with dense weights. [model/tensor]",
    ],
    [
      "texts",
      withTensor({ dataType: Type.STRING, dims: [0n] }),
      'model: initializer "w": element type STRING is not supported, expected one of float32, float64, float16, bfloat16, int8, uint8, int16, uint16, int32, uint32, int64, uint64, bool. Export the model with one of these. [model/dtype]',
    ],
    [
      "an unknown type",
      withTensor({ dataType: 77, dims: [0n] }),
      'model: initializer "w": element type 77 is not supported, expected one of float32, float64, float16, bfloat16, int8, uint8, int16, uint16, int32, uint32, int64, uint64, bool. Export the model with one of these. [model/dtype]',
    ],
    [
      "a negative dimension",
      withTensor({ dataType: Type.FLOAT, dims: [-1n] }),
      'model: initializer "w": dimension -1 is negative, expected 0 or more. Export the model again, with a name for each dimension that varies. [model/tensor]',
    ],
    [
      "a long dimension",
      withTensor({ dataType: Type.FLOAT, dims: [2n ** 31n] }),
      'model: initializer "w": dimension 2147483648 is too long, expected at most 2147483647. Export the model again. [model/limit]',
    ],
    [
      "a large shape",
      withTensor({ dataType: Type.FLOAT, dims: [2n ** 30n, 2n] }),
      'model: initializer "w": shape [1073741824,2] of float32 takes 8589934592 bytes, more than the limit of 2147483648. Raise limits.tensorBytes if the model needs this size. [model/limit]',
    ],
    [
      "more nodes than the given limit, in a sub-graph too",
      modelBytes({
        node: [{ ...relu, attribute: [{ name: "body", type: Kind.GRAPH, g: graphInit({ node: [relu, relu] }) }] }],
      }),
      "model: it has more than 2 nodes. Raise limits.nodes if the model needs this size. [model/limit]",
      { limits: { nodes: 2 } },
    ],
    [
      "a tensor over the given limit",
      withTensor({ dataType: Type.FLOAT, dims: [5n] }),
      'model: initializer "w": shape [5] of float32 takes 20 bytes, more than the limit of 16. Raise limits.tensorBytes if the model needs this size. [model/limit]',
      { limits: { tensorBytes: 16 } },
    ],
    [
      "segments",
      withTensor({ dataType: Type.FLOAT, dims: [1n], segment: {} }),
      'model: initializer "w": its data is split into segments, which is not supported. Export the model again. [model/tensor]',
    ],
    [
      "too little data",
      withTensor({ dataType: Type.FLOAT, dims: [2n, 2n], rawData: new Uint8Array(12) }),
      'model: initializer "w": its data has 3 elements, but shape [2,2] needs 4. The file may be damaged; export the model again. [model/tensor]',
    ],
    [
      "too much typed data",
      withTensor({ dataType: Type.FLOAT, dims: [], floatData: [1, 2] }),
      'model: initializer "w": its data has 2 elements, but shape [] needs 1. The file may be damaged; export the model again. [model/tensor]',
    ],
    [
      "broken elements",
      withTensor({ dataType: Type.FLOAT, dims: [1n], rawData: new Uint8Array(5) }),
      'model: initializer "w": 5 bytes are not a whole number of float32 elements (4 bytes each). The file may be damaged; export the model again. [model/tensor]',
    ],
    [
      "numbers beyond the type",
      withTensor({ dataType: Type.INT8, dims: [1n], int32Data: [300] }),
      'model: initializer "w": its data holds 300, which is not a valid int8. The file may be damaged; export the model again. [model/tensor]',
    ],
    [
      "bits beyond the type",
      withTensor({ dataType: Type.FLOAT16, dims: [1n], int32Data: [-1] }),
      'model: initializer "w": its data holds -1, which is not a valid float16 bit pattern. The file may be damaged; export the model again. [model/tensor]',
    ],
    [
      "a bool of 2",
      withTensor({ dataType: Type.BOOL, dims: [1n], rawData: Uint8Array.of(2) }),
      'model: initializer "w": its data holds 2, which is not a valid bool. The file may be damaged; export the model again. [model/tensor]',
    ],
    [
      "a typed bool of 2",
      withTensor({ dataType: Type.BOOL, dims: [1n], int32Data: [2] }),
      'model: initializer "w": its data holds 2, which is not a valid bool. The file may be damaged; export the model again. [model/tensor]',
    ],
    [
      "a nameless constant",
      withTensor({ name: "", dataType: Type.FLOAT, dims: [0n] }),
      "model: a constant has no name. Export the model again. [model/tensor]",
    ],
    [
      "constants of one name",
      modelBytes({ initializer: [0, 1].map(() => ({ name: "w", dataType: Type.FLOAT, dims: [0n] })) }),
      'model: two constants are named "w". Give every value its own name. [model/duplicate]',
    ],
    [
      "external data without a folder",
      withTensor(external(["location", "w.bin"])),
      'model: initializer "w": its data is in another file, "w.bin". Load the model by its path, or give options.external. [model/external]',
    ],
    [
      "external data that fails",
      withTensor(external(["location", "w.bin"])),
      'model: initializer "w": its data file "w.bin" cannot be read (offline). Give options.external the bytes of that file. [model/external]',
      {
        external: () => {
          throw new Error("offline");
        },
      },
    ],
    [
      "external data past the end",
      withTensor(external(["location", "w.bin"], ["offset", "4"], ["length", "4"])),
      'model: initializer "w": it needs bytes 4 to +4 of "w.bin", which has 6. Copy the data file again, whole. [model/external]',
      { external: () => new Uint8Array(6) },
    ],
    [
      "external data at no number",
      withTensor(external(["location", "w.bin"], ["offset", "-4"])),
      'model: initializer "w": it needs bytes -4 to +end of "w.bin", which has 6. Copy the data file again, whole. [model/external]',
      { external: () => new Uint8Array(6) },
    ],
    [
      "an attribute twice",
      modelBytes({
        node: [
          {
            ...relu,
            attribute: [
              { name: "a", type: Kind.INT },
              { name: "a", type: Kind.INT },
            ],
          },
        ],
      }),
      'model: Relu "r": attribute "a" appears twice. Export the model again. [model/attribute]',
    ],
    [
      "an attribute without kind",
      withAttribute({ i: 1n }),
      'model: Relu "r": attribute "a": kind UNDEFINED is not supported, expected a number, a text, a tensor, a graph, or a list of numbers or texts. Export the model again. [model/attribute]',
    ],
    [
      "a list of tensors",
      withAttribute({ type: Kind.TENSORS }),
      'model: Relu "r": attribute "a": kind TENSORS is not supported, expected a number, a text, a tensor, a graph, or a list of numbers or texts. Export the model again. [model/attribute]',
    ],
    [
      "an attribute without its value",
      withAttribute({ type: Kind.TENSOR }),
      'model: Relu "r": attribute "a": its value is missing. Export the model again. [model/attribute]',
    ],
    [
      "an attribute of broken text",
      withAttribute({ type: Kind.STRING, s: Uint8Array.of(0xff) }),
      'model: Relu "r": attribute "a": its text is not UTF-8 (The encoded data was not valid for encoding utf-8). Export the model again. [model/attribute]',
    ],
    [
      "a Constant of texts",
      modelBytes({ node: [constant("c", [{ name: "value_string", type: Kind.STRING }]), relu] }),
      'model: Constant "c": its value is "value_string" of kind string, expected value, value_float, value_floats, value_int or value_ints. Export the model again. [model/attribute]',
    ],
    [
      "a Constant of nothing",
      modelBytes({ node: [constant("c", []), relu] }),
      'model: Constant "c": its value is missing, expected value, value_float, value_floats, value_int or value_ints. Export the model again. [model/attribute]',
    ],
    [
      "a sequence as input",
      modelBytes({ input: [{ name: "x", type: { value: { case: "sequenceType", value: {} } } }] }),
      'model: input "x": its type is sequence, expected a tensor. Export the model with tensors only. [model/input]',
    ],
    [
      "an output without type",
      modelBytes({ output: [{ name: "y" }] }),
      'model: output "y": its type is not stated, expected a tensor. Export the model with tensors only. [model/input]',
    ],
    [
      "a nameless input",
      modelBytes({ input: [value("", [])] }),
      'model: input "": it has no name. Export the model again. [model/input]',
    ],
    [
      "a negative input dimension",
      modelBytes({ input: [value("x", [-1n])] }),
      'model: input "x": dimension -1 is negative, expected 0 or more. Export the model again, with a name for each dimension that varies. [model/tensor]',
    ],
    [
      "deep nesting",
      modelBytes({ node: [nested(3)], output: [value("y3", [])] }),
      'model: If "y3": attribute "b": If "y2": attribute "b": If "y1": attribute "b": sub-graphs are nested too deeply. Raise limits.depth if the model needs this depth. [model/limit]',
      { limits: { depth: 2 } },
    ],
    [
      "a loop",
      modelBytes({
        node: [
          { opType: "Add", name: "a", input: ["x", "z"], output: ["y"] },
          { opType: "Neg", name: "b", input: ["y"], output: ["z"] },
        ],
      }),
      'Neg "b": its input "y" depends on its own output. Export the model without the loop. [model/cycle]',
    ],
  ])("%s", (_, bytes, text, options = {}) => {
    expect(textOf(() => readModel(bytes, options))).toBe(`DynnError: ${text}`);
  });

  test("nesting far beyond the limit ends in an error too", () => {
    expect(textOf(() => readModel(modelBytes({ node: [nested(60)], output: [value("y60", [])] })))).toContain(
      "its messages are nested more than 100 deep. Export the model without sub-graphs. [model/limit]",
    );
  });
});
