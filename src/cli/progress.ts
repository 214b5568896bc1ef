/** @file Progress on standard error: one bar per phase with an ETA, only on a terminal. */
import { SingleBar } from "cli-progress";
import type { Progress } from "../studies/audit/index.js";

/** Draws phases as they come; call `stop` when the work ends, however it ends. */
export class ProgressBar {
  #bar: SingleBar | undefined;
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
    this.#bar = new SingleBar({
      stream: process.stderr,
      clearOnComplete: true,
      hideCursor: true,
      format: "{name} {bar} {value}/{total}  ETA {eta_formatted}",
      barCompleteChar: "█",
      barIncompleteChar: "░",
      barsize: 20,
      etaBuffer: 50,
    });
    this.#bar.start(total, 0, { name: phase.padEnd(33) });
  }

  #end(): void {
    this.#bar?.stop();
    this.#bar = undefined;
    this.#phase = "";
  }
}
