import { expect, test } from "vitest";
import { DynnError } from "../../src/core/errors.js";
import { runReference } from "../../src/runtime/reference.js";
import { CASES, type Case, difference, prepared } from "../support/onnx-node.js";

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
  test_gridsample_bicubic: "cubic interpolation",
  test_resize_tf_crop_and_resize: "tf_crop_and_resize",
};

function outcome(of: Case): string | undefined {
  const { graph, feeds } = prepared(of);
  return difference(of, graph, runReference(graph, feeds));
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
  expect({ cases: CASES.length, right, refused: refused.length }).toEqual({ cases: 873, right: 690, refused: 171 });
});
