import { describe, expect, test } from "vitest";
import { modelGradient } from "../../src/autodiff/model-gradient.js";
import { normal, uniform } from "../../src/core/rng.js";
import { fromNumbers, type Tensor, toNumbers } from "../../src/core/tensor.js";
import { checkGraph } from "../../src/graph/checker.js";
import type { Graph } from "../../src/graph/graph.js";
import { prune } from "../../src/graph/passes/prune.js";
import { opTable } from "../../src/ops/table.js";
import { ortNode } from "../../src/runtime/ort-node/index.js";
import { runReference } from "../../src/runtime/reference.js";
import { FAMILIES } from "../support/families.js";
import { inFloat64 } from "../support/float64.js";

const DIMS = [2, 3, 8, 8];
const PIXELS = 2 * 3 * 8 * 8;
const key = (step: number) => ({ seed: 5, sample: 0, purpose: "test", step }) as const;
const images = Float64Array.from(uniform(key(0), PIXELS));
const feeds = (dtype: "float32" | "float64", pixels: Float64Array): Readonly<Record<string, Tensor>> => ({
  images: fromNumbers(dtype, DIMS, pixels),
  labels: fromNumbers("int64", [2], [3, 1]),
});

const gradientModel = (graph: Graph) => modelGradient(graph, opTable, { loss: "cross-entropy" });

/** The summed cross-entropy, moved along a direction. */
function slopeAlong(model: ReturnType<typeof gradientModel>, direction: Float64Array): number {
  const h = 1e-5;
  const outputs = model.graph.outputs.filter(({ name }) => name === model.loss);
  const forward = prune({ ...model.graph, outputs });
  const loss = (t: number): number => {
    const moved = images.map((v, i) => v + t * (direction[i] as number));
    return toNumbers(runReference(forward, feeds("float64", moved))[model.loss] as Tensor).reduce((a, b) => a + b, 0);
  };
  return (loss(h) - loss(-h)) / (2 * h);
}

describe("input gradients of small networks of today's families", () => {
  test.each([...FAMILIES])("%s: float64 against finite differences, ONNX Runtime against float64", async (_, draw) => {
    const graph = draw();
    const wide = gradientModel(inFloat64(graph));
    const exact = toNumbers(runReference(wide.graph, feeds("float64", images))[wide.gradient] as Tensor);
    for (const step of [1, 2]) {
      const direction = Float64Array.from(normal(key(step), PIXELS));
      const analytic = exact.reduce((sum, v, i) => sum + v * (direction[i] as number), 0);
      const numeric = slopeAlong(wide, direction);
      expect(Math.abs(analytic - numeric) / Math.max(1, Math.abs(numeric))).toBeLessThanOrEqual(1e-6);
    }
    const single = gradientModel(graph);
    checkGraph(single.graph, opTable);
    const session = await ortNode({ threads: 1 }).compile(single.graph);
    const found = toNumbers((await session.run(feeds("float32", images)))[single.gradient] as Tensor);
    await session.release();
    const scale = exact.reduce((m, v) => Math.max(m, Math.abs(v)), 0);
    expect(scale).toBeGreaterThan(0);
    expect(found.reduce((m, v, i) => Math.max(m, Math.abs(v - (exact[i] as number))), 0) / scale).toBeLessThan(1e-3);
  });
});
