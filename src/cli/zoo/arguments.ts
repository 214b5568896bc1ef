/** @file The calls of `dynn train` that make a network of the zoo. */
import type { ZooNetwork } from "../../schema/zoo.js";

/** Where the files of a network are while it is trained. */
export interface TrainingPlace {
  /** The path of the last run's file, without .onnx. */
  readonly stem: string;
  /** The folder of the data. */
  readonly data: string;
  /** The file whose weights the first run begins with. */
  readonly init: string | undefined;
}

/** The path of a run's files, without .onnx. The last run has the network's own name. */
export const stemOf = ({ stem }: Pick<TrainingPlace, "stem">, run: number, runs: number): string =>
  run === runs - 1 ? stem : `${stem}-${run + 1}`;

/** The arguments of each run, in order. */
export function trainArguments(network: ZooNetwork, place: TrainingPlace): string[][] {
  const { architecture, width, recipe, runs, data } = network;
  return runs.map((run, i) => {
    const { epochs, seed, threads, learningRate, weightDecay, batch, exits, backboneGradient } = run;
    const init = i === 0 ? place.init : `${stemOf(place, i - 1, runs.length)}.onnx`;
    const pairs: readonly (readonly [string, string | number | undefined])[] = [
      ["--recipe", recipe],
      ["--width", width === 1 ? undefined : width],
      ["--exits", exits],
      ["--trunk-gradient", backboneGradient],
      ["--eps", run.attack?.radius],
      ["--attack-step", run.attack?.stepSize],
      ["--attack-steps", run.attack?.steps],
      ["--attack-weight", run.attack?.weight],
      ["--gates-target", run.gates?.target],
      ["--gates-weight", run.gates?.weight],
      ["--epochs", epochs],
      ["--seed", seed],
      ["--lr", learningRate],
      ["--weight-decay", weightDecay],
      ["--batch", batch],
      ["--threads", threads],
      ["--init", init],
      ["--data", `${data}:${place.data}`],
      ["--out", `${stemOf(place, i, runs.length)}.onnx`],
    ];
    return [
      architecture,
      ...pairs.flatMap(([flag, value]) => (value === undefined ? [] : [flag, String(value)])),
      "--resume",
    ];
  });
}
