/** @file The tasks of a transfer study: a pure function of networks, records and attacks. */
import type { AttackConfig } from "../../attacks/spec.js";
import type { DataRef } from "../../schema/study/references.js";
import { answersTask, craftTask, type PlannedPolicy, policyTask } from "../tasks/common.js";
import { CommandPlan } from "../tasks/plan.js";
import type { TaskKey } from "../tasks/task.js";

/** What a transfer study asks for. */
export interface TransferRequest {
  readonly networks: readonly PlannedPolicy[];
  readonly data: DataRef;
  readonly attacks: readonly AttackConfig[];
  readonly seed: number;
}

/** Where the results of a network are. */
export interface NetworkTasks {
  readonly policy: TaskKey;
  readonly clean: TaskKey;
}

/** Where the results of an attack on one surrogate are. */
export interface CraftedTasks {
  readonly crafted: TaskKey;
  /** The answers of each network. */
  readonly judged: readonly TaskKey[];
}

/** The tasks, and where each number of the record comes from. */
export interface TransferPlan {
  readonly plan: CommandPlan;
  readonly networks: readonly NetworkTasks[];
  /** One list per attack, with an entry per surrogate. */
  readonly attacks: readonly (readonly CraftedTasks[])[];
}

/** Plans a transfer study. */
export function transferPlan({ networks, data, attacks, seed }: TransferRequest): TransferPlan {
  const plan = new CommandPlan();
  const planned = networks.map((each): NetworkTasks => {
    const { name } = each.network;
    const policy = policyTask(plan, each, `${name}, validation images`);
    return { policy, clean: plan.add(answersTask(each, data, { policy }), `${name}, clean images`) };
  });
  const judgedOn = (images: TaskKey) => (target: PlannedPolicy, place: number) =>
    plan.add(answersTask(target, data, { images, policy: planned[place].policy }));
  const crafted = (config: AttackConfig, place: number): CraftedTasks => {
    const task = craftTask(networks[place], { config, data, seed }, inputsOf(planned, place));
    const key = plan.add(task, `${config.name} on ${networks[place].network.name}`);
    return { crafted: key, judged: networks.map(judgedOn(key)) };
  };
  const all = attacks.map((config) => networks.map((_, place) => crafted(config, place)));
  return { plan, networks: planned, attacks: all };
}

/** Only records that all networks answer rightly are attacked. */
const inputsOf = (all: readonly NetworkTasks[], surrogate: number) => ({
  ...{ policy: [all[surrogate].policy], clean: [all[surrogate].clean] },
  ...{ agreed: all.map(({ clean }) => clean), policies: all.map(({ policy }) => policy) },
});
