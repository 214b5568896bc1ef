import { describe, expect, test } from "vitest";
import { fromNumbers, int64s, type Tensor, toNumbers } from "../../src/core/tensor.js";
import { type Attributes, int, string } from "../../src/graph/attributes.js";
import { GraphBuilder } from "../../src/graph/builder.js";
import { inferShapes } from "../../src/graph/infer.js";
import { emptyGraph } from "../../src/graph/op.js";
import { ortNode } from "../../src/node/ort-node/index.js";
import { opTable } from "../../src/ops/table.js";
import { runReference } from "../../src/runtime/reference.js";
import { type GradcheckCase, gradcheck, random } from "../support/gradcheck.js";

const i64 = (dims: readonly number[], values: readonly number[]) => fromNumbers("int64", dims, values);
const of = (
  op: string,
  x: readonly number[],
  rest: readonly Tensor[],
  attributes: Attributes = {},
  more: Partial<GradcheckCase> = {},
): GradcheckCase => ({ op, inputs: [random(x), ...rest], attributes, ...more });

describe("Gather: value and gradient", () => {
  test.each<readonly [string, GradcheckCase]>([
    ["one index drops the axis", of("Gather", [2, 4, 3], [i64([], [0])], { axis: int(1) })],
    [
      "the last, counted from the back, opset 11",
      of("Gather", [2, 4, 3], [i64([], [-1])], { axis: int(-2) }, { opset: 11 }),
    ],
    ["a run of neighbours", of("Gather", [2, 5, 3], [int64s([1, 2, 3])], { axis: int(1) })],
    ["repeated indices add up", of("Gather", [4, 3], [int64s([2, 0, 2, -1, 2])])],
    ["a matrix of indices", of("Gather", [2, 4, 3], [i64([2, 2], [3, 0, 0, 1])], { axis: int(1) })],
    ["int32 indices", of("Gather", [4, 3], [fromNumbers("int32", [3], [3, 0, 3])])],
    ["one index beside a symbolic batch", of("Gather", [5, 4, 3], [i64([], [0])], { axis: int(1) }, { batch: 5 })],
    ["many beside a symbolic batch", of("Gather", [5, 4, 3], [int64s([1, 1, 3])], { axis: int(1) }, { batch: 5 })],
    ["from a symbolic batch", of("Gather", [5, 3], [int64s([1, 1, 3])], {}, { batch: 5 })],
    ["no indices", of("Gather", [4, 3], [int64s([])])],
  ])("%s", async (_, c) => gradcheck(c));
});

describe("GatherElements and ScatterElements: value and gradient", () => {
  const along = i64([2, 3], [0, 0, 2, 1, 3, 1]);
  test.each<readonly [string, GradcheckCase]>([
    [
      "one element per row, opset 11",
      of("GatherElements", [3, 4], [i64([3, 1], [2, 0, -1])], { axis: int(1) }, { opset: 11 }),
    ],
    ["repeated indices, opset 11", of("GatherElements", [2, 4], [along], { axis: int(1) }, { opset: 11 })],
    ["repeated indices, opset 16", of("GatherElements", [2, 4], [along], { axis: int(-1) }, { opset: 16 })],
    ["fewer rows than the data", of("GatherElements", [5, 4], [along], { axis: int(1) })],
    [
      "writing",
      {
        op: "ScatterElements",
        inputs: [random([2, 4], 1), i64([2, 2], [0, 3, 2, 1]), random([2, 2], 2)],
        attributes: { axis: int(1) },
        opset: 11,
      },
    ],
    [
      "adding, with repeats",
      {
        op: "ScatterElements",
        inputs: [random([2, 4], 1), along, random([2, 3], 2)],
        attributes: { axis: int(1), reduction: string("add") },
        opset: 16,
      },
    ],
    [
      "writing rows",
      { op: "ScatterElements", inputs: [random([4, 2], 1), i64([1, 2], [3, 1]), random([1, 2], 2)], opset: 18 },
    ],
  ])("%s", async (_, c) => gradcheck(c));
});

/** The only output of one node on the reference kernels and on ONNX Runtime. */
async function both(
  op: string,
  feeds: readonly Tensor[],
  attributes: Attributes = {},
  opset = 17,
): Promise<readonly Tensor[]> {
  const b = new GraphBuilder(emptyGraph(op, opset));
  const y = b.op(
    op,
    feeds.map((t, i) => b.input(`x${i}`, t.dtype, t.dims)),
    attributes,
    "y",
  );
  const named = Object.fromEntries(feeds.map((t, i) => [`x${i}`, t]));
  const typed = inferShapes({ ...b.build(), outputs: [] }, opTable).types.get(y);
  b.output(y, typed?.dtype ?? "float32", undefined);
  const graph = inferShapes(b.build(), opTable);
  const session = await ortNode({ threads: 1 }).compile(graph);
  const theirs = (await session.run(named))[y];
  await session.release();
  return [runReference(graph, named)[y], theirs];
}

describe("operators on indices agree with ONNX Runtime", () => {
  const ties = fromNumbers("float32", [2, 4], [1, 3, 3, 0, 5, 2, 5, 2]);
  const onOff = fromNumbers("float32", [2], [-1, 2]);
  test.each<readonly [string, string, readonly Tensor[], Attributes]>([
    ["ArgMax takes the first of equals", "ArgMax", [ties], { axis: int(-1) }],
    [
      "ArgMax takes the last on request",
      "ArgMax",
      [ties],
      { axis: int(1), select_last_index: int(1), keepdims: int(0) },
    ],
    ["ArgMin", "ArgMin", [ties], { axis: int(1), keepdims: int(0) }],
    ["ArgMin along axis 0", "ArgMin", [ties], {}],
    ["OneHot with negative indices and one outside", "OneHot", [i64([3], [0, -1, 7]), i64([], [4]), onOff], {}],
    ["OneHot along axis 0", "OneHot", [i64([3], [0, -1, 2]), i64([], [4]), onOff], { axis: int(0) }],
    ["OneHot along a middle axis", "OneHot", [i64([2, 2], [0, 1, 2, 3]), i64([], [4]), onOff], { axis: int(1) }],
    [
      "Range",
      "Range",
      [fromNumbers("float32", [], [1]), fromNumbers("float32", [], [-2.5]), fromNumbers("float32", [], [-0.7])],
      {},
    ],
    ["Shape of a part", "Shape", [ties], { start: int(-1) }],
    ["Size", "Size", [ties], {}],
    ["ConstantOfShape of zeros", "ConstantOfShape", [i64([2], [2, 3])], {}],
    [
      "ScatterElements with max",
      "ScatterElements",
      [ties, i64([2, 2], [0, 0, 1, 3]), fromNumbers("float32", [2, 2], [9, 4, 1, 8])],
      { axis: int(1), reduction: string("max") },
    ],
  ])("%s", async (_, op, feeds, attributes) => {
    const [ours, theirs] = (await both(op, feeds, attributes, 18)) as [Tensor, Tensor];
    expect(ours.dims).toEqual(theirs.dims);
    expect(ours.dtype).toBe(theirs.dtype);
    for (const [i, v] of toNumbers(ours).entries()) expect(v).toBeCloseTo(toNumbers(theirs)[i], 6);
  });
  test("an index outside is named", () => {
    expect(() => runReference(gatherOf(7), { x: random([4, 3]) })).toThrow(
      "index 7 lies outside an axis of length 4. Use indices from -4 to 3. [shape/mismatch]",
    );
  });
});

function gatherOf(index: number) {
  const b = new GraphBuilder(emptyGraph("gather", 17));
  const y = b.op("Gather", [b.input("x", "float64", [4, 3]), b.scalar(index, "int64")]);
  b.output(y, "float64", undefined);
  return b.build();
}
