/** @file Mutants of what an audit says over attacks and over seeds, of its flags for hard gates, and of the folder of kept images. */
const WORST_CASE_TEST = "test/studies/worst-case.long.test.ts";
const SPREAD_TEST = "test/measures/spread.test.ts";
const HEALTH_TEST = "test/studies/health-gates.test.ts";
const KEPT_TEST = "test/cli/kept.long.test.ts";

export const AUDIT_RESULTS = [
  {
    name: "audit/worst-case-beyond-budget",
    find: "distance <= radius * (1 + 1e-5) + 1e-6",
    replace: "distance >= 0 * radius",
    test: WORST_CASE_TEST,
    killedBy: "is the count of samples that are right on the clean image",
  },
  {
    name: "audit/worst-case-without-clean",
    find: "stands: clean.map((right) => Uint8Array.from(right)),",
    replace: "stands: clean.map((right) => Uint8Array.from(right, () => 1)),",
    test: WORST_CASE_TEST,
    killedBy: "is the count of samples that are right on the clean image",
  },
  {
    name: "audit/worst-case-first-seed-only",
    find: "const worst = before ?? new WorstCase(budgets, onClean);",
    replace: "const worst = new WorstCase(budgets, onClean);",
    test: WORST_CASE_TEST,
    killedBy: "counts a sample as broken when any seed breaks it",
  },
  {
    name: "audit/seeds-alike",
    find: "Array.from({ length: count }, (_, i) => first + i)",
    replace: "Array.from({ length: count }, (_, i) => first + 0 * i)",
    test: WORST_CASE_TEST,
    killedBy: "holds each seed's rates",
  },
  {
    name: "measures/spread-divisor",
    find: "Math.sqrt(values.reduce((sum, v) => sum + (v - mean) ** 2, 0) / (n - 1))",
    replace: "Math.sqrt(values.reduce((sum, v) => sum + (v - mean) ** 2, 0) / n)",
    test: SPREAD_TEST,
    killedBy: "are SciPy's",
  },
  {
    name: "measures/spread-freedom",
    find: "tQuantile(0.975, n - 1)",
    replace: "tQuantile(0.975, n)",
    test: SPREAD_TEST,
    killedBy: "are SciPy's",
  },
  {
    name: "audit/kept-other-run",
    find: "const differs = Object.keys(now).find((key) => manifest.run[key] !== now[key]);",
    replace: "const differs = Object.keys(now).find(() => false);",
    test: KEPT_TEST,
    killedBy: "is refused before any work",
  },
  {
    name: "audit/kept-other-images",
    find: "if (other === fingerprint) return;",
    replace: "if (other !== undefined) return;",
    test: KEPT_TEST,
    killedBy: "is refused at the attack where only its images are there",
  },
  {
    name: "audit/hard-gates-of-every-surrogate",
    find: '...(passes(attack) === "hard" ?',
    replace: "...(passes(attack) !== undefined ?",
    test: HEALTH_TEST,
    killedBy: "is not shown with gates straight-through",
  },
  {
    name: "audit/surrogates-disagree-within-intervals",
    find: "if (strongest <= weakest) return 0;",
    replace: "if (strongest < 0) return 0;",
    test: HEALTH_TEST,
    killedBy: "is not shown within the intervals of both",
  },
  {
    name: "audit/surrogates-disagree-on-all",
    find: "new Set(reached).size > 1",
    replace: "reached.length > 1",
    test: HEALTH_TEST,
    killedBy: "is the share of samples that only one surrogate reaches",
  },
  {
    name: "audit/surrogates-disagree-among-tried",
    find: "new Set(reached).size > 1).length / eligible.length",
    replace: "new Set(reached).size > 1).length / tried.length",
    test: HEALTH_TEST,
    killedBy: "counts samples that were not tried with several surrogates",
  },
  {
    name: "audit/gates-weaker-in-another-ball",
    find: "sameBall(record, o) && passes(o) !== passes(record)",
    replace: "passes(o) !== passes(record)",
    test: HEALTH_TEST,
    killedBy: "is not shown within the intervals, in another ball",
  },
  {
    name: "audit/gates-weaker-with-the-same-surrogate",
    find: "sameBall(record, o) && passes(o) !== passes(record)",
    replace: "sameBall(record, o)",
    test: HEALTH_TEST,
    killedBy: "is not shown within the intervals, in another ball",
  },
];
