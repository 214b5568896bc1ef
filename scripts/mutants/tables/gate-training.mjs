/** @file Mutants of gates: surrogates, the loss of open gates, noise, halting, and masks in the blocked layout. */
const SURROGATES_TEST = "test/autodiff/gates.test.ts";
const STEP_TEST = "test/training/gates/step.long.test.ts";
const HALTING_TEST = "test/training/gates/halting.long.test.ts";
const ATTACH_TEST = "test/training/gates/attach.long.test.ts";
const SAMPLES_TEST = "test/runtime/blocked-samples.long.test.ts";

export const GATE_TRAINING = [
  {
    name: "gates/rest-has-gradient",
    find: "else if (gate) constants.add(straightThrough(b, node, gate, slope));",
    replace: "else if (gate) straightThrough(b, node, gate, slope);",
    test: SURROGATES_TEST,
    killedBy: "straight through is the difference along the soft path",
  },
  {
    name: "gates/surrogate-without-slope",
    find: 'const scaled = slope === 1 ? from : b.op("Mul", [from, b.scalar(slope)]);',
    replace: "const scaled = from;",
    test: SURROGATES_TEST,
    killedBy: "slope * s(1 - s)",
  },
  {
    name: "gates/surrogate-without-threshold",
    find: 'const from = threshold === 0 ? score : b.op("Sub", [score, b.scalar(threshold)]);',
    replace: "const from = score;",
    test: SURROGATES_TEST,
    killedBy: "follows a threshold",
  },
  {
    name: "gates/first-block-gated",
    find: "blocks.slice(1).filter(({ identity }) =>",
    replace: "blocks.filter(({ identity }) =>",
    test: ATTACH_TEST,
    killedBy: "stand on every block of one size but the first",
  },
  {
    name: "gates/budget-counts-blocks-alike",
    find: "gates.map(({ macs }) => macs / all)",
    replace: "gates.map(() => 1 / gates.length)",
    test: STEP_TEST,
    killedBy: "adds the loss of its gates",
  },
  {
    name: "gates/budget-without-upper-bound",
    find: 'b.op("Add", [above, below])',
    replace: 'b.op("Add", [below, below])',
    test: STEP_TEST,
    killedBy: "adds the loss of its gates",
  },
  {
    name: "gates/decay",
    find: "const decay = !GATE_PARAMETER.test(group[0]) && (config.decayAll || shapeIn(graph, group[0]).length > 1);",
    replace: "const decay = config.decayAll || shapeIn(graph, group[0]).length > 1;",
    test: STEP_TEST,
    killedBy: "never lets parameters of gates decay",
  },
  {
    name: "gates/noise-by-row",
    find: 'logistic({ seed, sample, purpose: "gate", step: done }, count)',
    replace: 'logistic({ seed, sample: row, purpose: "gate", step: done }, count)',
    test: STEP_TEST,
    killedBy: "hangs on the seed, the record and the step",
  },
  {
    name: "gates/noise-normal-scale",
    find: "return Math.log(u) - Math.log(1 - u);",
    replace: "return 0.5 * (Math.log(u) - Math.log(1 - u));",
    test: STEP_TEST,
    killedBy: "opens a gate of score z with probability sigmoid(z)",
  },
  {
    name: "gates/noise-to-the-end",
    find: "noise: progress < 1 - quiet ? 1 - progress / (1 - quiet) : 0,",
    replace: "noise: Math.max(0.1, 1 - progress / (1 - quiet)),",
    test: STEP_TEST,
    killedBy: "shrinks the noise, and ends it in the last fifth",
  },
  {
    name: "gates/noise-of-one-size",
    find: "noise: progress < 1 - quiet ? 1 - progress / (1 - quiet) : 0,",
    replace: "noise: progress < 1 - quiet ? 1 : 0,",
    test: STEP_TEST,
    killedBy: "shrinks the noise, and ends it in the last fifth",
  },
  {
    name: "gates/bounds-without-floor",
    find: "[Math.min(floor, target), Math.max(1 - floor, target)]",
    replace: "[0 * floor, 1]",
    test: STEP_TEST,
    killedBy: "relaxes bounds from the target to the floor",
  },
  {
    name: "gates/features-not-normalised",
    find: 'batchNorm(at, "bn", linear(hidden, hidden.path, averaged(at, x), HIDDEN))',
    replace: "linear(hidden, hidden.path, averaged(at, x), HIDDEN)",
    test: ATTACH_TEST,
    killedBy: "a pooled gate tells images apart",
  },
  {
    name: "gates/halting-share-without-rest",
    find: 'const rest = this.#left === undefined ? stops : b.op("Mul", [stops, this.#left]);',
    replace: "const rest = stops;",
    test: HALTING_TEST,
    killedBy: "gives the sum of the blocks' outputs with their shares",
  },
  {
    name: "gates/ponder-without-remainder",
    find: "return add(flat.reduce(add, one), remainders.reduce(add));",
    replace: "return add(flat.reduce(add, one), one);",
    test: HALTING_TEST,
    killedBy: "pays for blocks and remainders of all stages",
  },
  {
    name: "blocked/rows-of-parts",
    find: "const whole = l.shape(which).length === 2 && l.shape(which)[1] === 1;",
    replace: "const whole = true;",
    test: SAMPLES_TEST,
    killedBy: "that are added, or are parts of a sample, stay plain",
  },
  {
    name: "blocked/sum-of-sample-channels-only",
    find: 'const rows = reduceOver(l, "ReduceSum", reshaped(l, sums, [samples, channels]), 1);',
    replace: 'const rows = reduceOver(l, "ReduceMean", reshaped(l, sums, [samples, channels]), 1);',
    test: SAMPLES_TEST,
    killedBy: "of images and of products that are not made",
  },
];
