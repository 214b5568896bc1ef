import { describe, expect, test } from "vitest";
import { fromNumbers, toNumbers } from "../../src/core/tensor.js";
import { int, ints, string } from "../../src/graph/attributes.js";
import { GraphBuilder } from "../../src/graph/builder.js";
import { inferShapes } from "../../src/graph/infer.js";
import { emptyGraph } from "../../src/graph/op.js";
import { ortNode } from "../../src/node/ort-node/index.js";
import { opTable } from "../../src/ops/table.js";
import { runReference } from "../../src/runtime/reference.js";
import { type GradcheckCase, gradcheck, random } from "../support/gradcheck.js";

type Attributes = NonNullable<GradcheckCase["attributes"]>;
const square = (k: number, s: number, more: Attributes = {}): Attributes => ({
  kernel_shape: ints([k, k]),
  strides: ints([s, s]),
  ...more,
});
const pool = (
  op: string,
  x: readonly number[],
  attributes: Attributes = {},
  rest: Partial<GradcheckCase> = {},
): GradcheckCase => ({ op, inputs: [random(x, 7)], attributes, ...rest });

const windows: readonly (readonly [string, readonly number[], Attributes])[] = [
  ["tiles", [2, 3, 6, 4], square(2, 2)],
  ["tiles with a rest", [1, 2, 7, 5], square(2, 2)],
  ["tiles with a rest, ceil_mode", [1, 2, 7, 5], square(2, 2, { ceil_mode: int(1) })],
  ["3x3 stride 2, padded", [2, 2, 7, 8], square(3, 2, { pads: ints([1, 1, 1, 1]) })],
  ["3x3 stride 2, ceil_mode", [1, 2, 6, 8], square(3, 2, { ceil_mode: int(1) })],
  ["3x3 stride 2, padded, ceil_mode", [1, 2, 6, 7], square(3, 2, { ceil_mode: int(1), pads: ints([1, 1, 1, 1]) })],
  ["3x3 stride 1, padded", [1, 2, 5, 4], square(3, 1, { pads: ints([1, 1, 1, 1]) })],
  [
    "uneven kernel, stride and pads",
    [1, 2, 7, 8],
    { kernel_shape: ints([3, 2]), strides: ints([2, 3]), pads: ints([1, 0, 2, 1]) },
  ],
  ["gaps between windows", [1, 2, 7, 8], square(2, 3)],
  ["one window over everything", [2, 2, 4, 4], square(4, 4)],
  ["auto_pad SAME_UPPER", [1, 2, 7, 6], square(3, 2, { auto_pad: string("SAME_UPPER") })],
  ["auto_pad SAME_LOWER", [1, 2, 6, 6], square(2, 1, { auto_pad: string("SAME_LOWER") })],
  ["one spatial axis", [2, 2, 9], { kernel_shape: ints([3]), strides: ints([2]) }],
  ["three spatial axes", [1, 2, 4, 4, 3], { kernel_shape: ints([2, 2, 3]), strides: ints([2, 1, 1]) }],
];

describe.each([11, 17, 19])("MaxPool at opset %i: value and gradient", (opset) => {
  test.each(windows)("%s", async (_, x, attributes) => gradcheck(pool("MaxPool", x, attributes, { opset })));
  test("dilations", async () =>
    gradcheck(pool("MaxPool", [1, 2, 9, 8], square(3, 1, { dilations: ints([2, 3]) }), { opset })));
  test("a symbolic batch", async () =>
    gradcheck(pool("MaxPool", [5, 2, 7, 7], square(3, 2, { pads: ints([1, 1, 1, 1]) }), { opset, batch: 5 })));
});

describe.each([11, 17, 19])("AveragePool at opset %i: value and gradient", (opset) => {
  test.each(windows)("%s", async (_, x, attributes) => gradcheck(pool("AveragePool", x, attributes, { opset })));
  test.each(windows)("%s, counting the padding", async (_, x, attributes) =>
    gradcheck(pool("AveragePool", x, { ...attributes, count_include_pad: int(1) }, { opset })),
  );
  test("a symbolic batch", async () => gradcheck(pool("AveragePool", [5, 2, 8, 8], square(2, 2), { opset, batch: 5 })));
});

describe("AveragePool from opset 19", () => {
  test("dilations", async () =>
    gradcheck(
      pool("AveragePool", [1, 2, 9, 8], square(3, 2, { dilations: ints([2, 2]), pads: ints([1, 1, 1, 1]) }), {
        opset: 19,
      }),
    ));
});

describe("global pools: value and gradient", () => {
  test.each(["GlobalAveragePool", "GlobalMaxPool"])("%s", async (op) => gradcheck(pool(op, [2, 3, 4, 5])));
  test.each(["GlobalAveragePool", "GlobalMaxPool"])("%s with a symbolic batch, opset 11", async (op) =>
    gradcheck(pool(op, [5, 3, 4, 4], {}, { batch: 5, opset: 11 })),
  );
  test.each(["GlobalAveragePool", "GlobalMaxPool"])("%s over one position", async (op) =>
    gradcheck(pool(op, [2, 3, 1, 1])),
  );
});

test("before opset 16 heavily overlapping maxima are refused, from then on they are not", async () => {
  const wide = (opset: number) => pool("MaxPool", [1, 1, 36, 36], square(18, 1), { opset });
  await expect(gradcheck(wide(15))).rejects.toThrow(
    'MaxPool "y": no gradient: windows overlap 324-fold, which opset 15 cannot add up. Export the model with opset 16 or later. [gradient/none]',
  );
  await gradcheck(wide(16));
});

describe("MaxUnpool", () => {
  test("writes each element at its flat index; its gradient picks them up again", async () => {
    const indices = fromNumbers("int64", [1, 1, 2, 2], [5, 7, 13, 11]);
    await gradcheck({ op: "MaxUnpool", inputs: [random([1, 1, 2, 2]), indices], attributes: square(2, 2) });
    await gradcheck({
      op: "MaxUnpool",
      inputs: [random([1, 1, 2, 2]), indices, fromNumbers("int64", [4], [1, 1, 5, 5])],
      attributes: square(2, 2),
    });
  });
});

describe("MaxPool among equal elements", () => {
  const tied = fromNumbers(
    "float32",
    [1, 2, 5, 5],
    Array.from({ length: 50 }, (_, i) => (i * 7) % 3),
  );
  const build = (attributes: Attributes) => {
    const b = new GraphBuilder(emptyGraph("ties", 17));
    const [y, indices] = b.ops("MaxPool", [b.input("x", "float32", tied.dims)], 2, attributes, "y") as [string, string];
    b.output(y, "float32", undefined);
    b.output(indices, "int64", undefined);
    return { graph: inferShapes(b.build(), opTable), y, indices };
  };
  test.each([
    ["3x3 stride 1", square(3, 1)],
    ["3x3 stride 2, padded", square(3, 2, { pads: ints([1, 1, 1, 1]) })],
    ["2x2 tiles", square(2, 2)],
    ["dilated", square(2, 1, { dilations: ints([2, 2]) })],
    ["column-major indices", square(2, 2, { storage_order: int(1) })],
  ] as const)("takes the one that ONNX Runtime takes: %s", async (_, attributes) => {
    const { graph, indices } = build(attributes);
    const session = await ortNode({ threads: 1 }).compile(graph);
    const theirs = (await session.run({ x: tied }))[indices];
    await session.release();
    expect([...toNumbers(runReference(graph, { x: tied })[indices])]).toEqual([...toNumbers(theirs)]);
  });
  test("takes the first of a constant image", () => {
    const { graph, indices } = build(square(3, 2));
    const flat = fromNumbers("float32", tied.dims, new Float64Array(50).fill(2));
    expect([...toNumbers(runReference(graph, { x: flat })[indices])]).toEqual([0, 2, 10, 12, 25, 27, 35, 37]);
  });
});
