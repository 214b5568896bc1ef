import { describe, expect, test } from "vitest";
import { fromNumbers, int64s, type Tensor } from "../../src/core/tensor.js";
import { type Attributes, float, int, ints, string } from "../../src/graph/attributes.js";
import { type GradcheckCase, gradcheck, random } from "../support/gradcheck.js";

type Case = readonly [string, GradcheckCase];
const of = (
  op: string,
  x: readonly number[],
  rest: readonly (Tensor | null)[] = [],
  attributes: Attributes = {},
  more: Partial<GradcheckCase> = {},
): GradcheckCase => ({ op, inputs: [random(x), ...rest], attributes, ...more });
const run = (name: string, cases: readonly Case[]) =>
  describe(`${name}: value and gradient`, () => {
    test.each(cases)("%s", async (_, c) => gradcheck(c));
  });
const FAR = 2 ** 63;

run("Reshape", [
  ["to a stated shape", of("Reshape", [2, 3, 4], [int64s([6, 4])])],
  ["0 copies, -1 takes the rest", of("Reshape", [2, 3, 4], [int64s([0, -1])], {}, { opset: 11 })],
  ["a symbolic batch", of("Reshape", [5, 3, 4], [int64s([-1, 12])], {}, { batch: 5 })],
  ["the batch merged with another axis", of("Reshape", [5, 3, 4], [int64s([-1, 4])], {}, { batch: 5 })],
  ["to one number", of("Reshape", [1, 1], [int64s([])])],
  ["an empty tensor, allowzero", of("Reshape", [0, 6], [int64s([3, 0])], { allowzero: int(1) }, { opset: 14 })],
]);

run("Flatten", [
  ["at axis 1", of("Flatten", [2, 3, 4])],
  ["at axis 0", of("Flatten", [2, 3, 4], [], { axis: int(0) })],
  ["at a negative axis", of("Flatten", [2, 3, 4], [], { axis: int(-1) })],
  ["at the rank", of("Flatten", [2, 3], [], { axis: int(2) })],
  ["a symbolic batch", of("Flatten", [5, 3, 4], [], {}, { batch: 5 })],
]);

run("Transpose", [
  ["reversed", of("Transpose", [2, 3, 4])],
  ["a cycle of axes (not its own inverse)", of("Transpose", [2, 3, 4], [], { perm: ints([1, 2, 0]) })],
  ["a symbolic batch", of("Transpose", [5, 3, 4], [], { perm: ints([2, 0, 1]) }, { batch: 5 })],
]);

run("Squeeze and Unsqueeze", [
  ["Squeeze, axes as an attribute (opset 11)", of("Squeeze", [1, 3, 1, 2], [], { axes: ints([0, -2]) }, { opset: 11 })],
  ["Squeeze, axes as an input", of("Squeeze", [1, 3, 1, 2], [int64s([-2])])],
  ["Squeeze all axes of length 1", of("Squeeze", [1, 3, 1, 2])],
  ["Squeeze beside a symbolic batch", of("Squeeze", [5, 3, 1, 1], [int64s([2, 3])], {}, { batch: 5 })],
  ["Unsqueeze, axes as an attribute (opset 11)", of("Unsqueeze", [3, 2], [], { axes: ints([0, 2]) }, { opset: 11 })],
  ["Unsqueeze, axes as an input, unordered and negative", of("Unsqueeze", [3, 2], [int64s([-1, 0])])],
  ["Unsqueeze a symbolic batch", of("Unsqueeze", [5, 2], [int64s([1])], {}, { batch: 5 })],
]);

const two = (
  a: readonly number[],
  b: readonly number[],
  attributes: Attributes,
  more: Partial<GradcheckCase> = {},
): GradcheckCase => ({ op: "Concat", inputs: [random(a, 1), random(b, 2)], attributes, ...more });
run("Concat", [
  ["along the channels", two([2, 3, 4], [2, 1, 4], { axis: int(1) })],
  ["along a negative axis, opset 11", two([2, 3], [2, 5], { axis: int(-1) }, { opset: 11 })],
  ["with an empty part", two([2, 0], [2, 5], { axis: int(1) })],
  ["one part constant", two([2, 3], [2, 5], { axis: int(1) }, { constants: [0] })],
  ["beside a symbolic batch", two([5, 3], [5, 2], { axis: int(1) }, { batch: 5 })],
  ["along a symbolic batch", two([5, 3], [2, 3], { axis: int(0) }, { batch: 5 })],
]);

run("Split", [
  ["equal parts (opset 11)", of("Split", [2, 6], [], { axis: int(1) }, { opset: 11, outputs: 3 })],
  [
    "lengths as an attribute (opset 11)",
    of("Split", [2, 6], [], { axis: int(-1), split: ints([1, 5]) }, { opset: 11, outputs: 2 }),
  ],
  ["lengths as an input", of("Split", [2, 6], [int64s([4, 2])], { axis: int(1) }, { opset: 13, outputs: 2 })],
  [
    "num_outputs with a shorter last part (opset 18)",
    of("Split", [7, 2], [], { num_outputs: int(3) }, { opset: 18, outputs: 3 }),
  ],
  ["an empty part", of("Split", [2, 6], [int64s([6, 0])], { axis: int(1) }, { outputs: 2 })],
  ["beside a symbolic batch", of("Split", [5, 6], [int64s([2, 4])], { axis: int(1) }, { outputs: 2, batch: 5 })],
]);

const cut = (
  x: readonly number[],
  starts: readonly number[],
  ends: readonly number[],
  axes?: readonly number[],
  steps?: readonly number[],
  more: Partial<GradcheckCase> = {},
): GradcheckCase =>
  of(
    "Slice",
    x,
    [int64s(starts), int64s(ends), ...(axes ? [int64s(axes)] : []), ...(steps ? [int64s(steps)] : [])],
    {},
    more,
  );
run("Slice", [
  ["a range", cut([4, 6], [1, 2], [3, 5])],
  ["negative bounds and axis, opset 11", cut([4, 6], [-3], [-1], [-1], undefined, { opset: 11 })],
  ["to the end", cut([4, 6], [2], [FAR], [1])],
  ["a step", cut([4, 7], [1], [FAR], [1], [3])],
  ["steps along two axes", cut([5, 7, 2], [0, 1], [5, 6], [0, 1], [2, 2])],
  ["reversed", cut([4, 6], [-1], [-FAR], [1], [-1])],
  ["backwards in steps", cut([4, 7], [5], [0], [1], [-2])],
  ["backwards to the first element", cut([4, 7], [6], [-FAR], [1], [-3])],
  ["both directions", cut([5, 7], [3, 1], [0, FAR], [0, 1], [-1, 2])],
  ["bounds beyond the ends", cut([4, 6], [-100], [100], [1])],
  ["nothing", cut([4, 6], [3], [3], [1])],
  ["beside a symbolic batch", cut([5, 6], [1], [FAR], [1], undefined, { batch: 5 })],
  ["steps beside a symbolic batch", cut([5, 6, 4], [1, 0], [FAR, FAR], [1, 2], [2, 2], { batch: 5 })],
  ["the head of a symbolic batch", cut([5, 3], [0, 1], [2, 2], [0, 1], undefined, { batch: 5 })],
  ["the tail of a symbolic batch", cut([5, 3], [-2], [FAR], [0], undefined, { batch: 5 })],
  ["all but the ends of a symbolic batch", cut([5, 3], [1], [-1], [0], undefined, { batch: 5 })],
  [
    "the tail of a symbolic batch, a middle part beside",
    cut([5, 6], [-2, 1], [FAR, 3], [0, 1], undefined, { batch: 5 }),
  ],
  ["both counted from the back, a symbolic batch", cut([5, 6], [-3, -4], [-1, 5], [0, 1], undefined, { batch: 5 })],
  ["a symbolic batch reversed", cut([5, 3], [-1], [-FAR], [0], [-1], { batch: 5 })],
]);

const pad = (
  x: readonly number[],
  pads: readonly number[],
  mode = "constant",
  rest: readonly (Tensor | null)[] = [],
  more: Partial<GradcheckCase> = {},
): GradcheckCase => of("Pad", x, [int64s(pads), ...rest], { mode: string(mode) }, more);
run("Pad", [
  ["constant", pad([2, 3], [0, 1, 2, 0], "constant", [], { opset: 11 })],
  ["a constant that is an input", pad([2, 3], [0, 1, 2, 0], "constant", [fromNumbers("float64", [], [0.7])])],
  ["negative pads cut off", pad([4, 6], [1, -2, 0, -1])],
  ["reflect", pad([2, 5, 4], [0, 2, 1, 0, 3, 2], "reflect", [], { opset: 11 })],
  ["edge", pad([2, 5, 4], [0, 2, 1, 0, 3, 2], "edge", [], { opset: 13 })],
  ["wrap (opset 19)", pad([2, 5, 4], [0, 2, 1, 0, 3, 2], "wrap", [], { opset: 19 })],
  ["axes (opset 18)", pad([2, 3, 4], [1, 2], "constant", [null, int64s([-1])], { opset: 18 })],
  ["constant beside a symbolic batch", pad([5, 3], [0, 1, 0, 2], "constant", [], { batch: 5 })],
  ["reflect beside a symbolic batch", pad([5, 2, 4, 4], [0, 0, 1, 1, 0, 0, 1, 1], "reflect", [], { batch: 5 })],
]);

run("Expand and Tile", [
  ["Expand a size-1 axis", of("Expand", [3, 1], [int64s([3, 4])])],
  ["Expand by new axes, ones in the shape", of("Expand", [3, 1], [int64s([2, 1, 4])])],
  ["Expand to a symbolic batch", { op: "Expand", inputs: [random([5, 1]), int64s([1, 4])], batch: 5 }],
  ["Tile", of("Tile", [2, 3], [int64s([2, 3])])],
  ["Tile one axis, opset 11", of("Tile", [2, 3], [int64s([1, 2])], {}, { opset: 11 })],
  ["Tile beside a symbolic batch", of("Tile", [5, 3, 2], [int64s([1, 2, 1])], {}, { batch: 5 })],
  ["Tile not at all", of("Tile", [2, 3], [int64s([1, 1])])],
]);

run("DepthToSpace and SpaceToDepth", [
  ["DepthToSpace, DCR", of("DepthToSpace", [2, 12, 2, 3], [], { blocksize: int(2) })],
  ["DepthToSpace, CRD", of("DepthToSpace", [2, 12, 2, 3], [], { blocksize: int(2), mode: string("CRD") })],
  [
    "DepthToSpace, CRD, a symbolic batch",
    of("DepthToSpace", [5, 18, 2, 2], [], { blocksize: int(3), mode: string("CRD") }, { batch: 5, opset: 11 }),
  ],
  ["SpaceToDepth", of("SpaceToDepth", [2, 3, 4, 6], [], { blocksize: int(2) })],
  ["SpaceToDepth, a symbolic batch", of("SpaceToDepth", [5, 2, 4, 4], [], { blocksize: int(2) }, { batch: 5 })],
]);

const roi = fromNumbers("float32", [0], []);
const scaled = (
  x: readonly number[],
  scales: readonly number[],
  mode: string,
  transform: string,
  nearest = "floor",
  more: Partial<GradcheckCase> = {},
): GradcheckCase =>
  of(
    "Resize",
    x,
    [roi, fromNumbers("float32", [scales.length], scales)],
    { mode: string(mode), coordinate_transformation_mode: string(transform), nearest_mode: string(nearest) },
    { constants: [1, 2], ...more },
  );
run("Resize", [
  ["nearest, twice as large", scaled([1, 2, 3, 4], [1, 1, 2, 2], "nearest", "asymmetric", "floor", { opset: 11 })],
  ["nearest, half as large", scaled([1, 2, 6, 4], [1, 1, 0.5, 0.5], "nearest", "asymmetric")],
  ["nearest, half_pixel", scaled([1, 2, 3, 4], [1, 1, 2.5, 1.5], "nearest", "half_pixel", "round_prefer_floor")],
  ["linear, half_pixel", scaled([1, 2, 3, 4], [1, 1, 2, 3], "linear", "half_pixel")],
  ["linear, align_corners", scaled([1, 2, 3, 4], [1, 1, 2, 3], "linear", "align_corners")],
  ["linear, pytorch_half_pixel, smaller", scaled([1, 2, 6, 8], [1, 1, 0.5, 0.25], "linear", "pytorch_half_pixel")],
  ["cubic", scaled([1, 1, 5, 6], [1, 1, 2, 1.5], "cubic", "half_pixel")],
  [
    "cubic without what lies outside",
    {
      ...scaled([1, 1, 5, 6], [1, 1, 2, 2], "cubic", "half_pixel"),
      attributes: { mode: string("cubic"), exclude_outside: int(1), cubic_coeff_a: float(-0.5) },
    },
  ],
  [
    "sizes",
    of(
      "Resize",
      [1, 2, 3, 4],
      [roi, null, int64s([1, 2, 5, 7])],
      { mode: string("linear") },
      { constants: [1], opset: 13 },
    ),
  ],
  ...["linear", "cubic"].flatMap((mode) =>
    [
      [0.5, 0.5],
      [0.4, 1.5],
    ].map((scales): readonly [string, GradcheckCase] => [
      `${mode} with antialiasing, ${scales}`,
      {
        ...scaled([1, 2, 6, 10], [1, 1, ...scales], mode, "half_pixel", "floor", { opset: 18 }),
        attributes: { mode: string(mode), antialias: int(1) },
      },
    ]),
  ),
  ...["not_larger", "not_smaller"].map((policy): readonly [string, GradcheckCase] => [
    `the aspect ratio kept, ${policy}`,
    of(
      "Resize",
      [1, 2, 4, 6],
      [roi, null, int64s([7, 7])],
      { mode: string("linear"), keep_aspect_ratio_policy: string(policy), axes: ints([2, 3]) },
      { constants: [1], opset: 18 },
    ),
  ]),
  ["nearest, a symbolic batch", scaled([5, 2, 3, 3], [1, 1, 2, 2], "nearest", "asymmetric", "floor", { batch: 5 })],
]);

run("CumSum and Trilu", [
  ["CumSum", of("CumSum", [2, 4, 3], [fromNumbers("int64", [], [1])])],
  [
    "CumSum, exclusive, backwards, negative axis, opset 11",
    of("CumSum", [2, 4], [fromNumbers("int64", [], [-1])], { exclusive: int(1), reverse: int(1) }, { opset: 11 }),
  ],
  ["Trilu, upper", of("Trilu", [2, 3, 4])],
  ["Trilu, lower, shifted", of("Trilu", [4, 3], [fromNumbers("int64", [], [-1])], { upper: int(0) })],
]);

describe("shape operators say what is wrong", () => {
  test("Reshape to another number of elements", async () => {
    await expect(gradcheck(of("Reshape", [2, 3], [int64s([4, 2])]))).rejects.toThrow(
      'Reshape "y": shape [2,3] cannot become [4,2]. Make the products of the lengths equal. [shape/mismatch]',
    );
  });
  test("Squeeze of a longer axis", async () => {
    await expect(gradcheck(of("Squeeze", [2, 3], [int64s([1])]))).rejects.toThrow(
      'Squeeze "y": axis 1 of [2,3] has length 3, expected 1. Squeeze only axes of length 1. [shape/mismatch]',
    );
  });
  test("Transpose by something that is no permutation", async () => {
    await expect(gradcheck(of("Transpose", [2, 3], [], { perm: ints([0, 0]) }))).rejects.toThrow(
      'Transpose "y": perm [0,0] is not an order of 2 axes. List each axis from 0 to 1 once. [shape/mismatch]',
    );
  });
});
