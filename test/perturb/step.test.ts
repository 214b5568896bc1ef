/** One PGD step on arrays and as graph nodes: two forms, one answer. */
import { beforeAll, describe, expect, test } from "vitest";
import { normal, uniform } from "../../src/core/rng.js";
import { sizeOf } from "../../src/core/shape.js";
import { fromNumbers, type Tensor } from "../../src/core/tensor.js";
import { GraphBuilder } from "../../src/graph/builder.js";
import type { Graph } from "../../src/graph/graph.js";
import { inferShapes } from "../../src/graph/infer.js";
import { emptyGraph } from "../../src/graph/op.js";
import { ortNode } from "../../src/node/ort-node/index.js";
import { opTable } from "../../src/ops/table.js";
import { NORMS } from "../../src/perturb/norms.js";
import { type PgdStep, pgdStep, pgdStepNodes } from "../../src/perturb/step.js";
import { runReference } from "../../src/runtime/reference.js";
import { STEPPED_NORMS, type SteppedNorm } from "../../src/schema/norm.js";

const DIMS = [5, 3, 4, 4];
const EACH = sizeOf(DIMS.slice(1));
const COUNT = sizeOf(DIMS);
const VALUES = ["image", "gradient", "clean"] as const;

/** Samples inside, at the edge of and outside the ball; gradients of usual size, of zeros and very small ones. */
const clean = uniform({ seed: 1, sample: 0, purpose: "attack-start", step: 0 }, COUNT);
const noise = uniform({ seed: 2, sample: 0, purpose: "attack-start", step: 0 }, COUNT, -1, 1);
const image = clean.map((c, i) =>
  Math.min(1, Math.max(0, c + [0.001, 0, 0.4, 0.05, 0.02][Math.floor(i / EACH)] * noise[i])),
);
const SCALES = [1, 0, 1, 1e-25, 1e4];
const gradient = normal({ seed: 3, sample: 0, purpose: "attack-start", step: 0 }, COUNT).map(
  (g, i) => g * SCALES[Math.floor(i / EACH)],
);
const feeds = (): Record<string, Tensor> =>
  Object.fromEntries(VALUES.map((name) => [name, fromNumbers("float32", DIMS, { image, gradient, clean }[name])]));

function stepGraph(step: PgdStep<SteppedNorm>, opset: number): Graph {
  const b = new GraphBuilder(emptyGraph("step", opset));
  const [x, g, c] = VALUES.map((name) => b.input(name, "float32", ["n", 3, 4, 4]));
  b.output(pgdStepNodes(b, { image: x, gradient: g, clean: c }, step), "float32", ["n", 3, 4, 4]);
  return inferShapes(b.build(), opTable);
}

function onArrays(step: PgdStep<SteppedNorm>): Float32Array {
  const moved = Float32Array.from(image);
  for (let at = 0; at < COUNT; at += EACH) {
    const own = (of: Float32Array) => of.subarray(at, at + EACH);
    pgdStep(own(moved), own(gradient), own(clean), step);
  }
  return moved;
}

const furthest = (a: Float32Array, b: Float32Array): number => NORMS.linf.distance(a, b);

const STEPS = STEPPED_NORMS.flatMap((norm) =>
  [
    { radius: 8 / 255, stepSize: 2 / 255 },
    { radius: 0.3, stepSize: 0.5 },
    { radius: 0, stepSize: 0.1 },
    { radius: Number.POSITIVE_INFINITY, stepSize: 0.1 },
  ].map((lengths): PgdStep<SteppedNorm> => ({ norm, ...lengths })),
);

describe.each(STEPS)("a step of $stepSize under $norm within $radius", (step) => {
  let expected: Float32Array;
  beforeAll(() => {
    expected = onArrays(step);
  });

  test.each([11, 17, 18])("is the same on arrays and as nodes of opset %i", (opset) => {
    const graph = stepGraph(step, opset);
    const { data } = runReference(graph, feeds())[graph.outputs[0].name] as Tensor<"float32">;
    expect(furthest(data, expected)).toBeLessThan(2e-7);
  });

  test("is the same on ONNX Runtime", async () => {
    const graph = stepGraph(step, 17);
    const session = await ortNode({ threads: 1 }).compile(graph);
    const { data } = (await session.run(feeds()))[graph.outputs[0].name] as Tensor<"float32">;
    await session.release();
    expect(furthest(data, expected)).toBeLessThan(1e-6);
  });

  test("ends in the ball and in [0,1]", () => {
    for (let at = 0; at < COUNT; at += EACH) {
      const [x, c] = [expected.subarray(at, at + EACH), clean.subarray(at, at + EACH)];
      expect(NORMS[step.norm].distance(x, c)).toBeLessThanOrEqual(step.radius + 1e-6);
    }
    expect(Math.min(...expected)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...expected)).toBeLessThanOrEqual(1);
  });
});

test("a step under l2 has its length, however small the gradient, unless that is zero", () => {
  const step: PgdStep = { norm: "l2", radius: Number.POSITIVE_INFINITY, stepSize: 1e-3 };
  const middle = new Float32Array(EACH).fill(0.5);
  for (const [row, length] of [1e-3, 0, 1e-3, 1e-3, 1e-3].entries()) {
    const moved = Float32Array.from(middle);
    pgdStep(moved, gradient.subarray(row * EACH, (row + 1) * EACH), middle, step);
    expect(NORMS.l2.distance(moved, middle)).toBeCloseTo(length, 6);
  }
});
