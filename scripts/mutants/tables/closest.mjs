/** @file Mutants of methods that search for the closest image. */
const REGION_TEST = "test/attacks/trust-region.test.ts";
const LINEAR_TEST = "test/attacks/closest-linear.long.test.ts";

export const CLOSEST = [
  {
    name: "attacks/sparsefool-half-lambda",
    find: "lambda / (1 + INNER.overshoot)",
    replace: "lambda / (2 + INNER.overshoot)",
    test: LINEAR_TEST,
    killedBy: "moves the steepest values to a plane at lambda times the distance",
  },
  {
    name: "attacks/cw-l0-drops-by-change",
    find: "Math.abs(gradient[i] * (image[i] - clean[i]))",
    replace: "Math.abs(image[i] - clean[i])",
    test: LINEAR_TEST,
    killedBy: "keeps the values whose slope times change is largest",
  },
  {
    name: "attacks/brendel-bethge-ball-of-linf",
    find: "clamp(pull, to - most, to + most)",
    replace: "clamp(pull, to - 2 * most, to + most)",
    test: REGION_TEST,
    killedBy: "no other allowed step leads nearer",
  },
  {
    name: "attacks/target-starts-far",
    find: "(a, b) => a.far - b.far",
    replace: "(a, b) => b.far - a.far",
    test: "test/attacks/queries.long.test.ts",
    killedBy: "begins at the nearest image that the network gives the target to",
  },
];
