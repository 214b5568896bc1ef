/** Attacked batches: PGD keeps within its bounds and climbs the loss that it is told to. */
import { beforeAll, describe, expect, test } from "vitest";
import { fromNumbers, type Tensor, toNumbers } from "../../src/core/tensor.js";
import { prune } from "../../src/graph/passes/prune.js";
import { ortNode } from "../../src/node/ort-node/index.js";
import type { Session } from "../../src/runtime/backend.js";
import type { AdversarialConfig } from "../../src/training/recipe/config.js";
import { train } from "../../src/training/run/trainer.js";
import { type AttackedBatch, attackBatch, pgdGraph } from "../../src/training/step/adversarial.js";
import { type earlyExits, patterns, request } from "../support/training.js";

const ROWS = 12;
const SIZE = 3 * 8 * 8;
const PGD: AdversarialConfig = { radius: 0.1, stepSize: 0.03, steps: 6, target: "final", weight: 0.5 };
const EXITS = ["exit0", "logits"];
const backend = ortNode({ threads: 1 });

let model: ReturnType<typeof earlyExits>;
let batch: AttackedBatch;

beforeAll(async () => {
  model = (await train(request({ epochs: 5 }))).graph;
  const data = patterns(ROWS, { seed: 3, noise: 0 });
  const images = new Float32Array(ROWS * SIZE);
  await data.read(
    Array.from({ length: ROWS }, (_, i) => i),
    images,
  );
  // Some pixels stand at the ends of the range, where an attack must not go on.
  images.forEach((v, i) => {
    images[i] = Math.min(1, Math.max(0, 1.4 * v - 0.2));
  });
  batch = {
    images: { dtype: "float32", dims: [ROWS, 3, 8, 8], data: images },
    labels: fromNumbers("int64", [ROWS], data.labels),
    indices: Uint32Array.from({ length: ROWS }, (_, i) => i),
    step: 4,
    seed: 1,
  };
});

/** Parameters and statistics are fed, as in training. */
const stateOf = (): Record<string, Tensor> =>
  Object.fromEntries(
    [...model.initializers].filter(([name]) => /\.(weight|bias|mix|running_mean|running_var)$/.test(name)),
  );

async function attacked(config: Partial<AdversarialConfig> = {}, of = batch): Promise<Float32Array> {
  const settings = { ...PGD, ...config };
  const state = stateOf();
  const rows = of.indices.length;
  const session: Session = await backend.compile(pgdGraph(model, EXITS, Object.keys(state), settings, rows));
  const images = await attackBatch(session, of, settings, EXITS.length, state);
  await session.release();
  return images;
}

/** Cross-entropy of each exit [exit][row], in float64 from the network's logits. */
async function lossesOf(images: Float32Array): Promise<number[][]> {
  const session = await backend.compile(prune(model));
  const results = await session.run({ images: fromNumbers("float32", [ROWS, 3, 8, 8], images) });
  await session.release();
  return EXITS.map((name) => {
    const logits = toNumbers(results[name]);
    return Array.from({ length: ROWS }, (_, row) => {
      const z = [...logits.subarray(3 * row, 3 * row + 3)];
      return Math.log(z.reduce((sum, v) => sum + Math.exp(v), 0)) - z[Number(batch.labels.data[row])];
    });
  });
}

const mean = (values: readonly number[] | undefined): number =>
  (values ?? []).reduce((sum, v) => sum + v, 0) / (values ?? []).length;
const totals = (losses: readonly number[][]): number[] => losses[0].map((v, row) => v + losses[1]?.[row]);

describe("an attacked batch", () => {
  test.each(["final", "average", "max"] as const)(
    "stays within the radius and the range of pixels (%s)",
    async (target) => {
      const images = await attacked({ target });
      const outside = images.filter((v, i) => v < 0 || v > 1 || Math.abs(v - batch.images.data[i]) > PGD.radius + 1e-7);
      expect(outside).toHaveLength(0);
      const moved = images.filter((v, i) => Math.abs(v - batch.images.data[i]) > 0.9 * PGD.radius);
      expect(moved.length).toBeGreaterThan(images.length / 2);
    },
  );

  test("has a higher loss than the clean one, at the exits that are its target above all", async () => {
    const clean = await lossesOf(batch.images.data);
    const [start, final, average, max] = [
      await lossesOf(await attacked({ steps: 0 })),
      await lossesOf(await attacked({ target: "final" })),
      await lossesOf(await attacked({ target: "average" })),
      await lossesOf(await attacked({ target: "max" })),
    ];
    expect(mean(final[1])).toBeGreaterThan(1.5 * mean(clean[1]));
    expect(mean(final[1])).toBeGreaterThan(mean(start[1]));
    expect(mean(totals(average))).toBeGreaterThan(1.5 * mean(totals(clean)));
    expect(mean(average[0])).toBeGreaterThan(mean(final[0]));
    expect(mean(final[1])).toBeGreaterThan(mean(average[1]));
    // Per sample, the images with the largest total loss of those that attack one exit each.
    const final0 = totals(final);
    totals(max).forEach((total, row) => expect(total).toBeGreaterThanOrEqual(final0[row] - 1e-4));
    expect(mean(totals(max))).toBeGreaterThan(mean(totals(clean)));
  });

  test("starts anywhere in the ball, by record and step alone", async () => {
    const start = await attacked({ steps: 0 });
    const inside = [...batch.images.data].flatMap((v, i) =>
      v > PGD.radius && v < 1 - PGD.radius ? [(start[i] - v) / PGD.radius] : [],
    );
    expect(Math.max(...inside)).toBeGreaterThan(0.95);
    expect(Math.min(...inside)).toBeLessThan(-0.95);
    expect(Math.abs(mean(inside))).toBeLessThan(0.1);
    expect(await attacked({ steps: 0 }, { ...batch, step: 5 })).not.toEqual(start);
    const reversed = (data: Float32Array): Float32Array =>
      Float32Array.from({ length: data.length }, (_, i) => {
        const row = ROWS - 1 - Math.floor(i / SIZE);
        return data[row * SIZE + (i % SIZE)];
      });
    const turned = {
      ...batch,
      images: { ...batch.images, data: reversed(batch.images.data) as Float32Array<ArrayBuffer> },
      labels: fromNumbers("int64", [ROWS], [...batch.labels.data].map(Number).reverse()),
      indices: batch.indices.toReversed(),
    };
    expect(reversed(await attacked({ steps: 0 }, turned))).toEqual(start);
  });
});
