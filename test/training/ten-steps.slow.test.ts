/** The ten steps of PyTorch's record on the backends that need not be fast. */
import { describe, test } from "vitest";
import { ortNode } from "../../src/node/ort-node/index.js";
import type { Backend } from "../../src/runtime/backend.js";
import { referenceBackend } from "../../src/runtime/reference.js";
import { expectFirstGradients, expectTenSteps, RUNS } from "../support/ten-steps.js";

describe.each<[string, Backend]>([
  ["ONNX Runtime without the blocked layout", ortNode({ threads: 1, rewrite: false })],
  ["reference backend", referenceBackend],
])("%s", (_, backend) => {
  test.each(RUNS)("ten steps of %s are PyTorch's", (name) => expectTenSteps(name, backend));

  test.each(RUNS)("the first gradients of %s are PyTorch's", (name) => expectFirstGradients(name, backend));
});
