import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { expect, test } from "vitest";
import type { DType } from "../../src/core/dtype.js";
import { DynnError } from "../../src/core/errors.js";
import { fromNumbers, type Tensor, toNumbers } from "../../src/core/tensor.js";
import type { Graph } from "../../src/graph/graph.js";
import { inferShapes } from "../../src/graph/infer.js";
import { readModel } from "../../src/onnx/read.js";
import { opTable } from "../../src/ops/table.js";
import { runReference } from "../../src/runtime/reference.js";

/** The ONNX project's own node tests, see test/fixtures/onnx-node/make.py. */
interface Case {
  readonly name: string;
  /** A model in base64. */
  readonly model: string;
  readonly inputs: readonly Array_[];
  readonly outputs: readonly Array_[];
}
interface Array_ {
  readonly dtype: DType;
  readonly dims: readonly number[];
  /** Infinities and NaN as NumPy writes them. */
  readonly data: readonly (number | string)[];
}

const file = new URL("../fixtures/onnx-node/cases.json.gz", import.meta.url);
const CASES = JSON.parse(gunzipSync(readFileSync(file)).toString()) as readonly Case[];

/** Where dynn differs from what the case expects, and why. */
const DIFFERS: Readonly<Record<string, string>> = {
  test_maxunpool_export_with_output_shape:
    "the case counts indices in the image without output_shape; dynn counts them in the output, as ONNX Runtime does",
  test_resize_downsample_scales_cubic_align_corners:
    "the case takes the length before it is rounded down; dynn takes the output's own, as ONNX Runtime does",
  test_resize_downsample_scales_linear_align_corners: "the same",
};

/** Refusals that are what they should be: an operator, type or form that docs/ops.md says dynn does not have. */
const REFUSALS = new Set([
  "model/op",
  "model/input",
  "model/dtype",
  "model/attribute",
  "model/version",
  "shape/unknown",
]);

/** Forms that single cases use. */
const REFUSED_FORMS: Readonly<Record<string, string>> = {
  test_castlike_BFLOAT16_to_FLOAT: "the case feeds another shape than its model states",
  test_castlike_BFLOAT16_to_FLOAT_expanded: "the same",
  test_castlike_FLOAT_to_BFLOAT16: "the same",
  test_castlike_FLOAT_to_BFLOAT16_expanded: "the same",
  test_constant: "a graph of constants alone",
  test_einsum_batch_diagonal: "a label repeated within one term",
  test_gridsample_bicubic: "cubic reading",
  test_resize_tf_crop_and_resize: "tf_crop_and_resize",
};

const value = (x: number | string): number => (typeof x === "number" ? x : Number(x.replace("inf", "Infinity")));
/** NumPy has no bfloat16: the cases hold its bits. */
const tensor = (a: Array_, dtype: DType = a.dtype): Tensor =>
  dtype === "bfloat16"
    ? { dtype, dims: a.dims, data: Uint16Array.from(a.data.map(value)) }
    : fromNumbers(a.dtype, a.dims, a.data.map(value));

const agrees = (got: number, want: number): boolean =>
  Object.is(got, want) || got === want || Math.abs(got - want) <= 1e-4 * Math.max(1, Math.abs(want));

const bitsOf = (t: Tensor): Tensor => (t.dtype === "bfloat16" ? { ...t, dtype: "uint16" } : t);

/** What is wrong with an output, or undefined. */
function difference(got: Tensor, want: Array_, shape: readonly unknown[]): string | undefined {
  if (got.dtype !== want.dtype) return `type ${got.dtype}, expected ${want.dtype}`;
  if (got.dims.join() !== want.dims.join()) return `shape [${got.dims}], expected [${want.dims}]`;
  if (shape.length !== want.dims.length || shape.some((d, i) => typeof d === "number" && d !== want.dims[i]))
    return `shape rule gives [${shape}], expected [${want.dims}]`;
  const numbers = toNumbers(got);
  const at = want.data.findIndex((v, i) => !agrees(numbers[i] as number, value(v)));
  return at < 0 ? undefined : `element ${at} is ${numbers[at]}, expected ${want.data[at]}`;
}

/** Axes, shapes and the like are constants in exports; the cases feed them. */
const isConstant = (graph: Graph, i: number): boolean => i > 0 && graph.inputs[i]?.dtype === "int64";

function outcome({ model, inputs, outputs }: Case): string | undefined {
  const { graph } = readModel(Buffer.from(model, "base64"));
  const values = graph.inputs.map(({ name, dtype }, i) => [name, tensor(inputs[i] as Array_, dtype)] as const);
  const typed = inferShapes(
    {
      ...graph,
      inputs: graph.inputs.filter((_, i) => !isConstant(graph, i)),
      initializers: new Map([...graph.initializers, ...values.filter((_, i) => isConstant(graph, i))]),
    },
    opTable,
  );
  const results = runReference(typed, Object.fromEntries(values.filter((_, i) => !isConstant(graph, i))));
  return graph.outputs
    .map(({ name }, i) =>
      difference(bitsOf(results[name] as Tensor), outputs[i] as Array_, typed.types.get(name)?.shape ?? []),
    )
    .find((found) => found !== undefined);
}

test("the ONNX project's node tests: reader, shape rules and reference kernels agree, or refuse by name", () => {
  const [wrong, refused]: [Record<string, string>, string[]] = [{}, []];
  let right = 0;
  for (const c of CASES)
    try {
      const found = outcome(c);
      if (found === undefined) right++;
      else if (!(c.name in DIFFERS)) wrong[c.name] = found;
    } catch (error) {
      const known = error instanceof DynnError && REFUSALS.has(error.code);
      if (known) refused.push(c.name);
      else if (!(c.name in REFUSED_FORMS)) wrong[c.name] = String(error);
    }
  expect(wrong).toEqual({});
  expect({ cases: CASES.length, right, refused: refused.length }).toEqual({ cases: 873, right: 681, refused: 180 });
});
