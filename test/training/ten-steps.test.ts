/** Ten training steps of a small early-exit network against PyTorch (float64, recorded by scripts/training-reference.py):
 *  losses, first gradients, parameters and running statistics. */
import { expect, test } from "vitest";
import { ortNode } from "../../src/node/ort-node/index.js";
import { referenceBackend } from "../../src/runtime/reference.js";
import { parametersOf } from "../../src/training/step/training-form.js";
import {
  expectFirstGradients,
  expectTenSteps,
  RUNS,
  recordedConfig,
  recordedNetwork,
  runnerOf,
  tenSteps,
} from "../support/ten-steps.js";

test.each(RUNS)("ten steps of %s are PyTorch's", (name) => expectTenSteps(name, ortNode({ threads: 1 })));

test("ten steps of sgd are PyTorch's on ONNX Runtime without the blocked layout", () =>
  expectTenSteps("sgd", ortNode({ threads: 1, rewrite: false })));

test.each(RUNS)("the first gradients of %s are PyTorch's", (name) =>
  expectFirstGradients(name, ortNode({ threads: 1 })),
);

test("the network's parameters are found by name, and only those of the record move", async () => {
  const [joint, heads] = [tenSteps("sgd"), tenSteps("adam-heads")];
  expect(parametersOf(recordedNetwork()).toSorted()).toEqual(joint.trained.toSorted());
  const runner = await runnerOf(heads, referenceBackend, recordedConfig(heads));
  expect([...runner.state.keys()].filter((name) => !/\.[mv]$/.test(name)).toSorted()).toEqual(heads.trained.toSorted());
});
