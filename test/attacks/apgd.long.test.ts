/** @file Auto-PGD against what its papers say: where it goes, when it shortens its steps, and which images it breaks on
 *  exits that are linear in the pixels. */
import { describe, expect, test } from "vitest";
import { type Point, paceOf } from "../../src/attacks/methods/apgd-pace.js";
import { configureAttack } from "../../src/attacks/spec.js";
import { attackWith, type LinearExit, linearExits, linearSample, logitsAt, lossAt } from "../support/attack.js";
import { victimOf } from "../support/models.js";

const WEIGHTS = [
  [0.9, -0.4, 0.2, -1.1, 0.6, 0.3],
  [-0.3, 0.8, -0.7, 0.2, 0.5, -0.9],
  [0.4, 0.1, 1.2, 0.3, -0.8, 0.2],
  [-0.6, -0.5, 0.3, 0.9, 0.1, 0.7],
  [0.2, 0.3, -0.6, -0.4, 0.5, 0.8],
];
const EXIT: LinearExit = { weights: WEIGHTS, bias: [0.1, -0.05, 0, 0.08, 0.02] };
const victim = victimOf(linearExits([EXIT]));
/** Where the cross-entropy leads to the nearest boundary, because there is only one. */
const TWO: LinearExit = { weights: WEIGHTS.slice(0, 2), bias: EXIT.bias.slice(0, 2) };
const IMAGES = [
  [0.5, 0.45, 0.55, 0.5, 0.6, 0.4],
  [0.55, 0.6, 0.4, 0.45, 0.5, 0.5],
  [0.45, 0.5, 0.62, 0.5, 0.42, 0.52],
  [0.4, 0.42, 0.5, 0.6, 0.5, 0.6],
];
const samplesFor = (exit: LinearExit) => IMAGES.slice(0, 2).map((pixels, id) => linearSample([exit], pixels, { id }));
const samples = samplesFor(EXIT);
const lengths = {
  linf: (v: readonly number[]) => v.reduce((a, b) => a + Math.abs(b), 0),
  l2: (v: readonly number[]) => Math.hypot(...v),
  l1: (v: readonly number[]) => Math.max(...v.map(Math.abs)),
};

/** The radius at which the first other class wins: the difference of the logits over the dual norm of the weights'. */
function reach(exit: LinearExit, image: readonly number[], norm: keyof typeof lengths): number {
  const [z] = logitsAt([exit], image);
  const label = z.indexOf(Math.max(...z));
  const to = (k: number) => (z[label] - z[k]) / lengths[norm](WEIGHTS[k].map((w, i) => w - WEIGHTS[label][i]));
  return Math.min(...z.map((_, k) => k).flatMap((k) => (k === label ? [] : [to(k)])));
}

const METHODS = ["apgd-ce", "apgd-dlr", "apgd-t", "fab", "fab-t"] as const;

describe.each(METHODS)("%s", (method) => {
  test.each(["linf", "l2", "l1"] as const)(
    "breaks an image in %s just where the radius reaches a boundary",
    async (norm) => {
      const exit = method === "apgd-ce" ? TWO : EXIT;
      for (const sample of samplesFor(exit)) {
        const distance = reach(exit, Array.from(sample.pixels), norm);
        const at = async (factor: number) =>
          (
            await attackWith(victimOf(linearExits([exit])), [sample], {
              method,
              norm,
              radius: factor * distance,
              steps: 30,
            })
          )[0].success;
        // Steps over several pixels at once do not end exactly at a corner of the L1 ball.
        expect([sample.id, await at(0.97), await at(norm === "l1" ? 1.5 : 1.06)]).toEqual([sample.id, false, true]);
      }
    },
  );

  test("with a target breaks an image only towards it", async () => {
    const config = { method, radius: 0.3, target: 2 } as const;
    for (const { image, success } of await attackWith(victim, samples, config)) {
      const [z] = logitsAt([EXIT], image);
      expect([success, z.indexOf(Math.max(...z))]).toEqual([true, 2]);
    }
  });
});

describe("the step of Auto-PGD", () => {
  const clean = Float32Array.of(0.5, 0.5);
  const course = { norm: "linf", radius: 0.1, clean, steps: 100, rho: 0.75, fromNoise: true } as const;
  const at = (image: readonly number[], gradient: readonly number[], loss = 0): Point => ({
    image: Float32Array.from(image),
    gradient: Float32Array.from(gradient),
    loss,
  });
  const close = (image: Float32Array, expected: readonly number[]) =>
    expected.forEach((v, i) => {
      expect(image[i]).toBeCloseTo(v, 6);
    });

  test("is two radii long at first, and then a quarter of it is the step before", () => {
    const start = at([0.45, 0.52], [3, -1]);
    const pace = paceOf(course, start);
    const first = pace.move(start, start.image);
    close(first, [0.6, 0.4]);
    const second = pace.move(at(Array.from(first), [-1, 1]), start.image);
    // 0.75 of the way from 0.6 to 0.4, and 0.25 of the move from 0.45 to 0.6.
    close(second, [0.6 + 0.75 * -0.2 + 0.25 * 0.15, 0.4 + 0.75 * 0.2 + 0.25 * -0.12]);
  });

  test("is half as long after a checkpoint at which the loss did not rise", () => {
    const start = at([0.5, 0.5], [1, 1]);
    const short = { ...course, radius: 0.08, steps: 5 };
    const pace = paceOf(short, start);
    expect(pace.goesBack(start, start)).toBe(true);
    close(pace.move(start, start.image), [0.58, 0.58]);
    expect(pace.goesBack(start, start)).toBe(true);
    // Half of half of two radii is half a radius, times 0.75.
    close(pace.move(start, start.image), [0.5 + 0.75 * 0.04, 0.5 + 0.75 * 0.04]);
  });

  describe("in L1", () => {
    const grey = new Float32Array(20).fill(0.5);
    const sparse = { ...course, norm: "l1", radius: 1, clean: grey } as const;
    const slopes = Array.from(grey, (_, i) => i + 1);
    const withFirst = (count: number, by: number) => Array.from(grey, (v, i) => (i < count ? v + by : v));

    test("from noise moves a fifth of the values, along the largest gradient", () => {
      const start = at(withFirst(0, 0), slopes);
      close(
        paceOf(sparse, start).move(start, start.image),
        Array.from(grey, (_, i) => (i < 16 ? 0.5 : 0.75)),
      );
    });

    test("from a start in the larger ball moves two thirds as many values as are changed", () => {
      const start = at(withFirst(3, 0.1), slopes);
      const moved = paceOf({ ...sparse, fromNoise: false }, start).move(start, start.image);
      // Two values move by a half. The projection takes 0.06 from each of the five.
      close(moved, [0.54, 0.54, 0.54, ...Array(15).fill(0.5), 0.94, 0.94]);
    });
  });

  /** Checkpoints of 100 steps at which it goes back, with losses by step. */
  const returns = (lossAtStep: (step: number) => number): number[] => {
    const start = at([0.5, 0.5], [1, 1], lossAtStep(0));
    const pace = paceOf(course, start);
    let top = start;
    return Array.from({ length: 100 }, (_, i) => i + 1).filter((step) => {
      const here = at([0.5, 0.5], [1, 1], lossAtStep(step));
      if (here.loss > top.loss) top = here;
      return pace.goesBack(here, top);
    });
  };

  test("has the checkpoints of the paper: their gaps shrink by 3 % of the steps, down to 6 %", () => {
    const ends = [0, 0.22];
    for (let j = 1; ends[j] < 0.99; j++) ends.push(ends[j] + Math.max(ends[j] - ends[j - 1] - 0.03, 0.06));
    const checkpoints = ends.slice(1).map((p) => Math.round(100 * p));
    expect(checkpoints).toEqual([22, 41, 57, 70, 80, 87, 93, 99]);
    expect(returns(() => 0)).toEqual(checkpoints);
  });

  test("never goes back while the loss rises", () => {
    expect(returns((step) => step)).toEqual([]);
  });

  test("goes back when no more than three of four steps rise", () => {
    // Sixteen of 22 steps rise: 73 %. Seventeen: 77 %.
    const rising = (count: number) => returns((step) => (step <= count ? step : count - 0.01 * step))[0];
    expect(rising(16)).toBe(22);
    expect(rising(17)).toBeGreaterThan(22);
  });
});

describe("the difference of logits ratio", () => {
  const image = [0.3, 0.5, 0.6, 0.2, 0.7, 0.4];
  const [z] = logitsAt([EXIT], image);
  const sorted = [...z].sort((a, b) => b - a);
  const sample = linearSample([EXIT], image, { label: 3 });
  const others = Math.max(...z.filter((_, k) => k !== 3));

  test("is the margin over the largest less the third logit, and negated for a target", async () => {
    const config = { method: "apgd-dlr", radius: 0.1 } as const;
    const expected = (others - z[3]) / (sorted[0] - sorted[2]);
    expect((await lossAt(victim, config, sample, image)).loss).toBeCloseTo(expected, 5);
    const towards = (Math.max(...z.filter((_, k) => k !== 1)) - z[1]) / (sorted[0] - sorted[2]);
    expect((await lossAt(victim, { ...config, target: 1 }, sample, image)).loss).toBeCloseTo(-towards, 5);
  });

  test("for a target divides by the largest less the mean of the third and the fourth", async () => {
    const { loss } = await lossAt(victim, { method: "apgd-t", radius: 0.1, target: 1 }, sample, image);
    expect(loss).toBeCloseTo((z[1] - z[3]) / (sorted[0] - (sorted[2] + sorted[3]) / 2), 5);
  });

  test.each(["apgd-dlr", "apgd-t"] as const)("of %s has the gradient that differences give", async (method) => {
    const config = { method, radius: 0.1, ...(method === "apgd-t" ? { target: 1 } : {}) } as const;
    const { gradient } = await lossAt(victim, config, sample, image);
    for (const i of image.keys()) {
      const moved = (by: number) => image.map((v, k) => (k === i ? v + by : v));
      const [up, down] = [
        await lossAt(victim, config, sample, moved(0.001)),
        await lossAt(victim, config, sample, moved(-0.001)),
      ];
      expect(gradient[i]).toBeCloseTo((up.loss - down.loss) / 0.002, 2);
    }
  });

  test.each([
    ["apgd-dlr", "dlr", 3],
    ["apgd-t", "targeted-dlr", 4],
  ])("is refused for too few classes: %s", (method, loss, fewest) => {
    const few = victimOf(
      linearExits([{ weights: WEIGHTS.slice(0, fewest - 1), bias: EXIT.bias.slice(0, fewest - 1) }]),
    );
    expect(() => configureAttack({ name: "t", method, radius: 0.1 }, few)).toThrow(
      `the model has ${fewest - 1} classes, and "${loss}" needs at least ${fewest}.`,
    );
  });
});
