/** @file Mutants of the effects of surrogate and target on transfer. */
const RECORD_TEST = "test/studies/study/record.long.test.ts";

export const STUDY_EFFECTS = [
  {
    name: "study-effects/surrogate-pair",
    find: "surrogate: ss === undefined ? null : differenceOf(ds, ss)",
    replace: "surrogate: ss === undefined ? null : differenceOf(ds, sd.map((each) => 1 - each))",
    test: RECORD_TEST,
    killedBy: "has the effects of surrogate and target with intervals, in a block and over blocks",
  },
  {
    name: "study-effects/unpaired",
    find: "estimateOf(of.map((value, i) => value - minus[i]))",
    replace: "estimateOf(of.map((value, i) => value - minus[(7 * i + 3) % minus.length]))",
    test: RECORD_TEST,
    killedBy: "has the effects of surrogate and target with intervals, in a block and over blocks",
  },
  {
    name: "study-effects/lacking-as-zero",
    find: "own.flatMap((each) => each[field]?.value ?? [])",
    replace: "own.map((each) => each[field]?.value ?? 0)",
    test: RECORD_TEST,
    killedBy: "has effects over blocks whose interval is that of t over blocks",
  },
];
