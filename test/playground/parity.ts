/** @file Twenty attacks that run in Node and in the page. The two builds of ONNX Runtime round differently, and steps in L2 can let that grow:
 *  "early 11" differs by 4e-4 after 20 steps, so it has 5 here. */
import type { AttackConfig } from "../../src/index.js";

const ball = (radius: string) => ({ norm: "linf", radius }) as const;

/** Goals, methods and norms of many kinds, each with an image. */
export const ATTACKS: readonly (AttackConfig & { readonly image: number; readonly seed: number })[] = [
  { name: "slow 156", goal: "slowdown", method: "pgd", ...ball("2/255"), steps: 20, image: 156, seed: 0 },
  { name: "slow 33", goal: "slowdown", method: "pgd", ...ball("4/255"), steps: 20, image: 33, seed: 1 },
  { name: "slow 21", goal: "slowdown", method: "pgd", ...ball("8/255"), steps: 10, image: 21, seed: 2 },
  { name: "slow 13, in vain", goal: "slowdown", method: "pgd", ...ball("1/255"), steps: 8, image: 13, seed: 0 },
  { name: "early 156", goal: "early:margin", method: "pgd", ...ball("2/255"), steps: 20, image: 156, seed: 0 },
  { name: "early 16", goal: "early:margin", method: "pgd", ...ball("4/255"), steps: 20, image: 16, seed: 3 },
  {
    name: "early 11, L2",
    goal: "early:margin",
    method: "pgd",
    norm: "l2",
    radius: "128/255",
    steps: 5,
    image: 11,
    seed: 0,
  },
  { name: "wrong 156", goal: "routed", method: "pgd", ...ball("2/255"), steps: 20, image: 156, seed: 0 },
  { name: "wrong 2", goal: "routed", method: "pgd", ...ball("2/255"), steps: 20, image: 2, seed: 4 },
  { name: "final 7", goal: "misclassify:final", method: "pgd", ...ball("2/255"), steps: 10, image: 7, seed: 0 },
  { name: "final 12, FGSM", goal: "misclassify:final", method: "fgsm", ...ball("8/255"), image: 12, seed: 0 },
  {
    name: "final 17, L2",
    goal: "misclassify:final",
    method: "pgd",
    norm: "l2",
    radius: "64/255",
    steps: 10,
    image: 17,
    seed: 5,
  },
  { name: "average 31", goal: "average", method: "pgd", ...ball("2/255"), steps: 10, image: 31, seed: 0 },
  { name: "max 34", goal: "max", method: "pgd", ...ball("2/255"), steps: 5, image: 34, seed: 0 },
  { name: "momentum 36", goal: "slowdown", method: "mim", ...ball("4/255"), steps: 10, image: 36, seed: 0 },
  { name: "slow 37, L1", goal: "slowdown", method: "slide", norm: "l1", radius: 8, steps: 10, image: 37, seed: 0 },
  { name: "closest 26", goal: "misclassify:final", method: "deepfool", norm: "l2", steps: 10, image: 26, seed: 0 },
  { name: "closest 1, DDN", goal: "misclassify:final", method: "ddn", norm: "l2", steps: 10, image: 1, seed: 0 },
  {
    name: "scores 102",
    goal: "misclassify:final",
    method: "square",
    ...ball("8/255"),
    queries: 40,
    image: 102,
    seed: 6,
  },
  { name: "noise 38", goal: "routed", method: "uniform-noise", ...ball("16/255"), image: 38, seed: 7 },
];
