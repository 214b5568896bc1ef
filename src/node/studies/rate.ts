/** @file How fast this machine runs and trains the networks of a study, by a few short runs. */
import { readImages, subset } from "../../data/dataset.js";
import { fitImages } from "../../data/fit.js";
import type { DynamicModel } from "../../dynamic/model/model.js";
import { Forward } from "../../dynamic/run/forward.js";
import type { StudyPlan } from "../../schema/study/plan.js";
import { compileStudy, taskListOf } from "../../studies/study/compile.js";
import type { TaskContext } from "../../studies/tasks/kind.js";
import { memoryStore } from "../../studies/tasks/memory-store.js";
import { untrainedModel } from "../../training/zoo/runs.js";
import { ortNode } from "../ort-node/index.js";
import { type HoursOptions, trainingHours } from "../zoo/hours.js";
import { taskContext } from "./context.js";

/** Images of the run. */
const IMAGES = 32;

/** Opens networks and records of a plan. */
const contextOf = (plan: StudyPlan, root: string): TaskContext =>
  taskContext({
    ...{ list: taskListOf(compileStudy(plan)), store: memoryStore(), root },
    backend: ortNode({ threads: 1 }),
  });

/** Multiply-accumulates per second of one thread, for the largest network of the plan. */
export async function measureRate(plan: StudyPlan, root: string, signal?: AbortSignal): Promise<number> {
  const macsOf = (name: string): number => plan.networks[name].exits.at(-1)?.macs ?? 0;
  const [name] = Object.keys(plan.networks).sort((a, b) => macsOf(b) - macsOf(a));
  const block = plan.blocks.find(({ networks }) => Object.values(networks).includes(name)) ?? plan.blocks[0];
  const context = contextOf(plan, root);
  const model = await modelOf(name, plan, context);
  const data = await context.data(plan.data[block.data].checks);
  const some = subset(data, [...Array(Math.min(IMAGES, data.count)).keys()]);
  const images = await readImages(fitImages(model, some));
  const forward = await Forward.compile(model, context.backend);
  try {
    await forward.logits(images, { batch: IMAGES, signal });
    const from = performance.now();
    await forward.logits(images, { batch: IMAGES, signal });
    return (macsOf(name) * images.count) / ((performance.now() - from) / 1000);
  } finally {
    await forward.release();
  }
}

/** A network that is to be trained is as fast before as after. */
async function modelOf(name: string, { networks, data }: StudyPlan, context: TaskContext): Promise<DynamicModel> {
  const { sha256, training } = networks[name];
  if (sha256 !== null) return context.network({ name, sha256 });
  const records = training && data[training.data].training;
  if (!records) throw new Error(`bug: the plan does not say how ${name} is trained`);
  return untrainedModel(training, await context.trainingData({ name: records.name, sha256: records.sha256 }));
}

/** The hours of every training of a plan, with as many threads as its recipe says.
 * @throws DynnError 'study/changed', or the signal's reason */
export async function studyTrainingHours(
  { networks, data, ...plan }: StudyPlan,
  root: string,
  options: HoursOptions = {},
): Promise<[name: string, hours: number][]> {
  const context = contextOf({ ...plan, networks, data }, root);
  const wanted = [];
  for (const [name, { training }] of Object.entries(networks)) {
    const records = training && data[training.data].training;
    if (!records) continue;
    const split = await context.trainingData({ name: records.name, sha256: records.sha256 });
    wanted.push({ name, recipe: training, data: split });
  }
  return trainingHours(wanted, options);
}
