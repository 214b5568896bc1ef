import { describe, expect, test } from "vitest";
import { int, ints } from "../../src/graph/attributes.js";
import { GraphBuilder } from "../../src/graph/builder.js";
import { inferShapes } from "../../src/graph/infer.js";
import { emptyGraph } from "../../src/graph/op.js";
import { opTable } from "../../src/ops/table.js";
import { type GradcheckCase, gradcheck, random } from "../support/gradcheck.js";

const conv = (
  x: readonly number[],
  w: readonly number[],
  attributes: GradcheckCase["attributes"] = {},
  rest: Partial<GradcheckCase> = {},
): GradcheckCase => ({
  op: "Conv",
  inputs: [random(x, 1), random(w, 2), random([w[0]], 3)],
  attributes,
  ...rest,
});

describe("Conv: gradients of X, W and B", () => {
  const cases: readonly (readonly [string, GradcheckCase])[] = [
    ["stride 1, padded", conv([2, 3, 6, 5], [4, 3, 3, 3], { pads: ints([1, 1, 1, 1]) })],
    [
      "constant weights take the flipped path",
      conv([2, 3, 6, 5], [4, 3, 3, 3], { pads: ints([1, 1, 1, 1]) }, { constants: [1, 2] }),
    ],
    [
      "constant weights, groups, uneven pads",
      conv([2, 4, 6, 5], [6, 2, 3, 2], { pads: ints([1, 0, 2, 1]), group: int(2) }, { constants: [1] }),
    ],
    [
      "constant weights, padding beyond the kernel",
      conv([1, 1, 3, 3], [2, 1, 1, 1], { pads: ints([1, 2, 1, 0]) }, { constants: [1] }),
    ],
    [
      "stride 2, rows that no window reaches",
      conv([2, 3, 8, 7], [4, 3, 3, 3], { strides: ints([2, 2]), pads: ints([1, 1, 0, 1]) }),
    ],
    ["stride 3 by 2, kernel 1", conv([1, 2, 8, 7], [3, 2, 1, 1], { strides: ints([3, 2]) })],
    ["dilation", conv([1, 2, 9, 8], [3, 2, 3, 3], { dilations: ints([2, 3]), pads: ints([2, 0, 1, 3]) })],
    [
      "dilation and stride",
      conv([1, 2, 11, 9], [2, 2, 3, 2], { dilations: ints([2, 2]), strides: ints([2, 3]), pads: ints([1, 1, 1, 1]) }),
    ],
    ["depthwise", conv([2, 3, 6, 6], [3, 1, 3, 3], { group: int(3), pads: ints([1, 1, 1, 1]) })],
    [
      "groups with stride",
      conv([2, 4, 7, 7], [6, 2, 3, 3], { group: int(2), strides: ints([2, 2]), pads: ints([1, 1, 1, 1]) }),
    ],
    [
      "auto_pad SAME_UPPER",
      conv([1, 2, 7, 6], [3, 2, 3, 3], { auto_pad: { kind: "string", value: "SAME_UPPER" }, strides: ints([2, 2]) }),
    ],
    ["auto_pad SAME_LOWER", conv([1, 2, 7, 6], [3, 2, 2, 2], { auto_pad: { kind: "string", value: "SAME_LOWER" } })],
    ["one spatial axis", conv([2, 3, 9], [4, 3, 3], { strides: ints([2]), pads: ints([1, 1]) })],
    [
      "three spatial axes",
      conv([1, 2, 4, 4, 3], [2, 2, 2, 3, 2], { strides: ints([1, 2, 1]), pads: ints([0, 1, 0, 1, 1, 0]) }),
    ],
    [
      "a symbolic batch",
      conv([5, 3, 6, 6], [4, 3, 3, 3], { strides: ints([2, 2]), pads: ints([1, 1, 1, 1]) }, { batch: 5 }),
    ],
  ];
  test.each(cases)("%s", async (_, c) => gradcheck(c));
});

test("a kernel_shape that contradicts W is refused", () => {
  const b = new GraphBuilder(emptyGraph("g", 17));
  const x = b.input("x", "float32", ["n", 1, 8, 8]);
  const w = b.constant({ dtype: "float32", dims: [1, 1, 3, 3], data: new Float32Array(9) }, "w");
  b.op("Conv", [x, w], { kernel_shape: ints([5, 5]) }, "y");
  expect(() => inferShapes(b.build(), opTable)).toThrow(
    'Conv "y": kernel_shape is [5,5] but W has shape [1,1,3,3]. Export the model again. [shape/mismatch]',
  );
});
