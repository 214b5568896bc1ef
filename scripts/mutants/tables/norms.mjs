/** @file Mutants of norms and percentiles. */
const NUMBERS_TEST = "test/measures/numbers.test.ts";

export const NORMS = [
  {
    name: "measures/l0-of-all",
    find: "if (size > 0) l0++;",
    replace: "l0++;",
    test: NUMBERS_TEST,
    killedBy: "measure a perturbation in every norm",
  },
  {
    name: "measures/l1-squares",
    find: "l1 += size;",
    replace: "l1 += size * size;",
    test: NUMBERS_TEST,
    killedBy: "measure a perturbation in every norm",
  },
  {
    name: "measures/l1-signed",
    find: "const size = Math.abs(moved[i] - clean[i]);",
    replace: "const size = moved[i] - clean[i];",
    test: NUMBERS_TEST,
    killedBy: "measure a perturbation in every norm",
  },
  {
    name: "measures/l2-squared",
    find: "l2: Math.sqrt(squares)",
    replace: "l2: squares",
    test: NUMBERS_TEST,
    killedBy: "measure a perturbation in every norm",
  },
  {
    name: "measures/linf-last",
    find: "if (size > linf) linf = size;",
    replace: "linf = size;",
    test: NUMBERS_TEST,
    killedBy: "measure a perturbation in every norm",
  },
  {
    name: "measures/norms-from-start",
    find: "for (let i = start; i < end; i++)",
    replace: "for (let i = 0; i < end; i++)",
    test: NUMBERS_TEST,
    killedBy: "look at the given range only",
  },
  {
    name: "measures/percentile-type",
    find: "((sorted.length - 1) * percent) / 100",
    replace: "(sorted.length * percent) / 100",
    test: NUMBERS_TEST,
    killedBy: "interpolates as R and NumPy do",
  },
  {
    name: "measures/percentile-unsorted",
    find: "Float64Array.from(values).sort();",
    replace: "Float64Array.from(values);",
    test: NUMBERS_TEST,
    killedBy: "interpolates as R and NumPy do",
  },
  {
    name: "measures/percentile-steps",
    find: "sorted[below] + (position - below) * (sorted[above] - sorted[below])",
    replace: "sorted[below]",
    test: NUMBERS_TEST,
    killedBy: "interpolates as R and NumPy do",
  },
  {
    name: "measures/percentile-p95",
    find: "p95: percentile(values, 95)",
    replace: "p95: percentile(values, 90)",
    test: NUMBERS_TEST,
    killedBy: "gives p50, p95 and p99",
  },
];
