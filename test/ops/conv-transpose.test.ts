import { describe, expect, test } from "vitest";
import { int, ints, string } from "../../src/graph/attributes.js";
import type { Node } from "../../src/graph/graph.js";
import { ConvTranspose } from "../../src/ops/convolution/conv-transpose.js";
import { type GradcheckCase, gradcheck, random } from "../support/gradcheck.js";

const up = (
  x: readonly number[],
  w: readonly number[],
  attributes: GradcheckCase["attributes"] = {},
  rest: Partial<GradcheckCase> = {},
): GradcheckCase => {
  const group = attributes.group?.kind === "int" ? attributes.group.value : 1;
  return {
    op: "ConvTranspose",
    inputs: [random(x, 1), random(w, 2), random([w[1] * group], 3)],
    attributes,
    ...rest,
  };
};

describe("ConvTranspose: value and gradients of X, W and B", () => {
  const cases: readonly (readonly [string, GradcheckCase])[] = [
    ["stride 1", up([2, 3, 4, 5], [3, 4, 3, 3])],
    [
      "stride 2 with pads and output padding",
      up([2, 3, 4, 5], [3, 2, 3, 3], { strides: ints([2, 2]), pads: ints([1, 1, 1, 1]), output_padding: ints([1, 0]) }),
    ],
    ["uneven pads and strides", up([1, 2, 4, 3], [2, 3, 4, 2], { strides: ints([3, 2]), pads: ints([2, 0, 1, 1]) })],
    ["dilation", up([1, 2, 4, 3], [2, 3, 3, 2], { dilations: ints([2, 3]), pads: ints([1, 0, 2, 1]) })],
    ["groups", up([2, 4, 3, 3], [4, 3, 3, 3], { group: int(2), strides: ints([2, 1]) })],
    ["depthwise", up([1, 3, 4, 4], [3, 1, 2, 2], { group: int(3), strides: ints([2, 2]) })],
    ["output_shape", up([1, 2, 3, 4], [2, 2, 3, 3], { strides: ints([2, 2]), output_shape: ints([6, 8]) })],
    ["auto_pad SAME_UPPER", up([1, 2, 3, 4], [2, 2, 3, 3], { strides: ints([2, 2]), auto_pad: string("SAME_UPPER") })],
    ["auto_pad SAME_LOWER", up([1, 2, 3, 4], [2, 2, 3, 3], { strides: ints([2, 2]), auto_pad: string("SAME_LOWER") })],
    ["auto_pad VALID", up([1, 2, 3, 4], [2, 2, 3, 3], { auto_pad: string("VALID") })],
    ["one spatial axis", up([2, 2, 5], [2, 3, 3], { strides: ints([2]), pads: ints([1, 0]) })],
    ["three spatial axes", up([1, 2, 2, 3, 2], [2, 2, 2, 2, 3], { strides: ints([1, 2, 1]) })],
    [
      "a symbolic batch, opset 11",
      up([5, 2, 3, 3], [2, 3, 3, 3], { strides: ints([2, 2]), pads: ints([1, 1, 1, 1]) }, { batch: 5, opset: 11 }),
    ],
    ["constant weights", up([2, 2, 3, 3], [2, 3, 3, 3], {}, { constants: [1] })],
  ];
  test.each(cases)("%s", async (_, c) => gradcheck(c));
});

describe("ConvTranspose: shapes and cost", () => {
  const node = (attributes: Node["attributes"]): Node => ({
    opType: "ConvTranspose",
    domain: "",
    name: "up",
    inputs: ["x", "w"],
    outputs: ["y"],
    attributes,
  });
  const infer = (x: readonly (number | string)[], w: readonly number[], attributes: Node["attributes"] = {}) =>
    ConvTranspose.infer({
      node: node(attributes),
      opset: 17,
      inputs: [
        { dtype: "float32", shape: x },
        { dtype: "float32", shape: w },
      ],
      constant: () => undefined,
    })[0]?.shape;

  test("counts one product per input element, tap and output channel of its group", () => {
    const macs = ConvTranspose.macs?.({
      node: node({}),
      inputs: [
        [1, 4, 5, 5],
        [4, 3, 3, 3],
      ],
      outputs: [[1, 6, 7, 7]],
    });
    expect(macs).toBe(4 * 25 * 27);
  });
  test("doubles a named size with auto_pad SAME only where it is known", () => {
    expect(infer(["n", 4, 8, 8], [4, 3, 2, 2], { strides: ints([2, 2]) })).toEqual(["n", 3, 16, 16]);
    expect(infer(["n", 4, "h", 8], [4, 3, 2, 2], { strides: ints([2, 2]) })).toEqual(["n", 3, "y.2", 16]);
  });
  test("names the channels that do not fit", () => {
    expect(() => infer([1, 5, 8, 8], [4, 3, 2, 2])).toThrow(
      'ConvTranspose "up": X has 5 channels but W expects 4 (X [1,5,8,8], W [4,3,2,2]). Give W one kernel per input channel. [shape/mismatch]',
    );
  });
  test("refuses groups that do not share the kernels evenly, whatever is known of X", () => {
    expect(() => infer(["n", "c", 8, 8], [4, 3, 2, 2], { group: int(3) })).toThrow(
      'ConvTranspose "up": W has 4 kernels, expected a multiple of group, 3. Export the model again. [shape/mismatch]',
    );
  });
});
