/** @file "In short" of a training run: the accuracy of its exits, and whether it overfits or still
 *  learns. */
import { counted } from "../../core/units.js";
import { wilson } from "../../measures/wilson.js";
import type { TrainingRecord } from "../../schema/training.js";
import * as write from "../shared/format.js";
import { gateSentences } from "./gates.js";

/** A training accuracy that is this much above the validation accuracy is called overfitting. */
const GAP = 0.1;

/** Two to four sentences. */
export const trainingShort = (record: TrainingRecord): string[] => [
  finalExit(record),
  ...earlyExits(record),
  ...gateSentences(record),
  ...bestEpoch(record),
  ...overfit(record),
];

const lastOf = ({ epochs }: TrainingRecord) => epochs[epochs.length - 1];

function finalExit(record: TrainingRecord): string {
  const { exits, epochs, planned, test, validationCount } = record;
  const final = exits.length - 1;
  if (test)
    return `On ${write.samples(test[final].count)} of the test the final exit is right on ${write.rate(wilson(test[final].right, test[final].count))}.`;
  const reached = write.rate(write.rateOf(lastOf(record).validationAccuracy[final], validationCount));
  const progress =
    epochs.length < planned ? `${epochs.length} of ${counted(planned, "epoch")}` : counted(planned, "epoch");
  return `After ${progress} the final exit is right on ${reached} of the ${write.samples(validationCount)} for validation.`;
}

function earlyExits(record: TrainingRecord): string[] {
  const accuracies = lastOf(record).validationAccuracy.slice(0, -1);
  if (accuracies.length === 0) return [];
  const best = accuracies.indexOf(Math.max(...accuracies));
  const first = `The first early exit, ${record.exits[0]}, is right on ${write.percent(accuracies[0])} of the validation samples`;
  return [
    best === 0
      ? `${first}${accuracies.length > 1 ? ", and no other early exit is better" : ""}.`
      : `${first}; the best, ${record.exits[best]}, on ${write.percent(accuracies[best])}.`,
  ];
}

/** Where the final exit was best, and whether it got better at the end. */
function bestEpoch({ epochs, exits }: TrainingRecord): string[] {
  if (epochs.length < 3) return [];
  const accuracies = epochs.map((e) => e.validationAccuracy[exits.length - 1]);
  const best = accuracies.indexOf(Math.max(...accuracies));
  if (best === epochs.length - 1)
    return ["Its validation accuracy was highest after the last epoch: a longer run may be more accurate."];
  return [
    `Its validation accuracy was highest after epoch ${best + 1} of ${epochs.length}, at ${write.percent(accuracies[best])}.`,
  ];
}

function overfit(record: TrainingRecord): string[] {
  const { trainAccuracy, validationAccuracy } = lastOf(record);
  const final = record.exits.length - 1;
  const gap = trainAccuracy[final] - validationAccuracy[final];
  if (gap < GAP) return [];
  return [
    `The final exit overfits: it is right on ${write.percent(trainAccuracy[final])} of the training images, ${write.points(gap)} more than on validation samples.`,
  ];
}
