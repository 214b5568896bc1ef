import { describe, expect, test } from "vitest";
import { Images } from "../../../src/core/images.js";
import { type Contestant, type Measurement, timeAll } from "../../../src/studies/profile/timing.js";

/** Contestants that take a fixed time per image on a machine that slows down as it goes. */
function drifting(slope: number, ...costs: readonly number[]) {
  let time = 0;
  let work = 0;
  const turns: string[] = [];
  const contestants = costs.map((cost, i): Contestant => {
    const run = async ({ count }: Images) => {
      turns.push(`${i}:${count}`);
      for (let k = 0; k < count; k++) time += cost * (1 + slope * work++);
    };
    return { latency: false, runners: new Map([[2, run]]) };
  });
  return { contestants, turns, now: () => time };
}

const shared = { images: new Images(new Float32Array(16), [1, 1, 1]), batches: [2] };

describe("timing", () => {
  test("warms every contestant up, then lets them take turns, every other round backwards", async () => {
    const { contestants, turns, now } = drifting(0, 1, 1, 1);
    await timeAll(contestants, { ...shared, rounds: 2, now });
    expect(turns).toEqual(["0:8", "1:8", "2:8", "0:16", "1:16", "2:16", "2:16", "1:16", "0:16"]);
  });

  test("does not favour who comes first on a machine that slows down steadily", async () => {
    const { contestants, now } = drifting(0.01, 3, 3, 3);
    const measured = await timeAll(contestants, { ...shared, rounds: 4, now });
    const means = contestants.map((c) => {
      const { perImage = [] }: Partial<Measurement> = measured.get(c)?.get(2) ?? {};
      return perImage.reduce((a, b) => a + b) / perImage.length;
    });
    for (const mean of means) expect(mean).toBeCloseTo(means[0], 9);
  });

  test("stops between two runs when it is told to", async () => {
    const { contestants, turns, now } = drifting(0, 1, 1);
    const controller = new AbortController();
    const onProgress = ({ done }: { readonly done: number }) => done === 1 && controller.abort(new Error("enough"));
    const options = { ...shared, rounds: 2, now, onProgress, signal: controller.signal };
    await expect(timeAll(contestants, options)).rejects.toThrow("enough");
    expect(turns).toEqual(["0:8"]);
  });
});
