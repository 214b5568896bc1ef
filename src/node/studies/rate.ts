/** @file How fast this machine runs and trains the networks of a study, by a few short runs. */
import { present } from "../../core/present.js";
import { readImages, subset } from "../../data/dataset.js";
import { fitImages } from "../../data/fit.js";
import type { TrainingSplit } from "../../data/training-split.js";
import { Forward } from "../../dynamic/run/forward.js";
import type { PlannedTraining, StudyPlan } from "../../schema/study/plan.js";
import { placesOf } from "../../studies/study/compile.js";
import { memoryStore } from "../../studies/tasks/memory-store.js";
import { untrainedModel } from "../../training/zoo/runs.js";
import { ortNode } from "../ort-node/index.js";
import { type HoursOptions, sizeOf, trainingHours } from "../zoo/hours.js";
import { taskContext } from "./context.js";
import { openStudyTraining, rootedSpecs } from "./training-data.js";

/** Images of the run. */
const IMAGES = 32;

/** How fast this machine is. */
export interface StudyPace {
  /** Multiply-accumulates per second of one thread, for the largest network of the plan. */
  readonly rate: number;
  /** The hours of every training, with as many threads as its recipe says. */
  readonly trainings: readonly (readonly [name: string, hours: number])[];
}

/** Measures a plan that was just made. Its digests are not compared again.
 * @throws DynnError 'study/changed', or the signal's reason */
export async function measureStudy(plan: StudyPlan, root: string, options: HoursOptions = {}): Promise<StudyPace> {
  const opened = new Map<string, Promise<TrainingSplit>>();
  const split: Split = (training) => {
    const { spec, test } = present(plan.data[training.data].training, `records to train on of ${training.data}`);
    const data = opened.get(training.data) ?? openStudyTraining(rootedSpecs({ spec, test }, root));
    opened.set(training.data, data);
    return data;
  };
  const rate = await measureRate(plan, root, split, options.signal);
  const wanted = [];
  for (const [name, { training, exits }] of Object.entries(plan.networks))
    if (training) wanted.push({ name, recipe: training, data: await split(training), size: sizeOf({ exits }) });
  return { rate, trainings: await trainingHours(wanted, options) };
}

/** Opens the records that a network is trained on, once. */
type Split = (training: PlannedTraining) => Promise<TrainingSplit>;

async function measureRate(
  plan: StudyPlan,
  root: string,
  split: Split,
  signal: AbortSignal | undefined,
): Promise<number> {
  const macsOf = (name: string): number => plan.networks[name].exits.at(-1)?.macs ?? 0;
  const [name] = Object.keys(plan.networks).sort((a, b) => macsOf(b) - macsOf(a));
  const block = plan.blocks.find(({ networks }) => Object.values(networks).includes(name)) ?? plan.blocks[0];
  const backend = ortNode({ threads: 1 });
  const context = taskContext({ list: placesOf(plan), store: memoryStore(), backend, root });
  const { sha256, training } = plan.networks[name];
  // A network is as fast before its training as after.
  const model = training
    ? await untrainedModel(training, await split(training))
    : await context.network({ name, sha256: sha256 ?? "" });
  const data = await context.data(plan.data[block.data].checks);
  const some = subset(data, [...Array(Math.min(IMAGES, data.count)).keys()]);
  const images = await readImages(fitImages(model, some));
  const forward = await Forward.compile(model, { backend });
  try {
    await forward.logits(images, { batch: IMAGES, signal });
    const from = performance.now();
    await forward.logits(images, { batch: IMAGES, signal });
    return (macsOf(name) * images.count) / ((performance.now() - from) / 1000);
  } finally {
    await forward.release();
  }
}
