import { describe, expect, test } from "vitest";
import { float, int } from "../../src/graph/attributes.js";
import type { Node } from "../../src/graph/graph.js";
import { Gemm } from "../../src/ops/matrix/gemm.js";
import { MatMul } from "../../src/ops/matrix/mat-mul.js";
import { type GradcheckCase, gradcheck, random } from "../support/gradcheck.js";

const matmul = (a: readonly number[], b: readonly number[], rest: Partial<GradcheckCase> = {}): GradcheckCase => ({
  op: "MatMul",
  inputs: [random(a, 1), random(b, 2)],
  ...rest,
});

describe("MatMul: value and gradients of both operands", () => {
  const cases: readonly (readonly [string, GradcheckCase])[] = [
    ["two matrices", matmul([3, 4], [4, 5])],
    ["batched", matmul([2, 3, 4, 5], [2, 3, 5, 2])],
    ["weights shared by a batch", matmul([2, 3, 4], [4, 5])],
    ["a matrix against a batch", matmul([3, 4], [2, 4, 5])],
    ["broadcast leading axes on both sides", matmul([2, 1, 3, 4], [3, 4, 2])],
    ["row times matrix", matmul([4], [4, 3])],
    ["row times a batch", matmul([4], [2, 4, 3])],
    ["matrix times column", matmul([3, 4], [4])],
    ["a batch times column", matmul([2, 3, 4], [4])],
    ["row times column", matmul([4], [4])],
    ["size-1 axes", matmul([1, 1], [1, 1])],
    ["a symbolic batch, opset 11", matmul([5, 3, 4], [4, 2], { batch: 5, opset: 11 })],
    ["a symbolic batch on both sides", matmul([5, 3, 4], [5, 4, 2], { batch: 5 })],
    ["constant weights", matmul([2, 3, 4], [4, 2], { constants: [1] })],
  ];
  test.each(cases)("%s", async (_, c) => gradcheck(c));
});

const gemm = (
  a: readonly number[],
  b: readonly number[],
  c: readonly number[] | undefined,
  attributes: GradcheckCase["attributes"] = {},
  rest: Partial<GradcheckCase> = {},
): GradcheckCase => ({
  op: "Gemm",
  inputs: [random(a, 1), random(b, 2), ...(c ? [random(c, 3)] : [])],
  attributes,
  ...rest,
});

describe("Gemm: value and gradients of A, B and C", () => {
  const scaled = { alpha: float(0.5), beta: float(2) };
  const cases: readonly (readonly [string, GradcheckCase])[] = [
    ["plain, without C", gemm([3, 4], [4, 5], undefined)],
    ["a bias per column", gemm([3, 4], [4, 5], [5])],
    ["transA", gemm([4, 3], [4, 5], [1, 5], { transA: int(1), ...scaled })],
    ["transB", gemm([3, 4], [5, 4], [3, 1], { transB: int(1), ...scaled })],
    ["transA and transB", gemm([4, 3], [5, 4], [3, 5], { transA: int(1), transB: int(1), ...scaled })],
    ["a scalar C", gemm([3, 4], [4, 5], [1], scaled)],
    ["a symbolic batch, opset 11", gemm([6, 4], [5, 4], [5], { transB: int(1) }, { batch: 6, opset: 11 })],
  ];
  test.each(cases)("%s", async (_, c) => gradcheck(c));
});

describe("MatMul and Gemm: shapes, cost, folding", () => {
  const node: Node = { opType: "MatMul", domain: "", name: "mm", inputs: ["a", "b"], outputs: ["y"], attributes: {} };
  const type = (shape: readonly (number | string)[]) => ({ dtype: "float32" as const, shape });
  test("keeps a symbolic batch", () => {
    expect(
      MatMul.infer({ node, opset: 17, inputs: [type(["n", 65, 192]), type([192, 576])], constant: () => undefined })[0]
        ?.shape,
    ).toEqual(["n", 65, 576]);
  });
  test("says which lengths disagree", () => {
    expect(() =>
      MatMul.infer({ node, opset: 17, inputs: [type([2, 3]), type([4, 5])], constant: () => undefined }),
    ).toThrow('MatMul "mm": [2,3] times [4,5]: 3 columns against 4 rows. Make them equal. [shape/mismatch]');
  });
  test("costs m * n * k", () => {
    expect(
      MatMul.macs?.({
        node,
        inputs: [
          [2, 3, 4],
          [4, 5],
        ],
        outputs: [[2, 3, 5]],
      }),
    ).toBe(2 * 3 * 4 * 5);
    expect(
      Gemm.macs?.({
        node: { ...node, attributes: { transA: int(1) } },
        inputs: [
          [4, 3],
          [4, 5],
        ],
        outputs: [[3, 5]],
      }),
    ).toBe(60);
  });
  test.each([0, 1])("Gemm with transB %i absorbs an affine map", (transB) => {
    const gemmNode: Node = {
      ...node,
      opType: "Gemm",
      inputs: ["a", "b", "c"],
      attributes: { transB: int(transB), alpha: float(0.5), beta: float(2) },
    };
    const [a, b, c] = [random([3, 4], 1), random(transB ? [5, 4] : [4, 5], 2), random([5], 3)];
    const affine = { scale: Float64Array.of(1, -2, 3, 0.5, 4), shift: Float64Array.of(0.1, 0.2, 0.3, 0.4, 0.5) };
    const inputs = [type([3, 4]), type(b.dims), type([5])];
    const folded = Gemm.absorbAffine?.(
      { node: gemmNode, opset: 17, inputs, constant: (i) => [undefined, b, c][i] },
      affine,
    );
    const run = (w: typeof b, bias: typeof c) =>
      Gemm.run([a, w, bias], { node: gemmNode, opset: 17, inputTypes: [] })[0]?.data;
    const expected = run(b, c).map((v, i) => v * affine.scale[i % 5] + affine.shift[i % 5]);
    const got = run(folded?.[1] as typeof b, folded?.[2] as typeof c);
    for (const [i, v] of got.entries()) expect(v).toBeCloseTo(expected[i], 12);
  });
});
