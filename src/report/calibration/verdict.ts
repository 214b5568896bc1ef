/** @file The verdict of a calibration in sentences. Read by: cli, the report of a calibration. */
import type { CalibrationRecord } from "../../schema/calibration-record.js";
import { targetWords } from "../../schema/target.js";
import * as write from "../shared/format.js";
import { type Kept, keptOf, keptWords, lossWords, speedWords, workWords } from "../shared/verdict.js";

/** The verdict: speed where it was measured, loss of accuracy and work, then whether the target is
 * kept on the test records, and what to do where it is not. */
export function calibrationVerdict(record: CalibrationRecord): string[] {
  const { test, speeds, target, exits } = record;
  const loss = test.lost ? `, ${lossWords(test.lost)}` : "";
  const work = workWords(test.meanCostFraction);
  const timed = (speeds?.batches ?? []).map(({ batch, speedUp }) => `At batch ${batch}: ${speedWords(speedUp)}`);
  const [first = work, ...others] = timed;
  const lead = [`${first}${loss}.`, ...others.map((text) => `${text}.`)].join(" ");
  return [
    timed.length > 0 ? lead : `${lead} Times were not measured.`,
    `${timed.length > 0 ? `On ${write.samples(test.samples)}: ${work} than the full network. ` : ""}Asked for: ${targetWords(target)}${exits.length > 1 ? "" : ", by its gates"}. ${keptWords(keptIn(record), "on the test records")}`,
    ...underAttack(record),
    ...adviceOf(record),
  ];
}

function underAttack({ worstCase }: CalibrationRecord): string[] {
  if (worstCase === undefined) return [];
  return [
    `Under the attack ${worstCase.attack} the bounds ${worstCase.held ? "hold" : "do not hold"}: mean cost ${write.percent(worstCase.test.meanCost.value)}, accuracy ${write.percent(worstCase.test.accuracy.value)} on test records.`,
  ];
}

/** Whether the target holds on the test records. */
function keptIn({ target, test, exits }: CalibrationRecord): Kept | undefined {
  const { lost, meanCostFraction, meanMilliseconds } = test;
  switch (target.kind) {
    case "rad": {
      const final = lost ? test.accuracy.value + lost.value : (exits.at(-1)?.test.accuracy.value ?? 0);
      return lost && keptOf(lost, target.loss * final);
    }
    case "drop":
      return lost && keptOf(lost, target.points);
    case "budget":
      return keptOf(meanCostFraction, target.cost);
    case "latency":
      return meanMilliseconds && keptOf(meanMilliseconds, target.milliseconds);
  }
}

function adviceOf(record: CalibrationRecord): string[] {
  const { test, data, validation } = record;
  const few = data.validation.samples < 200;
  const kept = keptIn(record);
  return [
    ...(kept === "missed" || kept === "perhaps missed"
      ? [
          few
            ? `${validation.samples} validation records are few to choose thresholds on. Give more, or ask for a bit more accuracy than you need: \`dynn calibrate --target keep:97%\`.`
            : `Thresholds fit the records that they are chosen on a little too well. Ask for a bit more accuracy than you need: \`dynn calibrate --target keep:97%\`.`,
        ]
      : []),
    ...(test.meanCostFraction.value > 0.97
      ? [
          "Hardly any work is saved: the early exits are too weak for this target. Allow a larger loss, or train the heads further.",
        ]
      : []),
  ];
}
