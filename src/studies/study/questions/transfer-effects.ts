/** @file The effects of surrogate and target on transfer, with intervals: of the samples in a
 *  block, and over blocks. Source: docs/study.md, claim C1; Student, Biometrika 6, 1908. */
import { tTest } from "../../../measures/statistics/index.js";
import type { Estimate, OverallEffects, TransferEffects } from "../../../schema/study/record.js";
import { mean } from "./question.js";

/** The mean of numbers with the interval of t. A single number has no interval. */
export function estimateOf(values: readonly number[]): Estimate {
  if (values.length < 2) return { value: mean(values), low: null, high: null };
  const { low, high } = tTest(values);
  return { value: mean(values), low, high };
}

/** Mean and interval of the differences of two rates on the same samples. */
export const differenceOf = (of: readonly number[], minus: readonly number[]): Estimate =>
  estimateOf(of.map((value, i) => value - minus[i]));

const kindOf = ({ attack, objective, radius }: TransferEffects): string => JSON.stringify([attack, objective, radius]);

/** The effects of each attack over all blocks that have them. The block is the unit. */
export function overallOf(effects: readonly TransferEffects[]): OverallEffects[] {
  return [...new Set(effects.map(kindOf))].map((kind) => {
    const own = effects.filter((each) => kindOf(each) === kind);
    const [{ attack, objective, radius }] = own;
    const over = (field: "asymmetry" | "surrogate" | "target"): Estimate | null => {
      const values = own.flatMap((each) => each[field]?.value ?? []);
      return values.length === 0 ? null : estimateOf(values);
    };
    const asymmetry = estimateOf(own.map((each) => each.asymmetry.value));
    const rest = { surrogate: over("surrogate"), target: over("target"), blocks: own.length };
    return { attack, objective, radius, asymmetry, ...rest };
  });
}
