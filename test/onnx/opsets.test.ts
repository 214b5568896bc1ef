/** @file Files of opsets 7 to 10 and 22 to 24, and outputs that dynn trims. ONNX Runtime runs the
 *  file as it is; the reference backend runs what dynn reads. */
import * as ort from "onnxruntime-node";
import { describe, expect, test } from "vitest";
import { normal } from "../../src/core/rng.js";
import { fromNumbers } from "../../src/core/tensor.js";
import { readModel } from "../../src/onnx/read.js";
import { runReference } from "../../src/runtime/reference.js";
import { failure } from "../support/failure.js";
import { type AttributeInit, Kind, modelBytes, type NodeInit, type TensorInit, Type, value } from "./protos.js";

const floats = (name: string, ...numbers: number[]): AttributeInit => ({ name, type: Kind.FLOATS, floats: numbers });
const ints = (name: string, ...numbers: number[]): AttributeInit => ({
  name,
  type: Kind.INTS,
  ints: numbers.map(BigInt),
});
const float = (name: string, f: number): AttributeInit => ({ name, type: Kind.FLOAT, f });
const int = (name: string, i: number): AttributeInit => ({ name, type: Kind.INT, i: BigInt(i) });
const text = (name: string, s: string): AttributeInit => ({
  name,
  type: Kind.STRING,
  s: new TextEncoder().encode(s),
});

const DIMS = [2, 3, 4, 5];
const X = normal({ seed: 1, sample: 0, purpose: "test", step: 0 }, 120);

function file(opset: number, node: NodeInit, initializer: TensorInit[] = []): Uint8Array {
  const [input, output] = [value("x", DIMS.map(BigInt)), value("y", undefined)];
  const graph = { name: "g", input: [input], output: [output], initializer, node: [node] };
  return modelBytes(graph, { irVersion: opset < 11 ? 4n : 10n, opsetImport: [{ version: BigInt(opset) }] });
}
const node = (opType: string, attribute: AttributeInit[] = [], ...more: string[]): NodeInit => ({
  opType,
  input: ["x", ...more],
  output: ["y"],
  attribute,
});
const weight = (name: string, ...numbers: number[]): TensorInit => ({
  name,
  dataType: Type.FLOAT,
  dims: [BigInt(numbers.length)],
  floatData: numbers,
});

const CASES: [string, number, NodeInit, TensorInit[]?][] = [
  ["Clip with both bounds", 7, node("Clip", [float("min", -0.5), float("max", 0.7)])],
  ["Clip with one bound", 10, node("Clip", [float("min", 0.1)])],
  ["Pad", 9, node("Pad", [ints("pads", 0, 0, 1, 2, 0, 0, 1, 0), float("value", 0.25)])],
  ["Pad by reflection", 7, node("Pad", [ints("pads", 0, 0, 1, 2, 0, 0, 1, 0), text("mode", "reflect")])],
  ["Slice with axes", 9, node("Slice", [ints("starts", 1, -3), ints("ends", 3, 1000), ints("axes", 1, 3)])],
  ["Slice without axes", 7, node("Slice", [ints("starts", 0, 1), ints("ends", 1, 2)])],
  ["TopK", 7, { ...node("TopK", [int("k", 2), int("axis", 3)]), output: ["y", "i"] }],
  ["Upsample by an attribute", 7, node("Upsample", [floats("scales", 1, 1, 2, 2)])],
  ["Upsample by an input", 9, node("Upsample", [], "s"), [weight("s", 1, 1, 2, 3)]],
  ["Upsample, linear", 9, node("Upsample", [text("mode", "linear")], "s"), [weight("s", 1, 1, 2, 2)]],
  ["Resize", 10, node("Resize", [text("mode", "linear")], "s"), [weight("s", 1, 1, 2, 2)]],
  ["Resize to fewer, nearest", 10, node("Resize", [], "s"), [weight("s", 1, 1, 0.5, 0.6)]],
  [
    "BatchNormalization",
    7,
    node("BatchNormalization", [int("spatial", 1)], "w", "b", "m", "v"),
    ["w", "b", "m", "v"].map((name, i) => weight(name, 0.5 + i, 1, 2)),
  ],
  ["Softmax over all later axes", 9, node("Softmax", [int("axis", 1)])],
  ["a mean", 22, node("GlobalAveragePool")],
];

const reference = (bytes: Uint8Array): readonly number[] => [
  ...(runReference(readModel(bytes).graph, { x: fromNumbers("float32", DIMS, X) }).y.data as Float32Array),
];

describe("an opset that dynn converts", () => {
  test.each(CASES)("%s (opset %i)", async (...[, opset, made, initializer]) => {
    const bytes = file(opset, made, initializer);
    const session = await ort.InferenceSession.create(bytes);
    const results = await session.run({ x: new ort.Tensor("float32", X, DIMS) });
    const got = reference(bytes);
    const expected = [...(results.y.data as Float32Array)];
    expect(got).toHaveLength(expected.length);
    got.forEach((v, i) => {
      expect(v).toBeCloseTo(expected[i], 5);
    });
    expect(readModel(bytes).changes).toEqual([
      `The file has opset ${opset}. dynn reads its nodes in the form of opset ${opset < 11 ? 11 : 21}.`,
    ]);
  });

  test("Swish (opset 24): x times the sigmoid of alpha x", () => {
    const got = reference(file(24, node("Swish", [float("alpha", 1.5)])));
    got.forEach((v, i) => {
      expect(v).toBeCloseTo(X[i] / (1 + Math.exp(-1.5 * X[i])), 5);
    });
  });

  test("RMSNormalization (opset 23): x over the root of its mean square", () => {
    const got = reference(file(23, node("RMSNormalization", [], "w"), [weight("w", 1, 2, 3, 4, 5)]));
    got.forEach((v, i) => {
      const row = X.subarray(i - (i % 5), i - (i % 5) + 5);
      const square = row.reduce((sum, a) => sum + a * a, 0) / 5;
      expect(v).toBeCloseTo((X[i] / Math.sqrt(square + 1e-5)) * ((i % 5) + 1), 4);
    });
  });

  test("what has no form in opset 11 is refused by name", () => {
    const bytes = file(7, node("BatchNormalization", [int("spatial", 0)], "w", "b", "m", "v"));
    expect(() => readModel(bytes)).toThrow(
      failure("model/version", 'BatchNormalization "y": spatial is 0. Export the model with opset 17.'),
    );
  });
});

describe("outputs", () => {
  const [x, y] = [value("x", ["n", 2n]), value("y", ["n", 2n])];
  const relu: NodeInit = { opType: "Relu", input: ["x"], output: ["y"] };

  test("an output that is listed twice is taken once", () => {
    const model = readModel(modelBytes({ name: "g", input: [x], output: [y, y], node: [relu] }));
    expect(model.graph.outputs.map((o) => o.name)).toEqual(["y"]);
    expect(model.changes).toEqual(['The output "y" is listed twice. dynn takes it once.']);
  });

  test("a ZipMap at the end is cut off", () => {
    const zip: NodeInit = { opType: "ZipMap", domain: "ai.onnx.ml", input: ["y"], output: ["maps"] };
    const model = readModel(modelBytes({ name: "g", input: [x], output: [{ name: "maps" }], node: [relu, zip] }));
    expect(model.graph.outputs.map((o) => o.name)).toEqual(["y"]);
    expect(model.graph.nodes.map((n) => n.opType)).toEqual(["Relu"]);
    expect(model.changes).toEqual(['The output "maps" is a ZipMap. dynn takes "y", which the ZipMap reads.']);
  });
});
