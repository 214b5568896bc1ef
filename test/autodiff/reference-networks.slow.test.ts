import { describe, test } from "vitest";
import { runReference } from "../../src/runtime/reference.js";
import { expectClose, referenceNetwork } from "../support/reference-network.js";
import { hasShared } from "../support/shared.js";

describe.skipIf(!hasShared)("whole networks on the reference kernels", () => {
  test("mobilenet_v2, the image included whose gradient hangs on a kink (see reference-networks.test.ts)", () => {
    const { graph, feeds, logits, gradient } = referenceNetwork("mobilenet_v2");
    const results = runReference(graph, feeds);
    expectClose(results[logits.name], logits.expected, "logits");
    expectClose(results[gradient.name], gradient.expected, "gradient");
  }, 120_000);
});
