import fc from "fast-check";
import { expect, test } from "vitest";
import { uniform } from "../../src/core/rng.js";
import { inMemory } from "../../src/data/dataset.js";
import { channelStatistics } from "../../src/data/statistics.js";

const dataset = (shape: readonly [number, number, number], pixels: Float32Array, count: number) =>
  inMemory({ name: "pixels", shape, classes: undefined, labels: new Int32Array(count) }, pixels);

test("the numbers 0 to 255 have the moments of the discrete uniform distribution", async () => {
  // Divided by 256, which is exact: mean (n-1)/2 and variance (n^2-1)/12.
  const pixels = Float32Array.from({ length: 256 }, (_, i) => i / 256);
  const { mean, std } = await channelStatistics(dataset([1, 1, 1], pixels, 256));
  expect(mean[0]).toBeCloseTo(255 / 2 / 256, 14);
  expect(std[0]).toBeCloseTo(Math.sqrt((256 ** 2 - 1) / 12) / 256, 14);
});

test("each channel has its own mean and deviation, as computed directly in two passes", () => {
  const counts = fc.integer({ min: 1, max: 600 });
  return fc.assert(
    fc.asyncProperty(counts, fc.nat(), async (count, seed) => {
      const [channels, plane] = [2, 6];
      const pixels = uniform({ seed, sample: 0, purpose: "test", step: 0 }, count * channels * plane);
      const { mean, std } = await channelStatistics(dataset([2, 2, 3], pixels, count));
      for (let channel = 0; channel < channels; channel++) {
        const own = [...pixels].filter((_, i) => Math.floor(i / plane) % channels === channel);
        const wantMean = own.reduce((a, b) => a + b, 0) / own.length;
        const wantStd = Math.sqrt(own.reduce((a, b) => a + (b - wantMean) ** 2, 0) / own.length);
        expect(mean[channel]).toBeCloseTo(wantMean, 12);
        expect(std[channel]).toBeCloseTo(wantStd, 12);
      }
    }),
    { numRuns: 30 },
  );
});

test("a small spread on a large mean is not lost", async () => {
  const pixels = Float32Array.from({ length: 1000 }, (_, i) => 1 - (i % 2) * 2 ** -23);
  const { std } = await channelStatistics(dataset([1, 1, 1], pixels, 1000));
  expect(std[0] / 2 ** -24).toBeCloseTo(1, 6);
});

test("only the records named count, each as often as it is named", async () => {
  const pixels = Float32Array.of(0, 0.5, 1);
  expect(await channelStatistics(dataset([1, 1, 1], pixels, 3), [2, 0, 2, 0])).toEqual({ mean: [0.5], std: [0.5] });
});
