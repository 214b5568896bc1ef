import { describe, expect, test } from "vitest";
import { fromNumbers, type Tensor } from "../../src/core/tensor.js";
import { type Attributes, float, int, ints, string } from "../../src/graph/attributes.js";
import { f64 } from "../support/evaluate.js";
import { gradientOf } from "../support/gradient-of.js";

/* Expected values are PyTorch's (1.13.0, float64, CPU). Each line was made by
 *
 *   import torch, torch.nn.functional as F
 *   t = lambda *v: torch.tensor(v, dtype=torch.double, requires_grad=True)
 *   def g(f, *xs): f(*xs).sum().backward(); print([x.grad.flatten().tolist() for x in xs])
 *   g(F.relu, t(-1, 0, 1))
 *
 * with the call that stands beside it. Known difference: nn.ReLU6 and nn.Hardtanh, which are exported as Clip too, let nothing
 * through at their bounds, torch.clamp does; a file does not say which it was, and dynn follows torch.clamp. */
interface Kink {
  readonly op: string;
  readonly torch: string;
  readonly inputs: readonly Tensor[];
  readonly attributes?: Attributes;
  readonly opset?: number;
  /** The gradient of each input. */
  readonly expected: readonly (readonly number[])[];
}

const at = (dims: readonly number[], ...values: readonly number[]): Tensor => fromNumbers("float64", dims, values);
const window = (...kernel: readonly number[]): Attributes => ({ kernel_shape: ints(kernel), strides: ints(kernel) });
const third = 1 / 3;

const KINKS: readonly Kink[] = [
  { op: "Relu", torch: "F.relu", inputs: [f64(-1, 0, 1)], expected: [[0, 0, 1]] },
  {
    op: "LeakyRelu",
    torch: "F.leaky_relu(x, 0.1)",
    inputs: [f64(-1, 0, 1)],
    attributes: { alpha: float(0.1) },
    expected: [[0.1, 0.1, 1]],
  },
  { op: "PRelu", torch: "F.prelu", inputs: [f64(-1, 0, 1), f64(0.25)], expected: [[0.25, 0.25, 1], [-1]] },
  { op: "Elu", torch: "F.elu(x, 2)", inputs: [f64(0, 1)], attributes: { alpha: float(2) }, expected: [[2, 1]] },
  { op: "Selu", torch: "F.selu", inputs: [f64(0, 1)], expected: [[1.7580993408, 1.0507009874]] },
  { op: "Celu", torch: "F.celu(x, 2)", inputs: [f64(0, 1)], attributes: { alpha: float(2) }, expected: [[1, 1]] },
  { op: "ThresholdedRelu", torch: "F.threshold(x, 1, 0)", inputs: [f64(0, 1, 2)], expected: [[0, 0, 1]] },
  {
    op: "Clip",
    torch: "x.clamp(-1, 1)",
    inputs: [f64(-2, -1, 0, 1, 2), at([], -1), at([], 1)],
    expected: [[0, 1, 1, 1, 0], [1], [1]],
  },
  {
    op: "HardSigmoid",
    torch: "F.hardsigmoid",
    inputs: [f64(-4, -3, 0, 3, 4)],
    attributes: { alpha: float(1 / 6) },
    expected: [[0, 0, 1 / 6, 0, 0]],
  },
  { op: "HardSwish", torch: "F.hardswish", inputs: [f64(-4, -3, 0, 3, 4)], expected: [[0, -0.5, 0.5, 1.5, 1]] },
  {
    op: "Shrink",
    torch: "F.softshrink(x, 0.5)",
    inputs: [f64(-1, -0.5, 0, 0.5, 1)],
    attributes: { bias: float(0.5) },
    expected: [[1, 0, 0, 0, 1]],
  },
  { op: "Shrink", torch: "F.hardshrink(x, 0.5)", inputs: [f64(-1, -0.5, 0, 0.5, 1)], expected: [[1, 0, 0, 0, 1]] },
  { op: "Abs", torch: "torch.abs", inputs: [f64(-1, 0, 1)], expected: [[-1, 0, 1]] },
  { op: "Softsign", torch: "F.softsign", inputs: [f64(0, 1)], expected: [[1, 0.25]] },
  {
    op: "Max",
    torch: "torch.maximum",
    inputs: [f64(1, 2, 3), f64(2, 2, 2)],
    expected: [
      [0, 0.5, 1],
      [1, 0.5, 0],
    ],
  },
  {
    op: "Min",
    torch: "torch.minimum",
    inputs: [f64(1, 2, 3), f64(2, 2, 2)],
    expected: [
      [1, 0.5, 0],
      [0, 0.5, 1],
    ],
  },
  {
    op: "Mod",
    torch: "torch.fmod",
    inputs: [f64(4, 5), f64(2, 2)],
    attributes: { fmod: int(1) },
    expected: [
      [1, 1],
      [-2, -2],
    ],
  },
  {
    op: "Pow",
    torch: "torch.pow",
    inputs: [f64(0, 0, 2), f64(0, 2, 1)],
    expected: [
      [0, 0, 1],
      [0, 0, 1.3862943611],
    ],
  },
  { op: "Sqrt", torch: "torch.sqrt", inputs: [f64(0, 4)], expected: [[Number.POSITIVE_INFINITY, 0.25]] },
  { op: "ReduceMax", torch: "x.amax()", inputs: [f64(1, 3, 3, 3)], expected: [[0, third, third, third]] },
  { op: "ReduceMin", torch: "x.amin()", inputs: [f64(1, 3, 1, 4)], expected: [[0.5, 0, 0.5, 0]] },
  { op: "ReduceL1", torch: "torch.linalg.vector_norm(x, 1)", inputs: [f64(-2, 0, 3)], expected: [[-1, 0, 1]] },
  { op: "ReduceL2", torch: "torch.linalg.vector_norm(x, 2)", inputs: [f64(0, 0)], expected: [[0, 0]] },
  { op: "ReduceProd", torch: "x.prod()", inputs: [f64(2, 0, 3)], expected: [[0, 6, 0]] },
  { op: "ReduceProd", torch: "x.prod(), two zeros", inputs: [f64(0, 0, 3)], expected: [[0, 0, 0]] },
  {
    op: "MaxPool",
    torch: "F.max_pool2d(x, 2)",
    inputs: [at([1, 1, 2, 4], 1, 5, 2, 2, 5, 5, 2, 2)],
    attributes: window(2, 2),
    expected: [[0, 1, 1, 0, 0, 0, 0, 0]],
  },
  {
    op: "MaxPool",
    torch: "F.max_pool2d(x, (1, 3), 1)",
    inputs: [at([1, 1, 1, 5], 1, 1, 1, 1, 1)],
    attributes: { kernel_shape: ints([1, 3]) },
    expected: [[1, 1, 1, 0, 0]],
  },
  {
    op: "GlobalMaxPool",
    torch: "F.adaptive_max_pool2d(x, 1)",
    inputs: [at([1, 1, 2, 2], 1, 3, 3, 3)],
    expected: [[0, 1, 0, 0]],
  },
  {
    op: "LpPool",
    torch: "F.lp_pool2d(x, 2, 2)",
    inputs: [at([1, 1, 2, 2], 0, 0, 0, 0)],
    attributes: window(2, 2),
    expected: [[0, 0, 0, 0]],
  },
  {
    op: "GridSample",
    torch: 'F.grid_sample(x, g, padding_mode="border", align_corners=True)',
    inputs: [at([1, 1, 1, 3], 1, 2, 4), at([1, 1, 3, 2], -1, 0, 0.5, 0, 1, 0)],
    attributes: { padding_mode: string("border"), align_corners: int(1) },
    expected: [
      [1, 0.5, 1.5],
      [0, 0, 2, 0, 0, 0],
    ],
  },
];

describe("at kinks and ties the gradient is PyTorch's", () => {
  test.each(KINKS.map((k) => [k.op, k.torch, k] as const))("%s: %s", (op, _, kink) => {
    const got = gradientOf(op, kink.inputs, kink.attributes, kink.opset);
    expect(got).toEqual(kink.expected.map((grad) => grad.map((v) => (Number.isFinite(v) ? expect.closeTo(v, 7) : v))));
  });
  test.each(["Sign", "Floor", "Ceil", "Round"])(
    "%s: torch's is zero everywhere, and so is dynn's: nothing flows",
    (op) => {
      expect(() => gradientOf(op, [f64(-1, 0, 0.5)])).toThrow(
        `its path to "x0" ends at ${op} "y": its gradient is zero everywhere`,
      );
    },
  );
});
