/** @file Prints the progress of `dynn train`, and gives the facts of its report. */
import { counted } from "../../core/units.js";
import type { EpochReport } from "../../schema/training.js";
import type { StepReport } from "../../training/recipe/config.js";
import type { TrainingState } from "../../training/step/state.js";
import type { PhaseProgress } from "../shared/progress.js";

const wholePercents = (shares: readonly number[]): string =>
  `${shares.map((share) => Math.round(100 * share)).join(" ")} %`;

/** The number of steps over which the shown accuracy and speed are taken. */
const RECENT = 50;

/** Follows the steps of a run. Each step gives a progress line.
 * @param now a clock in milliseconds */
export function stepLines(now: () => number): (report: StepReport) => PhaseProgress {
  const recent: { readonly report: StepReport; readonly at: number }[] = [];
  return (report) => {
    const at = now();
    recent.push({ report, at });
    if (recent.length > RECENT) recent.shift();
    const mean = (of: (step: StepReport) => number): number =>
      recent.reduce((sum, step) => sum + of(step.report), 0) / recent.length;
    const accuracy = report.accuracy.map((_, k) => mean((step) => step.accuracy[k]));
    // Measured from the end of one step to the end of another: the time before the first step is
    // not training.
    const seconds = (at - (recent[0]?.at ?? at)) / 1000;
    const images = recent.slice(1).reduce((sum, step) => sum + step.report.images, 0);
    const speed = seconds > 0 ? `  ${counted(Math.round(images / seconds), "image")}/s` : "";
    return {
      phase: "training",
      name: `epoch ${report.epoch + 1}/${report.epochs}`,
      note: `  loss ${mean((step) => step.loss).toFixed(3)}  ${wholePercents(accuracy)}${speed}`,
      done: report.totalStep,
      total: report.stepsPerEpoch * report.epochs,
      from: report.totalStep - 1,
    };
  };
}

/** One line for each epoch. The losses are plain cross-entropies, one per exit. The loss of a
 * recipe has weights that change, so it may rise while the network gets better. */
export const epochLine = (report: EpochReport, epochs: number): string =>
  `epoch ${String(report.epoch + 1).padStart(String(epochs).length)}/${epochs}  loss ${report.exitLosses.map((loss) => loss.toFixed(2)).join(" ")}  train ${wholePercents(report.trainAccuracy)}  validation ${wholePercents(report.validationAccuracy)}  ${counted(Math.round(report.imagesPerSecond), "image")}/s\n`;

/** The position of a run: "epoch 3, step 20". */
export const placeOf = ({ epoch, step }: TrainingState): string =>
  step === 0 ? `the end of epoch ${epoch}` : `epoch ${epoch + 1}, step ${step}`;
