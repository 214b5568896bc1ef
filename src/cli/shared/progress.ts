/** @file Shows progress on standard error: one bar per phase with an ETA, only on a terminal. */
import progress, { type Options, type Params } from "cli-progress";
import type { Progress } from "../../studies/audit/index.js";

/** A phase with its current name, the note behind the bar, and the amount of work that was done
 * before this run. */
export interface PhaseProgress extends Progress {
  readonly name?: string;
  readonly note?: string;
  readonly from?: number;
}

interface Shown {
  readonly name: string;
  readonly note: string;
  readonly from: number;
}

/** One phase as a line. It has no ETA before the first unit of work is done. */
const line = (options: Options, { progress: share, value, total, eta }: Params, { name, note, from }: Shown): string =>
  `${name} ${progress.Format.BarFormat(share, options)} ${value}/${total}  ETA ${value === from ? "?" : progress.Format.TimeFormat(eta, options, 1)}${note}`;

const shown = ({ phase, name = phase.padEnd(33), note = "", from = 0 }: PhaseProgress): Shown => ({ name, note, from });

/** Run work that reports its progress. The bar disappears at the end, also after an error.
 * @param work called with the function that reports progress */
export async function withProgress<T>(work: (update: (now: PhaseProgress) => void) => Promise<T>): Promise<T> {
  const bar = new ProgressBar();
  try {
    return await work(bar.update);
  } finally {
    bar.stop();
  }
}

/** Draws phases as they come. Call `stop` when the work ends, also after an error. */
export class ProgressBar {
  #bar: progress.SingleBar | undefined;
  #phase = "";

  constructor() {
    process.once("exit", this.stop);
  }

  readonly update = (now: PhaseProgress): void => {
    if (!process.stderr.isTTY) return;
    if (now.phase !== this.#phase) this.#begin(now);
    this.#bar?.update(now.done, shown(now));
  };

  /** Remove the bar and show the cursor again. */
  readonly stop = (): void => {
    process.off("exit", this.stop);
    this.#end();
  };

  #begin(first: PhaseProgress): void {
    this.#end();
    this.#phase = first.phase;
    this.#bar = new progress.SingleBar({
      stream: process.stderr,
      clearOnComplete: true,
      hideCursor: true,
      format: line,
      barCompleteChar: "█",
      barIncompleteChar: "░",
      barsize: 20,
      etaBuffer: 50,
    });
    this.#bar.start(first.total, first.from ?? 0, shown(first));
  }

  #end(): void {
    this.#bar?.stop();
    this.#bar = undefined;
    this.#phase = "";
  }
}
