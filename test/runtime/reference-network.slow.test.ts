import { expect, test } from "vitest";
import { uniform } from "../../src/core/rng.js";
import { fromNumbers, toNumbers } from "../../src/core/tensor.js";
import { ortNode } from "../../src/node/ort-node/index.js";
import { readModel } from "../../src/onnx/read.js";
import { referenceBackend } from "../../src/runtime/reference.js";
import { referenceFile } from "../support/reference-cases.js";

test("both give the same answers on the reference network", async () => {
  const { graph } = readModel(referenceFile("resnet20-sdn/model.onnx"));
  const dims = [2, 3, 32, 32];
  const image = fromNumbers("float32", dims, uniform({ seed: 5, sample: 0, purpose: "test", step: 0 }, 2 * 3072));
  const [slow, fast] = await Promise.all(
    [referenceBackend, ortNode()].map(async (backend) => {
      const session = await backend.compile(graph);
      const results = await session.run({ image });
      await session.release();
      return results;
    }),
  );
  for (const { name } of graph.outputs) {
    const want = toNumbers(slow?.[name]);
    const got = toNumbers(fast?.[name]);
    const scale = want.reduce((m, v) => Math.max(m, Math.abs(v)), 0);
    expect(got.reduce((m, v, i) => Math.max(m, Math.abs(v - want[i])), 0) / scale).toBeLessThanOrEqual(1e-5);
  }
});
