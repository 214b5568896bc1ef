/** @file What `--keep` compares before it adds images to a folder, and what Ctrl-C says of it. */
import { VERSION } from "../../core/version.js";
import type { KeptRun, KeptStore } from "../../node/kept.js";
import type { Made } from "../../schema/made.js";
import type { AuditOptions } from "../../studies/audit/index.js";
import { Interrupted } from "../shared/interrupt.js";

/** The flags of the call. All decide which images it finds, but for those without effect. */
interface KeepFlags {
  readonly seed: number;
  readonly seeds: number;
}

/** Flags that do not decide which images an attack finds. The others are compared before images are
 * kept beside those of an earlier call. */
const WITHOUT_EFFECT = [
  ...["batch", "threads", "json", "report", "records", "table", "jsonSamples", "keep", "baseline", "fixedBlocks"],
  ...["attacks", "attackFile", "eps", "radii", "curveSteps", "seeds"],
  // These have a place of their own.
  ...["data", "samples", "seed"],
];

/** The run of a call, as a folder of kept images knows it. */
export function keptRun(
  flags: KeepFlags,
  { attacks, model, data }: Pick<AuditOptions, "model" | "data" | "attacks">,
  made: Made,
): KeptRun {
  const settings = Object.entries(flags).filter(([name]) => !WITHOUT_EFFECT.includes(name));
  return {
    ...{
      version: VERSION,
      made,
      attacks,
      seed: flags.seed,
      seeds: flags.seeds,
      settings: Object.fromEntries(settings),
    },
    model: { name: model.name, sha256: model.sha256 },
    data: { name: data.name, labels: data.labels },
    image: data.shape,
  };
}

/** What Ctrl-C leaves, and how to go on. */
export function interrupted(folder: string | undefined, store: KeptStore | undefined): Interrupted {
  const begin = "Interrupted. No report was written";
  if (folder === undefined || store === undefined)
    return new Interrupted(
      `${begin}, and nothing is kept. With --keep FOLDER, the same command goes on where it stopped.`,
    );
  const { finished, all } = store.progress();
  return new Interrupted(
    `${begin}. ${folder} keeps the images of ${finished} of ${all} ${all === 1 ? "attack" : "attacks"}, and finished samples of the one that ran. The same command goes on from there.`,
  );
}
