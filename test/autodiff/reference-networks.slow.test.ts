import { describe, expect, test } from "vitest";
import { runReference } from "../../src/runtime/reference.js";
import { FLOAT32_BOUND, largestError } from "../support/gradient-errors.js";
import { referenceNetwork } from "../support/reference-network.js";

describe("whole networks on the reference kernels", () => {
  test("mobilenet_v2, the image included whose gradient hangs on a kink (see UNDECIDED)", () => {
    const { graph, feeds, logits, gradient } = referenceNetwork("mobilenet_v2");
    const results = runReference(graph, feeds);
    expect(largestError(results[logits.name], logits.expected)).toBeLessThanOrEqual(FLOAT32_BOUND);
    expect(largestError(results[gradient.name], gradient.expected)).toBeLessThanOrEqual(FLOAT32_BOUND);
  }, 120_000);
});
