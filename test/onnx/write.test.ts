import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { fromBinary, toBinary } from "@bufbuild/protobuf";
import fc from "fast-check";
import { InferenceSession, Tensor as OrtTensor } from "onnxruntime-node";
import { describe, expect, test } from "vitest";
import { ARRAY_OF, byteSize, type DType } from "../../src/core/dtype.js";
import type { Tensor } from "../../src/core/tensor.js";
import { VERSION } from "../../src/core/version.js";
import { float, int, ints, string, tensorAttribute } from "../../src/graph/attributes.js";
import { GraphBuilder } from "../../src/graph/builder.js";
import type { Graph } from "../../src/graph/graph.js";
import { emptyGraph } from "../../src/graph/op.js";
import { ModelProtoSchema } from "../../src/onnx/generated/onnx_pb.js";
import { readModel } from "../../src/onnx/read.js";
import { writeModel } from "../../src/onnx/write.js";
import { textOf } from "./protos.js";

const graphOf = (build: (b: GraphBuilder, x: string) => string, opset = 17): Graph => {
  const b = new GraphBuilder(emptyGraph("g", opset));
  const y = build(b, b.input("x", "float32", ["n", 2]));
  b.output(y, "float32", ["n", 2]);
  return b.build();
};
const reluGraph = (opset = 17) => graphOf((b, x) => b.op("Relu", [x]), opset);
const protoOf = (model: Parameters<typeof writeModel>[0]) => fromBinary(ModelProtoSchema, writeModel(model));

/** Any tensor: every dtype, every rank to 3, every bit pattern that the dtype has. */
const anyTensor: fc.Arbitrary<Tensor> = fc
  .tuple(fc.constantFrom(...(Object.keys(ARRAY_OF) as DType[])), fc.array(fc.nat({ max: 4 }), { maxLength: 3 }))
  .chain(([dtype, dims]) => {
    const bytes = dims.reduce((product, d) => product * d, 1) * byteSize(dtype);
    return fc
      .uint8Array({ minLength: bytes, maxLength: bytes, max: dtype === "bool" ? 1 : 255 })
      .map((raw): Tensor => ({ dtype, dims, data: new ARRAY_OF[dtype](raw.slice().buffer) }));
  });

const bytesOf = (t: Tensor) => [
  t.dtype,
  t.dims,
  [...new Uint8Array(t.data.buffer, t.data.byteOffset, t.data.byteLength)],
];

describe("writing and reading again", () => {
  test("gives the same tensors, bit by bit, as initializers and as attributes", () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.string({ minLength: 1 }), { maxLength: 4 }),
        fc.array(anyTensor, { minLength: 4, maxLength: 4 }),
        (names, tensors) => {
          const graph: Graph = {
            ...graphOf((b, x) => b.op("Relu", [x], { t: tensorAttribute(tensors[0]) }, "relu out")),
            initializers: new Map(names.map((name, i) => [`w ${name}`, tensors[i]])),
          };
          const read = readModel(writeModel({ graph })).graph;
          expect([...read.initializers].map(([name, t]) => [name, bytesOf(t)])).toEqual(
            [...graph.initializers].map(([name, t]) => [name, bytesOf(t)]),
          );
          const attribute = read.nodes[0]?.attributes.t;
          expect(attribute?.kind === "tensor" && bytesOf(attribute.value)).toEqual(bytesOf(tensors[0]));
        },
      ),
    );
  });

  test("gives the same graph: attributes, types, left-out inputs, domains, sub-graphs, unknown shapes", () => {
    const then: Graph = {
      ...emptyGraph("then", 17),
      outputs: [{ name: "z", dtype: "float32", shape: undefined }],
      nodes: [{ opType: "Neg", domain: "", name: "", inputs: ["x"], outputs: ["z"], attributes: {} }],
    };
    const b = new GraphBuilder(emptyGraph("g", 17));
    const x = b.input("x", "float32", ["n", "4*n", 3]);
    const h = b.op("Clip", [x, "", b.scalar(6)], {
      a: float(0.5),
      b: int(3),
      c: ints([1, -1]),
      d: string("same"),
      e: { kind: "strings", value: ["p", "q"] },
      f: { kind: "floats", value: [1.5] },
      g: { kind: "graph", value: then },
    });
    b.setType(h, { dtype: "float32", shape: ["n", "4*n", 3] });
    b.append({ opType: "Gelu", domain: "com.microsoft", name: "gelu", inputs: [h], outputs: ["y"], attributes: {} });
    b.output("y", "float16", undefined);
    const graph = b.build();
    const model = readModel(writeModel({ graph, metadata: new Map([["k", "v"]]) }));
    expect(model.graph).toEqual(graph);
    expect([model.metadata, model.producer]).toEqual([new Map([["k", "v"]]), { name: "dynn", version: VERSION }]);
  });

  test("leaves out inputs at the end that have no name", () => {
    const b = new GraphBuilder(emptyGraph("g", 17));
    const inputs = [b.input("x", "float32", ["n", 3]), "", b.scalar(6), "", ""];
    b.append({ opType: "Clip", domain: "", name: "", inputs, outputs: ["y"], attributes: {} });
    b.output("y", "float32", ["n", 3]);
    const [node] = readModel(writeModel({ graph: b.build() })).graph.nodes;
    expect(node?.inputs).toEqual(inputs.slice(0, 3));
  });

  test("keeps the ends of int64", () => {
    const graph = graphOf((b, x) => b.op("Relu", [x], { all: ints([2 ** 63, -(2 ** 63), 2 ** 53 - 1]) }));
    expect(protoOf({ graph }).graph?.node[0]?.attribute[0]?.ints).toEqual([
      2n ** 63n - 1n,
      -(2n ** 63n),
      2n ** 53n - 1n,
    ]);
  });
});

describe("a written model", () => {
  test("is the same bytes for equal models", () => {
    const graph = (attributes: Parameters<GraphBuilder["op"]>[2]) => graphOf((b, x) => b.op("Relu", [x], attributes));
    const one = writeModel({
      graph: graph({ a: int(1), b: int(2) }),
      metadata: new Map([
        ["p", "1"],
        ["q", "2"],
      ]),
    });
    const other = writeModel({
      graph: graph({ b: int(2), a: int(1) }),
      metadata: new Map([
        ["q", "2"],
        ["p", "1"],
      ]),
    });
    expect(one).toEqual(other);
  });

  // ONNX "Versioning": IR version of the release that brought each opset.
  test.each([
    [11, 6],
    [12, 7],
    [13, 7],
    [14, 7],
    [15, 8],
    [16, 8],
    [17, 8],
    [18, 8],
    [19, 9],
    [20, 9],
    [21, 10],
  ])("of opset %i has IR version %i, or a newer one that is asked for", (opset, ir) => {
    const graph = reluGraph(opset);
    const written = [undefined, 3, 12].map((irVersion) =>
      Number(protoOf({ graph, ...(irVersion && { irVersion }) }).irVersion),
    );
    expect(written).toEqual([ir, ir, 12]);
  });

  test("imports every domain that its nodes use, those of sub-graphs too, at the version that is given, else 1", () => {
    const graph = graphOf((b, x) => {
      for (const domain of ["b.domain", "a.domain"])
        b.append({ opType: "Op", domain, name: "", inputs: [x], outputs: [b.fresh("o")], attributes: {} });
      const inner: Graph = {
        ...emptyGraph("inner", 17),
        outputs: [{ name: "z", dtype: "float32", shape: undefined }],
        nodes: [{ opType: "Op", domain: "c.domain", name: "", inputs: [x], outputs: ["z"], attributes: {} }],
      };
      return b.op("Relu", [x], { body: { kind: "graph", value: inner } });
    });
    const imports = protoOf({
      graph,
      opsets: new Map([
        ["", 99],
        ["a.domain", 4],
        ["unused", 2],
      ]),
    }).opsetImport;
    expect(imports.map(({ domain, version }) => [domain, Number(version)])).toEqual([
      ["", 17],
      ["a.domain", 4],
      ["b.domain", 1],
      ["c.domain", 1],
    ]);
  });

  test.each(Array.from({ length: 11 }, (_, i) => 11 + i))(
    "of opset %i, with a sub-graph that reads from around it, runs in ONNX Runtime",
    async (opset) => {
      const branch = (opType: string): Graph => ({
        ...emptyGraph(opType, opset),
        outputs: [{ name: `${opType}_out`, dtype: "float32", shape: undefined }],
        nodes: [{ opType, domain: "", name: "", inputs: ["x"], outputs: [`${opType}_out`], attributes: {} }],
      });
      const graph = graphOf((b) => {
        const c = b.constant({ dtype: "bool", dims: [], data: Uint8Array.of(1) });
        return b.op("If", [c], {
          then_branch: { kind: "graph", value: branch("Neg") },
          else_branch: { kind: "graph", value: branch("Abs") },
        });
      }, opset);
      const session = await InferenceSession.create(writeModel({ graph }));
      const results = await session.run({ x: new OrtTensor("float32", [1, -2], [1, 2]) });
      expect(Object.values(results)[0]?.data).toEqual(Float32Array.of(-1, 2));
    },
  );

  test("names its dimensions in value_info, and lists there only values in between", () => {
    const graph = graphOf((b, x) => {
      const h = b.op("Relu", [x]);
      for (const name of [x, h, "gone"]) b.setType(name, { dtype: "float32", shape: ["4*n", 2] });
      const y = b.op("Relu", [h]);
      b.setType(y, { dtype: "float32", shape: ["n", 2] });
      return y;
    });
    const infos = protoOf({ graph }).graph?.valueInfo.map((info) => [
      info.name,
      info.type?.value.case === "tensorType" && info.type.value.value.shape?.dim.map((d) => d.value.value),
    ]);
    expect(infos).toEqual([["relu", ["4*n", 2n]]]);
  });

  test("carries the version of package.json", () => {
    const manifest: unknown = JSON.parse(readFileSync(resolve(import.meta.dirname, "../../package.json"), "utf8"));
    expect(manifest).toMatchObject({ version: VERSION });
  });
});

test("a graph of a strange opset is not written", () => {
  expect(textOf(() => writeModel({ graph: reluGraph(22) }))).toBe(
    'DynnError: graph "g": opset 22 cannot be written, expected 11 to 21. Build the graph with one of these. [model/version]',
  );
});

test("a graph too large for one file is not written", () => {
  const huge: Tensor = { dtype: "uint8", dims: [2 ** 31], data: new Uint8Array(2 ** 31) };
  const graph = { ...reluGraph(), initializers: new Map([["w", huge]]) };
  expect(textOf(() => writeModel({ graph }))).toBe(
    'DynnError: graph "g": its weights take 2147483648 bytes, more than the 2147483647 that one ONNX file can hold. Use a smaller model or smaller element types. [model/limit]',
  );
});

test("two nodes with one name are read, and written so that ONNX Runtime opens them", async () => {
  const drawn = graphOf((b, x) => b.op("Relu", [b.op("Neg", [x])]));
  const graph = { ...drawn, nodes: drawn.nodes.map((node) => ({ ...node, name: "same" })) };
  const proto = protoOf({ graph });
  expect(proto.graph?.node.map((node) => node.name)).toEqual(["same", ""]);
  proto.graph?.node.forEach((node) => {
    node.name = "same";
  });
  const file = toBinary(ModelProtoSchema, proto);
  await expect(InferenceSession.create(file)).rejects.toThrow(/two nodes with same node name/);
  const session = await InferenceSession.create(writeModel(readModel(file)));
  const { [session.outputNames[0]]: y } = await session.run({
    [session.inputNames[0]]: new OrtTensor("float32", [1, -2], [1, 2]),
  });
  expect([...(y.data as Float32Array)]).toEqual([0, 2]);
});
