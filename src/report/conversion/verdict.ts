/** @file The verdict of a conversion in sentences, and what to try next. Read by: cli, the report
 *  of a conversion. */
import { counted } from "../../core/units.js";
import type { ConversionRecord } from "../../schema/conversion-record.js";
import { targetWords } from "../../schema/target.js";
import * as write from "../shared/format.js";
import { keptOf, keptWords, lossWords, speedOf, speedWords, workWords } from "../shared/verdict.js";

type Exit = ConversionRecord["exits"][number];
type Outcome = NonNullable<ConversionRecord["outcome"]>;

/** Below this saving a network is not called faster. */
const LEAST_SAVING = 0.01;

/** Whether the policy leaves out work. */
export const saves = ({ outcome }: ConversionRecord): boolean =>
  outcome !== null && outcome.meanCostFraction.value < 1 - LEAST_SAVING;

/** The verdict: speed, loss of accuracy and work, or why no policy makes the network faster. */
export function conversionVerdict(record: ConversionRecord): string[] {
  const { outcome } = record;
  const first =
    outcome === null ? [withoutPolicy(record)] : saves(record) ? faster(record, outcome) : [notFaster(record)];
  return [...first, ...learned(record)];
}

const withoutPolicy = ({ exits }: ConversionRecord): string =>
  `${counted(exits.length - 1, "early exit")} added. No policy was asked for, so every image uses the final exit until dynn calibrate chooses thresholds.`;

function faster(record: ConversionRecord, outcome: Outcome): string[] {
  const { speeds } = record;
  const [at = workWords(outcome.meanCostFraction), ...others] = (speeds?.batches ?? []).map(
    ({ batch, speedUp }) => `At batch ${batch}: ${speedWords(speedUp)}`,
  );
  const lead = [`${at}, ${lossWords(outcome.lost)}.`, ...others.map((text) => `${text}.`)].join(" ");
  return [lead, `${workWords(outcome.meanCostFraction)} ${judgedOn(outcome)}. ${asked(record, outcome)}`];
}

const judgedOn = ({ records, samples }: Outcome): string =>
  records === "test"
    ? `on ${samples} test images, which neither heads nor thresholds have seen`
    : `on ${samples} validation images, each answered under thresholds that other images chose`;

function asked(record: ConversionRecord, outcome: Outcome): string {
  const { target, confidence } = record;
  if (target === null) return "";
  const sure = confidence === undefined ? "" : `, with a probability of ${write.percent(confidence)}`;
  return `Asked for: ${targetWords(target)}${sure}. ${keptWords(keptIn(record, outcome), "on these images")}`;
}

function keptIn({ target }: ConversionRecord, { lost, final, meanCostFraction }: Outcome) {
  switch (target?.kind) {
    case "rad":
      return keptOf(lost, target.loss * final.value);
    case "drop":
      return keptOf(lost, target.points);
    case "budget":
      return keptOf(meanCostFraction, target.cost);
    case "latency":
    case undefined:
      return undefined;
  }
}

/** The early exit that is most often right. */
const bestExit = ({ exits }: ConversionRecord): Exit | undefined =>
  exits
    .slice(0, -1)
    .reduce<Exit | undefined>((a, b) => (a && a.validation.value >= b.validation.value ? a : b), undefined);

function notFaster(record: ConversionRecord): string {
  const { exits, target, data } = record;
  const [best, final] = [bestExit(record), exits[exits.length - 1]];
  const weak = best
    ? `The best early exit, ${best.name} at ${write.percent(best.costFraction)} of the cost, is right on ${write.percent(best.validation.value)} of the validation images, the final exit on ${write.percent(final.validation.value)}.`
    : "";
  const limit = target
    ? ` No threshold is ${targetWords(target).replace(/^the cheapest that /, "one that ")} on ${data.validation.count} validation images and saves work${record.confidence ? `, with a probability of ${write.percent(record.confidence)} on others` : ""}.`
    : "";
  return `No faster network: every image uses the final exit. ${weak}${limit}`;
}

/** Heads that are this much more often right on the images that they learned from saw too few. */
const GAP = 0.1;
/** Fewer images of a class are few. */
const FEW_PER_CLASS = 100;
/** Fewer steps are few. */
const FEW_STEPS = 300;

/** How much more often early exits are right on images that they learned from, as a mean. */
const gapOf = ({ exits }: ConversionRecord): number => {
  const early = exits.slice(0, -1);
  return early.reduce((sum, { train, validation }) => sum + train - validation.value, 0) / Math.max(1, early.length);
};

/** Whether the heads saw too few images. */
const sawFew = (record: ConversionRecord): boolean =>
  gapOf(record) > GAP || record.data.train.count < FEW_PER_CLASS * record.model.classes;

/** Why the heads saw too little. Empty when they did not. */
function tooLittle(record: ConversionRecord): string[] {
  const { data, training, model } = record;
  const gap = gapOf(record);
  return [
    ...(training.steps < FEW_STEPS ? [`${training.steps} steps are few`] : []),
    ...(gap > GAP
      ? [`the early exits are right on ${write.points(gap)} more of the images that they learned from than of others`]
      : []),
    ...(gap <= GAP && sawFew(record) ? [`${Math.round(data.train.count / model.classes)} images of each class`] : []),
  ];
}

/** What the heads learned from. */
function learned(record: ConversionRecord): string[] {
  const { data, training } = record;
  const early =
    training.bestStep < training.steps
      ? `, of which the first ${training.bestStep} are kept: they were best on the validation images`
      : "";
  const saw = `The heads learned from ${data.train.count} images in ${training.steps} steps${early}.`;
  const why = tooLittle(record);
  return why.length === 0 ? [saw] : [`${saw} That is too little to learn from: ${why.join("; ")}.`];
}

/** What to try next, the most useful first. */
export function conversionAdvice(record: ConversionRecord): string[] {
  const { data, target, speeds, outcome, training } = record;
  const unsure = speeds?.batches.some(({ speedUp }) => speedOf(speedUp) !== "faster") === true;
  const isLoss = target?.kind === "rad" || target?.kind === "drop";
  const lasted = training.steps === training.planned && training.bestStep > 0.9 * training.steps;
  return [
    ...(sawFew(record) ? ["More images. They help weak exits most."] : []),
    ...(isLoss && !saves(record) && outcome ? [`A larger loss: \`dynn convert --target keep:90%\`.`] : []),
    ...(isLoss && data.validation.count < 200
      ? [
          `More validation images, as a larger share or from other data: ${data.validation.count} show a small loss only with a wide margin.`,
        ]
      : []),
    ...(training.steps < FEW_STEPS && !lasted ? [`A longer training: \`dynn convert --steps 1000\`.`] : []),
    ...(lasted
      ? [
          `A longer training, as validation still improved at the end: \`dynn convert --steps ${Math.max(1000, 2 * training.planned)}\`.`,
        ]
      : []),
    ...(saves(record) && unsure
      ? [
          `Exits where they save time on this machine: \`dynn convert --cost time\`. Work is saved, but not surely time.`,
        ]
      : []),
    ...(data.test === null && outcome
      ? [`Figures on images that neither heads nor thresholds have seen: \`dynn convert --test folder:OTHERS\`.`]
      : []),
  ];
}
