/** @file Mutants of how thresholds and temperatures are found. */
const BY_HAND_TEST = "test/dynamic/choose/by-hand.test.ts";
const CALIBRATE_TEST = "test/dynamic/choose/calibrate.long.test.ts";
const SEARCH_TEST = "test/dynamic/choose/search.test.ts";
const TEMPERATURE_TEST = "test/dynamic/choose/temperature.test.ts";

export const CALIBRATION = [
  {
    name: "dynamic/cost-sum-of-one",
    find: "sum += count * costs[exit]",
    replace: "sum += costs[exit]",
    test: BY_HAND_TEST,
    killedBy: "every operating point is where counting puts it",
  },
  {
    name: "dynamic/cost-sum-total",
    find: "return sum / sizes[set];",
    replace: "return sum;",
    test: BY_HAND_TEST,
    killedBy: "every operating point is where counting puts it",
  },
  {
    name: "dynamic/tally-right-of-final",
    find: "right[exit][row]",
    replace: "right.at(-1)[row]",
    test: BY_HAND_TEST,
    killedBy: "every operating point is where counting puts it",
  },
  {
    name: "dynamic/stop-past-score",
    find: "readings.scores[exit][sample] >= bars[exit]",
    replace: "readings.scores[exit][sample] > bars[exit]",
    test: BY_HAND_TEST,
    killedBy: "every operating point is where counting puts it",
  },
  {
    name: "dynamic/candidates-without-never",
    find: "[...thinned(seen, CANDIDATES), never]",
    replace: "thinned(seen, CANDIDATES)",
    test: BY_HAND_TEST,
    killedBy: "every operating point is where counting puts it",
  },
  {
    name: "dynamic/candidates-half",
    find: "const CANDIDATES = 500;",
    replace: "const CANDIDATES = 250;",
    test: CALIBRATE_TEST,
    killedBy: "many confidences are thinned out",
  },
  {
    name: "dynamic/calibrated-patience-run",
    find: "run = label === readings[exit - 1]?.label ? run + 1 : 1;",
    replace: "run = run + 1;",
    test: BY_HAND_TEST,
    killedBy: "counts exits in a row that agree",
  },
  {
    name: "dynamic/final-right-of-fallback",
    find: "finalRight += Number(readings[exits - 1]?.label === labels[i]);",
    replace: "finalRight += right[exits - 1][i];",
    test: CALIBRATE_TEST,
    killedBy: "an accuracy that the fallback most-confident never reaches",
  },
  {
    name: "dynamic/per-exit-ignored",
    find: 'request.thresholds === "per-exit" ? perExit(problem, never, uniform, goal).map(named) : []',
    replace: "[]",
    test: SEARCH_TEST,
    killedBy: "save where one exit is sure of what it gets wrong",
  },
  {
    name: "dynamic/temperature-inverse",
    find: "return 1 / root(slopes, 1 / most, 1 / least);",
    replace: "return root(slopes, 1 / most, 1 / least);",
    test: TEMPERATURE_TEST,
    killedBy: "is the closed form where one logit leads by 3",
  },
  {
    name: "dynamic/temperature-label",
    find: "first += mean - (row[label] - top);",
    replace: "first += mean;",
    test: TEMPERATURE_TEST,
    killedBy: "is the closed form where one logit leads by 3",
  },
  {
    name: "dynamic/temperature-range",
    find: "const TEMPERATURE_RANGE = [0.01, 100]",
    replace: "const TEMPERATURE_RANGE = [0.01, 6]",
    test: TEMPERATURE_TEST,
    killedBy: "is the closed form where one logit leads by 8",
  },
  {
    name: "dynamic/temperature-of-nothing",
    find: "if (samples.length === 0) return 1;",
    replace: "if (samples.length === 0) return 0;",
    test: TEMPERATURE_TEST,
    killedBy: "stays in its range where there is no minimum",
  },
];
