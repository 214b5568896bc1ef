import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { uniform } from "../../src/core/rng.js";
import { type Augmentation, type AugmentOptions, augment, NO_AUGMENTATION } from "../../src/data/augment.js";
import { failure } from "../support/failure.js";

type Shape = readonly [number, number, number];
const SHAPE: Shape = [2, 8, 6];
const SIZE = 96;
const FILL = [0.25, 0.75];

const upTo = (n: number) => Array.from({ length: n }, (_, i) => i);

/** Pixel i of an image holds i + 1, so that a pixel tells where it comes from and 0 is padding. */
const numbered = (n: number, size = SIZE) => Float32Array.from({ length: n * size }, (_, i) => (i % size) + 1);

function augmented(
  pixels: Float32Array,
  what: Partial<Augmentation>,
  more: Partial<AugmentOptions> = {},
  shape = SHAPE,
) {
  const samples = more.samples ?? upTo(pixels.length / (shape[0] * shape[1] * shape[2]));
  const out = pixels.slice();
  augment(out, shape, {
    augmentation: { ...NO_AUGMENTATION, ...what },
    fill: FILL,
    seed: 1,
    epoch: 0,
    ...more,
    samples,
  });
  return out;
}

const imagesOf = (pixels: Float32Array, size = SIZE) =>
  upTo(pixels.length / size).map((i) => [...pixels.subarray(i * size, (i + 1) * size)]);

/** Mirrored by its definition. */
const mirror = (image: readonly number[], [c, h, w]: Shape) =>
  upTo(c * h).flatMap((row) => upTo(w).map((x) => image[row * w + w - 1 - x]));

/** Pearson's statistic of counts against equal frequencies. */
function chiSquare(counts: readonly number[]): number {
  const mean = counts.reduce((a, b) => a + b, 0) / counts.length;
  return counts.reduce((sum, n) => sum + (n - mean) ** 2 / mean, 0);
}

describe("flip", () => {
  test("leaves an image or mirrors it, half of them each", () => {
    const image = imagesOf(numbered(1))[0];
    const mirrored = mirror(image, SHAPE);
    const flipped = imagesOf(augmented(numbered(4000), { flip: true })).map((got) => {
      expect([image, mirrored]).toContainEqual(got);
      return got[0] === mirrored[0];
    });
    // Five standard deviations of a fair coin: sqrt(4000) / 2 * 5.
    expect(Math.abs(flipped.filter(Boolean).length - 2000)).toBeLessThan(159);
  });

  test("twice with the same numbers is nothing", () => {
    const pixels = numbered(50);
    expect(augmented(augmented(pixels, { flip: true }), { flip: true })).toEqual(pixels);
  });
});

describe("crop", () => {
  const LINE: Shape = [1, 4, 4];

  test("pads by reflection about the border pixel, like NumPy's pad", () => {
    // numpy.pad([0, 1, 2, 3], 2, "reflect") is 2 1 0 1 2 3 2 1; every crop shows four neighbours of it.
    const padded = [2, 1, 0, 1, 2, 3, 2, 1];
    const windows = upTo(5).map((at) => padded.slice(at, at + 4));
    const image = Float32Array.from({ length: 16 }, (_, i) => i % 4);
    const pixels = Float32Array.from({ length: 100 * 16 }, (_, i) => image[i % 16]);
    const rows = imagesOf(augmented(pixels, { crop: { pad: 2, mode: "reflect" } }, {}, LINE), 4);
    for (const row of rows) expect(windows).toContainEqual(row);
    for (const window of windows) expect(rows).toContainEqual(window);
  });

  test("with zero padding is a window of the image on black, the same in every channel", () => {
    const [, h, w] = SHAPE;
    const inImage = (y: number, x: number) => y >= 0 && y < h && x >= 0 && x < w;
    for (const got of imagesOf(augmented(numbered(300), { crop: { pad: 3, mode: "zero" } }))) {
      const seen = got.findIndex((value) => value > 0);
      const [from, at] = [got[seen] - 1, seen];
      const [down, right] = [Math.floor(from / w) - Math.floor(at / w), (from % w) - (at % w)];
      const want = upTo(SIZE).map((i) => {
        const [y, x] = [(Math.floor(i / w) % h) + down, (i % w) + right];
        return inImage(y, x) ? Math.floor(i / (h * w)) * h * w + y * w + x + 1 : 0;
      });
      expect(got).toEqual(want);
    }
  });

  test("takes every pair of offsets equally often", () => {
    const [pad, side, n] = [2, 5, 10_000];
    const counts = new Array<number>(side * side).fill(0);
    for (const got of imagesOf(augmented(numbered(n, 64), { crop: { pad, mode: "zero" } }, {}, [1, 8, 8]), 64)) {
      // The pixel in the middle is never padding.
      const from = got[4 * 8 + 4] - 1;
      counts[(Math.floor(from / 8) - 4 + pad) * side + ((from % 8) - 4 + pad)]++;
    }
    // 99.9 % quantile of chi-square with 24 degrees of freedom.
    expect(chiSquare(counts)).toBeLessThan(51.18);
  });
});

describe("cutout", () => {
  test("paints the clipped square around a centre that is uniform over the pixels, in the colour given", () => {
    const [c, h, w] = SHAPE;
    const [side, n] = [4, 4800];
    const span = (at: number, length: number) => [Math.max(0, at - side / 2), Math.min(length, at + side / 2)] as const;
    const images = upTo(h * w).map((centre) => {
      const [[top, bottom], [left, right]] = [span(Math.floor(centre / w), h), span(centre % w, w)];
      return upTo(c * h * w).map((i) => {
        const [y, x] = [Math.floor(i / w) % h, i % w];
        return y >= top && y < bottom && x >= left && x < right ? FILL[Math.floor(i / (h * w))] : i + 1;
      });
    });
    const keys = images.map((image) => image.join());
    const counts = keys.map(() => 0);
    for (const got of imagesOf(augmented(numbered(n), { cutout: side }))) counts[keys.indexOf(got.join())]++;
    expect(counts.reduce((a, b) => a + b, 0)).toBe(n);
    // 99.9 % quantile of chi-square with 47 degrees of freedom.
    expect(chiSquare(counts)).toBeLessThan(82.72);
  });

  test("of an odd side covers the side, and of a large one the whole image", () => {
    const areas = imagesOf(augmented(numbered(200), { cutout: 3 })).map(
      (image) => image.filter((value) => value === FILL[0]).length,
    );
    expect([...new Set(areas)].sort((a, b) => a - b)).toEqual([4, 6, 9]);
    const all = augmented(numbered(1), { cutout: 16 });
    expect([...new Set(all)]).toEqual(FILL);
  });
});

const augmentations = fc.record({
  flip: fc.boolean(),
  crop: fc.option(fc.record({ pad: fc.nat({ max: 5 }), mode: fc.constantFrom("reflect" as const, "zero" as const) }), {
    nil: undefined,
  }),
  cutout: fc.option(fc.integer({ min: 1, max: 9 }), { nil: undefined }),
});

describe("numbers", () => {
  test("an image's change depends on seed, record and epoch only, never on the batch", () => {
    const records = fc.array(fc.nat(1e6), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(augmentations, records, fc.nat(), fc.nat(300), (what, samples, seed, epoch) => {
        const pixels = uniform({ seed, sample: 0, purpose: "test", step: 0 }, samples.length * SIZE);
        const together = imagesOf(augmented(pixels, what, { samples, seed, epoch }));
        const alone = samples.map((sample, i) => [
          ...augmented(pixels.slice(i * SIZE, (i + 1) * SIZE), what, { samples: [sample], seed, epoch }),
        ]);
        expect(together).toEqual(alone);
      }),
    );
  });

  test("another seed or epoch changes images differently", () => {
    const crop = { pad: 3, mode: "reflect" as const };
    const base = augmented(numbered(20), { crop });
    expect(augmented(numbered(20), { crop }, { epoch: 1 })).not.toEqual(base);
    expect(augmented(numbered(20), { crop }, { seed: 2 })).not.toEqual(base);
  });

  test("a change keeps its place when another one is switched on", () => {
    const crop = { pad: 3, mode: "zero" as const };
    const [plain, both] = [{ crop }, { crop, flip: true }].map((what) => imagesOf(augmented(numbered(40), what)));
    both.forEach((image, i) => {
      expect([plain[i], mirror(plain[i], SHAPE)]).toContainEqual(image);
    });
  });

  test("nothing switched on changes nothing", () => {
    expect(augmented(numbered(3), {})).toEqual(numbered(3));
  });
});

describe("an augmentation that does not fit", () => {
  test("is refused with what would", () => {
    expect(() => augmented(numbered(1), { crop: { pad: 6, mode: "reflect" } })).toThrow(
      failure(
        "cli/value",
        "augmentation: got a crop padded by 6 pixels (reflect), expected an integer from 0 to 5, one less than the image's side. Change the padding.",
      ),
    );
    expect(() => augmented(numbered(1), { crop: { pad: -1, mode: "zero" } })).toThrow(
      failure(
        "cli/value",
        "augmentation: got a crop padded by -1 pixels (zero), expected an integer from 0. Change the padding.",
      ),
    );
    expect(() => augmented(numbered(1), { cutout: 0.5 })).toThrow(
      failure(
        "cli/value",
        "augmentation: got a cutout of side 0.5, expected an integer from 1. Give a side in pixels, or leave cutout out.",
      ),
    );
    expect(() => augmented(numbered(1), { cutout: 2 }, { fill: [0.5] })).toThrow(
      failure(
        "cli/value",
        "augmentation: got the cutout colour [0.5], expected 2 numbers, one for each channel. Give the mean of the training images.",
      ),
    );
  });
});
