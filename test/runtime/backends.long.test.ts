import { describe, expect, test } from "vitest";
import { fromNumbers, type Tensor } from "../../src/core/tensor.js";
import { ints } from "../../src/graph/attributes.js";
import { GraphBuilder } from "../../src/graph/builder.js";
import { emptyGraph } from "../../src/graph/op.js";
import { ortNode } from "../../src/node/ort-node/index.js";
import type { Backend } from "../../src/runtime/backend.js";
import { referenceBackend } from "../../src/runtime/reference.js";
import { failure } from "../support/failure.js";

const BACKENDS: readonly (readonly [string, Backend])[] = [
  ["reference backend", referenceBackend],
  ["ONNX Runtime", ortNode({ threads: 1 })],
];

/** sum = a + b, with a [n,3] and b [n,1]. */
function sum() {
  const b = new GraphBuilder(emptyGraph("sum", 17));
  const [a, c] = [b.input("a", "float32", ["n", 3]), b.input("b", "float32", ["n", 1])];
  b.output(b.op("Add", [a, c], {}, "sum"), "float32", ["n", 3]);
  return b.build();
}

const f32 = (dims: readonly number[], ...values: readonly number[]) => fromNumbers("float32", dims, values);
const a = f32([2, 3], 1, 2, 3, 4, 5, 6);
const b = f32([2, 1], 10, 20);

describe.each(BACKENDS)("%s", (name, backend) => {
  test("names its inputs and outputs, runs any batch and is released", async () => {
    const session = await backend.compile(sum());
    expect([session.inputs, session.outputs]).toEqual([["a", "b"], ["sum"]]);
    expect(await session.run({ a, b })).toEqual({ sum: f32([2, 3], 11, 12, 13, 24, 25, 26) });
    expect((await session.run({ a: f32([1, 3], 0, 0, 1), b: f32([1, 1], 1) })).sum).toEqual(f32([1, 3], 1, 1, 2));
    await session.release();
  });

  test("the same feeds give the same bits, in arrays of the caller's own", async () => {
    const session = await backend.compile(sum());
    const [first, second] = [await session.run({ a, b }), await session.run({ a, b })];
    expect(first).toEqual(second);
    first.sum?.data.fill(0 as never);
    expect(second.sum?.data[0]).toBe(11);
    expect(a.data[0]).toBe(1);
    await session.release();
  });

  test.each<[string, Readonly<Record<string, Tensor>>, string]>([
    ["an input is missing", { a }, 'input "b" is missing. Feed float32[n,1] under that name.'],
    [
      "a length is wrong",
      { a: f32([2, 2], 1, 2, 3, 4), b },
      'input "a" is float32[2,2], expected float32[n,3]. Feed a tensor of that form; one name stands for one length.',
    ],
    [
      "the rank is wrong",
      { a: f32([3], 1, 2, 3), b },
      'input "a" is float32[3], expected float32[n,3]. Feed a tensor of that form; one name stands for one length.',
    ],
    [
      "two inputs differ in the batch",
      { a, b: f32([1, 1], 1) },
      'input "b" is float32[1,1], expected float32[n,1]. Feed a tensor of that form; one name stands for one length.',
    ],
    [
      "the dtype is wrong",
      { a, b: fromNumbers("float64", [2, 1], [1, 2]) },
      'input "b" is float64[2,1], expected float32[n,1]. Feed a tensor of that form; one name stands for one length.',
    ],
  ])("says so when %s", async (_, feeds, text) => {
    const session = await backend.compile(sum());
    await expect(session.run(feeds)).rejects.toThrow(failure("runtime/run", `${name}: ${text}`));
    await session.release();
  });
});

test("ONNX Runtime's refusal of a graph is a typed failure that names it", async () => {
  const g = new GraphBuilder(emptyGraph("odd", 17));
  g.output(g.op("Frobnicate", [g.input("x", "float32", [1])], {}, "y"), "float32", [1]);
  await expect(ortNode().compile(g.build())).rejects.toMatchObject({
    code: "runtime/load",
    message: expect.stringMatching(/^ONNX Runtime refuses the graph "odd": .+Check the model with `dynn inspect`\./s),
  });
});

test("ONNX Runtime's failure while it runs is a typed failure", async () => {
  const g = new GraphBuilder(emptyGraph("gather", 17));
  const at = g.input("at", "int64", [1]);
  g.output(g.op("Gather", [g.constant(f32([3], 1, 2, 3)), at], {}, "y"), "float32", [1]);
  const session = await ortNode({ threads: 1 }).compile(g.build());
  await expect(session.run({ at: fromNumbers("int64", [1], [7]) })).rejects.toMatchObject({ code: "runtime/run" });
  await session.release();
});

test.each([5000, 20_000])(
  "ONNX Runtime: a graph of %i nodes, which is not made faster, gives the same answers",
  async (count) => {
    const graphOf = (links: number) => {
      const b = new GraphBuilder(emptyGraph("chain", 17));
      const filter = b.constant(
        fromNumbers(
          "float32",
          [2, 1, 3, 3],
          Array.from({ length: 18 }, (_, i) => (i % 5) - 2),
        ),
      );
      let at = b.op("Conv", [b.input("x", "float32", ["n", 1, 4, 4]), filter], { pads: ints([1, 1, 1, 1]) });
      for (let i = 0; i < links; i++) at = b.op("Neg", [at]);
      b.output(b.op("Relu", [at], {}, "y"), "float32", undefined);
      return b.build();
    };
    const x = f32([2, 1, 4, 4], ...Array.from({ length: 32 }, (_, i) => (i % 7) - 3));
    const [long, short] = [await ortNode().compile(graphOf(count)), await ortNode().compile(graphOf(0))];
    expect(await long.run({ x })).toEqual(await short.run({ x }));
    await Promise.all([long.release(), short.release()]);
  },
);
