import { describe, expect, test } from "vitest";
import { ortNode } from "../../src/node/ort-node/index.js";
import { FLOAT32_BOUND, largestError } from "../support/gradient-errors.js";
import { referenceNetwork, UNDECIDED } from "../support/reference-network.js";

describe("whole networks on ONNX Runtime: logits and input gradients are those of PyTorch in float64", () => {
  test.each(["squeezenet", "mobilenet_v2", "efficientnet", "densenet", "vit"])("%s", async (name) => {
    const { graph, feeds, logits, gradient } = referenceNetwork(name);
    const session = await ortNode({ threads: 1 }).compile(graph);
    const results = await session.run(feeds);
    await session.release();
    expect(largestError(results[logits.name], logits.expected)).toBeLessThanOrEqual(FLOAT32_BOUND);
    expect(largestError(results[gradient.name], gradient.expected, UNDECIDED[name])).toBeLessThanOrEqual(FLOAT32_BOUND);
  });
});
