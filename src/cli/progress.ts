/** @file Progress on standard error: one bar per phase with an ETA, only on a terminal. */
import progress, { type Options, type Params } from "cli-progress";
import type { Progress } from "../studies/audit/index.js";

/** One phase as a line; there is no ETA before something is done. */
const line = (
  options: Options,
  { progress: share, value, total, eta }: Params,
  { name }: { readonly name: string },
): string =>
  `${name.padEnd(33)} ${progress.Format.BarFormat(share, options)} ${value}/${total}  ETA ${value === 0 ? "?" : progress.Format.TimeFormat(eta, options, 1)}`;

/** Draws phases as they come; call `stop` when the work ends, however it ends. */
export class ProgressBar {
  #bar: progress.SingleBar | undefined;
  #phase = "";

  constructor() {
    process.once("exit", this.stop);
  }

  readonly update = ({ phase, done, total }: Progress): void => {
    if (!process.stderr.isTTY) return;
    if (phase !== this.#phase) this.#begin(phase, total);
    this.#bar?.update(done);
  };

  /** Remove the bar and show the cursor again. */
  readonly stop = (): void => {
    process.off("exit", this.stop);
    this.#end();
  };

  #begin(phase: string, total: number): void {
    this.#end();
    this.#phase = phase;
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
    this.#bar.start(total, 0, { name: phase });
  }

  #end(): void {
    this.#bar?.stop();
    this.#bar = undefined;
    this.#phase = "";
  }
}
