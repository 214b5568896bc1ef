import { describe, expect, test } from "vitest";
import { DynnError } from "../../src/core/errors.js";
import { fromNumbers } from "../../src/core/tensor.js";
import { int, ints } from "../../src/graph/attributes.js";
import { GraphBuilder } from "../../src/graph/builder.js";
import { nodeMacs } from "../../src/graph/cost.js";
import { constantOf, constantType, inferShapes } from "../../src/graph/infer.js";
import { emptyGraph } from "../../src/graph/op.js";
import { OPS } from "../../src/ops/index.js";
import { opTable } from "../../src/ops/table.js";
import { failure } from "../support/failure.js";

const zeros = (...dims: number[]) => fromNumbers("float32", dims, new Float64Array(dims.reduce((a, b) => a * b, 1)));

/** Convolution, pool, flatten as exporters write it (Shape, Gather, Concat, Reshape), Gemm. */
function classifier() {
  const b = new GraphBuilder(emptyGraph("classifier", 17));
  const x = b.input("x", "float32", ["batch", 3, 32, 32]);
  const conv = b.op("Conv", [x, b.constant(zeros(8, 3, 3, 3), "w")], {
    strides: ints([2, 2]),
    pads: ints([1, 1, 1, 1]),
  });
  const pool = b.op("MaxPool", [conv], { kernel_shape: ints([2, 2]), strides: ints([2, 2]) }, "pool");
  const batch = b.op("Gather", [b.op("Shape", [pool]), b.constant(fromNumbers("int64", [], [0]))], { axis: int(0) });
  const size = b.op("Concat", [b.op("Unsqueeze", [batch, b.ints([0])]), b.ints([-1])], { axis: int(0) }, "size");
  const flat = b.op("Reshape", [pool, size], {}, "flat");
  b.output(b.op("Gemm", [flat, b.constant(zeros(512, 10), "fc")], {}, "logits"), "float32", undefined);
  return b.build();
}

describe("a symbolic batch", () => {
  test("stays a name through shape arithmetic to the output", () => {
    const graph = inferShapes(classifier(), opTable);
    expect(graph.types.get("conv")?.shape).toEqual(["batch", 8, 16, 16]);
    expect(graph.types.get("size")?.value).toEqual(["batch", -1]);
    expect(graph.types.get("flat")?.shape).toEqual(["batch", 512]);
    expect(graph.outputs).toEqual([{ name: "logits", dtype: "float32", shape: ["batch", 10] }]);
  });

  test("takes the length that is given for it", () => {
    const graph = inferShapes(classifier(), opTable, { batch: 4 });
    expect(graph.inputs[0]?.shape).toEqual([4, 3, 32, 32]);
    expect(graph.types.get("size")?.value).toEqual([4, -1]);
    expect(graph.outputs[0]?.shape).toEqual([4, 10]);
  });

  test("another name is left alone", () => {
    expect(inferShapes(classifier(), opTable, { n: 4 }).outputs[0]?.shape).toEqual(["batch", 10]);
  });
});

test("types that a file states are not trusted: they are inferred again", () => {
  const stated = { ...classifier(), types: new Map([["conv", { dtype: "float32" as const, shape: [9] }]]) };
  expect(inferShapes(stated, opTable).types.get("conv")?.shape).toEqual(["batch", 8, 16, 16]);
});

test("small integer constants carry their elements, large ones and floats do not", () => {
  expect(constantType(fromNumbers("int64", [2], [3, 4])).value).toEqual([3, 4]);
  expect(constantType(fromNumbers("bool", [1], [1])).value).toEqual([1]);
  expect(constantType(fromNumbers("float32", [2], [3, 4])).value).toBeUndefined();
  expect(constantType(fromNumbers("int64", [65], new Float64Array(65))).value).toBeUndefined();
});

test("what inference knows of an integer value reads back as a constant of the value's own dtype", () => {
  const b = new GraphBuilder(emptyGraph("known", 17));
  const size = b.op("Shape", [b.input("x", "float32", [2, 3])], {}, "size");
  b.output(b.op("Cast", [size], { to: int(9) }, "flags"), "bool", [2]);
  const graph = inferShapes(b.build(), opTable);
  expect(constantOf(graph, "size", graph.types)).toEqual(fromNumbers("int64", [2], [2, 3]));
  expect(constantOf(graph, "flags", graph.types)).toEqual(fromNumbers("bool", [2], [1, 1]));
  expect(constantOf(graph, "x", graph.types)).toBeUndefined();
  expect(constantOf(graph, undefined, graph.types)).toBeUndefined();
});

test("an operator that does not fit its inputs is named", () => {
  const b = new GraphBuilder(emptyGraph("bad", 17));
  b.op("Conv", [b.input("x", "float32", ["n", 4, 8, 8]), b.constant(zeros(8, 3, 3, 3))], {}, "y");
  expect(() => inferShapes(b.build(), opTable)).toThrow(
    failure(
      "shape/mismatch",
      'Conv "y": X has 4 channels but W expects 3 (X [n,4,8,8], W [8,3,3,3], group 1). Give W 4 input channels per group.',
    ),
  );
});

test("groups that do not share a convolution's kernels evenly are named, whatever is known of X", () => {
  const b = new GraphBuilder(emptyGraph("bad", 17));
  b.op("Conv", [b.input("x", "float32", ["n", "c", 8, 8]), b.constant(zeros(4, 1, 3, 3))], { group: int(16) }, "y");
  expect(() => inferShapes(b.build(), opTable)).toThrow(
    failure("shape/mismatch", 'Conv "y": W has 4 kernels, expected a multiple of group, 16. Export the model again.'),
  );
});

test("an operator that is not known, or a required input left out, is named", () => {
  const unknown = new GraphBuilder(emptyGraph("bad", 17));
  unknown.op("Frobnicate", [unknown.input("x", "float32", [1])], {}, "y");
  expect(() => inferShapes(unknown.build(), opTable)).toThrow(expect.objectContaining({ code: "model/op" }));
  const missing = new GraphBuilder(emptyGraph("bad", 17));
  missing.op("Relu", [], {}, "y");
  expect(() => inferShapes(missing.build(), opTable)).toThrow(
    failure("model/input", 'Relu "y": input 0 is missing. Export the model again.'),
  );
});

test.each(Object.keys(OPS))("%s without inputs is a node like others, or refused", (opType) => {
  const b = new GraphBuilder(emptyGraph("bad", 21));
  b.op(opType, [], {}, "y");
  const code = (() => {
    try {
      inferShapes(b.build(), opTable);
      return "ok";
    } catch (error) {
      return error instanceof DynnError ? error.code : error;
    }
  })();
  expect(code).toMatch(/^(ok|model\/(input|attribute|op|dtype)|shape\/(mismatch|unknown))$/);
});

test("an output without a name takes no work", () => {
  const b = new GraphBuilder(emptyGraph("nameless", 17));
  b.append({
    opType: "Conv",
    domain: "",
    name: "",
    inputs: [b.constant(zeros(1, 3, 8, 8)), b.constant(zeros(4, 3, 3, 3))],
    outputs: [""],
    attributes: {},
  });
  b.output(b.input("x", "float32", [1]), "float32", [1]);
  expect(() => inferShapes(b.build(), opTable)).not.toThrow();
  expect([...nodeMacs(b.build(), opTable).values()]).toEqual([0]);
});
