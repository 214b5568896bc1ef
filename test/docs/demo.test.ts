/** @file The demo puts networks beside each other from their records alone, and refuses records that do not belong together. */
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { expect, test } from "vitest";
import { wilson } from "../../src/measures/wilson.js";
import { ROOT } from "./documents.js";

interface Script {
  readonly sideBySide: (records: readonly ReturnType<typeof audited>[]) => string;
}

const { sideBySide } = (await import(pathToFileURL(join(ROOT, "scripts/demo.mjs")).href)) as Script;

const audited = (name: string, right: readonly number[], samples = 100) => ({
  model: { name },
  data: { name: "sample", samples, seed: 0 },
  clean: { routed: { accuracy: 0.84, meanCostFraction: 0.39 } },
  attacks: [2, 8].map((radius, i) => ({
    ...{ name: `pgd-${radius}`, method: "pgd", radius: radius / 255, parameters: { steps: 20 } },
    robustAccuracy: wilson(right[i], samples),
  })),
});

test("the demo shows two networks at each radius, with intervals", () => {
  const [heads, , plain, robust, , about] = sideBySide([audited("plain", [10, 0]), audited("robust", [55, 31])]).split(
    "\n",
  );
  expect(heads).toBe("| network | accuracy, clean | mean cost | PGD-20, 2/255 | PGD-20, 8/255 |");
  expect(plain).toBe("| plain | 84.0 % | 39.0 % | 10.0 % (5.5-17.4) | 0.0 % (0.0-3.7) |");
  expect(robust).toMatch(/^\| robust \| 84\.0 % \| 39\.0 % \| 55\.0 % \(.*\) \| 31\.0 % \(.*\) \|$/);
  expect(about).toMatch(/on 100 images of sample/);
});

test("the demo refuses audits of different images", () => {
  expect(() => sideBySide([audited("a", [1, 1]), audited("b", [1, 1], 50)])).toThrow("b: audited with other images");
});
