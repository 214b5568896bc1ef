/** @file "In short" of a calibration: what the chosen thresholds reach on test records, what they
 *  cost, and whether that is what was asked for. */
import type { CalibrationRecord } from "../../schema/calibration-record.js";
import * as write from "../shared/format.js";

/** Three or four sentences. */
export const calibrationShort = (record: CalibrationRecord): string[] => [
  reached(record),
  price(record),
  target(record),
  ...underAttack(record),
];

const reached = ({ test }: CalibrationRecord): string =>
  `On ${write.samples(test.samples)} of the test the chosen policy is right on ${write.rate(test.accuracy)} for ${write.percent(test.meanCostFraction.value)} of the full cost.`;

function price({ test, exits }: CalibrationRecord): string {
  const final = exits[exits.length - 1].test.accuracy;
  const lost = final.value - test.accuracy.value;
  const saved = `It saves ${write.percent(1 - test.meanCostFraction.value)} of the cost`;
  if (Math.abs(lost) < 0.0005)
    return `${saved} and is as accurate as the final exit alone (${write.percent(final.value)}).`;
  return `${saved} and is ${write.points(Math.abs(lost))} ${lost > 0 ? "less" : "more"} accurate than the final exit alone (${write.percent(final.value)}).`;
}

/** What was asked for, beside what the test records give. */
function target({ target: asked, test, exits }: CalibrationRecord): string {
  const final = exits[exits.length - 1].test.accuracy.value;
  switch (asked.kind) {
    case "rad":
      return `Asked: at least ${write.percent(1 - asked.loss)} of the final exit's accuracy. Found on test records: ${final > 0 ? write.percent(test.accuracy.value / final) : "no accuracy to keep"}.`;
    case "budget":
      return `Asked: a mean cost of at most ${write.percent(asked.cost)}. Found on test records: ${write.percent(test.meanCostFraction.value)}.`;
    case "latency":
      return `Asked: a mean time of at most ${asked.milliseconds} ms. Found on test records: ${test.meanMilliseconds ? `${Number(test.meanMilliseconds.value.toPrecision(3))} ms` : "not measured"}.`;
  }
}

function underAttack({ worstCase }: CalibrationRecord): string[] {
  if (worstCase === undefined) return [];
  return [
    `Under the attack ${worstCase.attack} the bounds ${worstCase.held ? "hold" : "do not hold"}: mean cost ${write.percent(worstCase.test.meanCost.value)}, accuracy ${write.percent(worstCase.test.accuracy.value)} on test records.`,
  ];
}
