/** @file How fast this machine runs the networks of a study: a short forward run. */
import { readImages, subset } from "../../data/dataset.js";
import { fitImages } from "../../data/fit.js";
import { Forward } from "../../dynamic/run/forward.js";
import type { StudyPlan } from "../../schema/study/plan.js";
import { compileStudy, taskListOf } from "../../studies/study/compile.js";
import { ortNode } from "../ort-node/index.js";
import { taskContext } from "./context.js";

/** Images of the run. */
const IMAGES = 32;

/** Multiply-accumulates per second of one thread, for the largest network of the plan. */
export async function measureRate(plan: StudyPlan, root: string, signal?: AbortSignal): Promise<number> {
  const macsOf = (name: string): number => plan.networks[name].exits.at(-1)?.macs ?? 0;
  const [name] = Object.keys(plan.networks).sort((a, b) => macsOf(b) - macsOf(a));
  const block = plan.blocks.find(({ networks }) => Object.values(networks).includes(name)) ?? plan.blocks[0];
  const backend = ortNode({ threads: 1 });
  const context = taskContext({ list: taskListOf(compileStudy(plan)), backend, root });
  const model = await context.network({ name, sha256: plan.networks[name].sha256 });
  const data = await context.data(plan.data[block.data].checks);
  const some = subset(data, [...Array(Math.min(IMAGES, data.count)).keys()]);
  const images = await readImages(fitImages(model, some));
  const forward = await Forward.compile(model, backend);
  try {
    await forward.logits(images, { batch: IMAGES, signal });
    const from = performance.now();
    await forward.logits(images, { batch: IMAGES, signal });
    return (macsOf(name) * images.count) / ((performance.now() - from) / 1000);
  } finally {
    await forward.release();
  }
}
