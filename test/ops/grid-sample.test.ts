import { describe, expect, test } from "vitest";
import { fromNumbers, type Tensor, toNumbers } from "../../src/core/tensor.js";
import { type Attributes, int, string } from "../../src/graph/attributes.js";
import { expectAgreement } from "../support/both-backends.js";
import { evaluate } from "../support/evaluate.js";
import { failure } from "../support/failure.js";
import { type GradcheckCase, gradcheck, random } from "../support/gradcheck.js";
import { gradientOf } from "../support/gradient-of.js";

const how = (mode: string, padding: string, align: number): Attributes => ({
  mode: string(mode),
  padding_mode: string(padding),
  align_corners: int(align),
});
const of = (
  attributes: Attributes,
  grid: Tensor = random([2, 2, 3, 2], 3, -1.4, 1.4),
  more: Partial<GradcheckCase> = {},
): GradcheckCase => ({ op: "GridSample", inputs: [random([2, 3, 4, 5]), grid], attributes, ...more });

describe("GridSample: value and gradient of the image and the points", () => {
  const inside = random([2, 2, 3, 2], 3, -0.7, 0.7);
  test.each<readonly [string, GradcheckCase]>([
    ...["zeros", "border"].flatMap((padding) =>
      [0, 1].flatMap((align): [string, GradcheckCase][] => [
        [`bilinear, ${padding}, align_corners ${align}`, of(how("bilinear", padding, align))],
        [`nearest, ${padding}, align_corners ${align}`, of(how("nearest", padding, align), inside)],
        [
          `linear, ${padding}, align_corners ${align}, opset 20`,
          of(how("linear", padding, align), inside, { opset: 20 }),
        ],
      ]),
    ),
    ["attributes left out", of({})],
    ["a symbolic batch", of(how("bilinear", "zeros", 0), inside, { batch: 2 })],
    ["fixed points", of(how("bilinear", "zeros", 1), inside, { constants: [1] })],
  ])("%s", async (_, c) => gradcheck(c));

  test("at the first and last pixel's position with border nothing moves the point, as in PyTorch", () => {
    // torch 1.13: x = torch.tensor([[[[1., 2., 4.]]]], dtype=torch.double); F.grid_sample(x, g, padding_mode="border",
    // align_corners=True).sum().backward() for g = (-1, 0), (0.5, 0), (1, 0): g.grad[..., 0] is 0, 2, 0
    const x = fromNumbers("float64", [1, 1, 1, 3], [1, 2, 4]);
    const g = fromNumbers("float64", [1, 1, 3, 2], [-1, 0, 0.5, 0, 1, 0]);
    const [, points] = gradientOf("GridSample", [x, g], how("bilinear", "border", 1));
    expect(points?.filter((_, i) => i % 2 === 0)).toEqual([0, 2, 0]);
  });
});

describe("GridSample: values agree with ONNX Runtime", () => {
  const single = (t: Tensor) => fromNumbers("float32", t.dims, toNumbers(t));
  const inputs = [single(random([2, 3, 4, 5])), single(random([2, 3, 3, 2], 3, -3.2, 3.2))];
  const cases = ["zeros", "border", "reflection"].flatMap((padding) =>
    ["bilinear", "nearest"].flatMap((mode) => [0, 1].map((align) => [mode, padding, align] as const)),
  );
  test.each(cases)("%s, %s, align_corners %i, far outside too", (...attributes) =>
    expectAgreement("GridSample", inputs, how(...attributes), 16),
  );
});

describe("GridSample is refused by name", () => {
  const [x, grid] = [random([1, 1, 2, 2]), random([1, 1, 1, 2])];
  test("cubic interpolation", () => {
    expect(() => evaluate("GridSample", [x, grid], { attributes: how("bicubic", "zeros", 0) })).toThrow(
      failure(
        "shape/mismatch",
        'GridSample "y": mode "bicubic" with padding_mode "zeros" is not supported, expected bilinear, linear, nearest with zeros, border, reflection. Export the model with one of those.',
      ),
    );
  });
  test("volumes", () => {
    expect(() => evaluate("GridSample", [random([1, 1, 2, 2, 2]), random([1, 1, 1, 1, 3])])).toThrow(
      /expected \[n,c,h,w\] and \[n,h,w,2\].*\[shape\/mismatch\]/,
    );
  });
  test("the gradient of reflection", () => {
    expect(() => gradientOf("GridSample", [x, grid], how("bilinear", "reflection", 0))).toThrow(
      failure(
        "gradient/none",
        'GridSample "y": no gradient: padding_mode "reflection" has no gradient rule. Use "zeros" or "border".',
      ),
    );
  });
});
