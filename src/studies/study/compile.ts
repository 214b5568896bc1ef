/** @file From a plan to its tasks: those of its questions, of the assay checks, and of the
 *  tables of networks. A pure function: the same plan gives the same tasks. */
import { sha256 } from "../../core/digest.js";
import type { StudyPlan } from "../../schema/study/plan.js";
import type { Claim } from "../../schema/study/record.js";
import type { TaskList } from "../tasks/list.js";
import { canonicalJson, type Json } from "../tasks/task.js";
import { type AssayNeeds, assayNeeds } from "./assay.js";
import { StudyTasks } from "./builder.js";
import { skippingBlocks } from "./kinship.js";
import { QUESTIONS } from "./questions/table.js";

/** The tasks of a plan, and where each question finds its results. */
export interface CompiledStudy {
  readonly tasks: StudyTasks;
  readonly needs: ReadonlyMap<Claim, unknown>;
  readonly assay: AssayNeeds;
  /** The same questions on networks that skip blocks. Undefined for a plan without them. */
  readonly exploring: Pick<CompiledStudy, "tasks" | "needs" | "assay"> | undefined;
}

/** Makes the tasks of a plan. */
export function compileStudy(plan: StudyPlan): CompiledStudy {
  const tasks = new StudyTasks(plan);
  // Trainings take longest and others wait for them, so they come first.
  for (const network of Object.keys(plan.networks)) tasks.trained(network);
  for (const { networks } of plan.blocks)
    for (const network of Object.values(networks)) {
      tasks.clean(network, "reported");
      for (const target of plan.policy.targets.keys()) tasks.policy({ network }, target);
    }
  return { tasks, needs: needsOf(tasks), assay: assayNeeds(tasks), exploring: exploringOf(tasks) };
}

const needsOf = (tasks: StudyTasks): ReadonlyMap<Claim, unknown> =>
  new Map(tasks.plan.questions.map((claim) => [claim, QUESTIONS[claim].needs(tasks)]));

function exploringOf(all: StudyTasks): CompiledStudy["exploring"] {
  const blocks = skippingBlocks(all.plan);
  if (blocks.length === 0) return undefined;
  const tasks = all.withBlocks(blocks);
  return { tasks, needs: needsOf(tasks), assay: assayNeeds(tasks, ["joint"]) };
}

/** The hash of a plan, which verdicts refer to. */
export const planHash = (plan: StudyPlan): string =>
  sha256(new TextEncoder().encode(canonicalJson(plan as unknown as Json)));

/** The tasks of a plan as one document for workers. */
export function taskListOf({ tasks }: Pick<CompiledStudy, "tasks">): TaskList {
  const { plan, graph } = tasks;
  return { schemaVersion: 1, tasks: graph.all().map(({ task }) => task), ...placesOf(plan) };
}

/** Where the networks and records of a plan are, by their digests. */
export function placesOf(plan: StudyPlan): Pick<TaskList, "networks" | "data" | "training"> {
  return {
    networks: Object.fromEntries(
      Object.entries(plan.networks).flatMap(([name, { sha256: digest, spec }]) =>
        digest === null ? [] : [[digest, { name, spec }]],
      ),
    ),
    data: Object.fromEntries(
      Object.entries(plan.data).flatMap(([name, { spec, reported, validation, checks }]) =>
        [reported, validation, checks].map(({ sha256: digest }) => [digest, { name, spec }]),
      ),
    ),
    ...trainingPlaces(plan),
  };
}

/** Left out of a list that trains nothing, so that its name does not change. */
function trainingPlaces({ data }: StudyPlan): Pick<TaskList, "training"> {
  const places = Object.entries(data).flatMap(([name, { training }]) =>
    training ? [[training.sha256, { name, spec: training.spec, test: training.test }] as const] : [],
  );
  return places.length === 0 ? {} : { training: Object.fromEntries(places) };
}
