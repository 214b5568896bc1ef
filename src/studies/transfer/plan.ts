/** @file The tasks of a transfer study: a pure function of networks, records and attacks. */
import type { AttackConfig } from "../../attacks/spec.js";
import { attackConfigSchema } from "../../attacks/spec.js";
import { present } from "../../core/present.js";
import type { DataRef } from "../../schema/study/references.js";
import { TaskGraph } from "../tasks/graph.js";
import { makeTask } from "../tasks/kind.js";
import { craftKind } from "../tasks/kinds/craft.js";
import { answersTask, type Planned, policyTasks } from "../tasks/policy-tasks.js";
import type { TaskKey } from "../tasks/task.js";

/** What a transfer study asks for. */
export interface TransferRequest {
  readonly networks: readonly Planned[];
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
  readonly graph: TaskGraph;
  readonly networks: readonly NetworkTasks[];
  /** One list per attack, with an entry per surrogate. */
  readonly attacks: readonly (readonly CraftedTasks[])[];
  /** What the user reads while a task runs. Other tasks are short. */
  readonly phases: ReadonlyMap<TaskKey, string>;
}

/** Plans a transfer study. */
export function transferPlan({ networks, data, attacks, seed }: TransferRequest): TransferPlan {
  const graph = new TaskGraph();
  const phases = new Map<TaskKey, string>();
  const named = (key: TaskKey, phase: string): TaskKey => {
    phases.set(key, phase);
    return key;
  };
  const planned = networks.map((each): NetworkTasks => {
    const { name } = each.network;
    const { policy, validation } = policyTasks(graph, each);
    if (validation) named(validation, `${name}, validation images`);
    return { policy, clean: named(graph.add(answersTask(each, data)), `${name}, clean images`) };
  });
  const crafted = (config: AttackConfig, place: number): CraftedTasks => {
    const { network, model } = networks[place];
    const { macs } = present(model.exits.at(-1), "the final exit");
    const parameters = { network, data, seed, attack: attackConfigSchema.parse(config), macs, gradients: 0 };
    const key = graph.add(makeTask(craftKind, parameters, inputsOf(planned, place)));
    named(key, `${config.name} on ${network.name}`);
    return { crafted: key, judged: networks.map((target) => graph.add(answersTask(target, data, key))) };
  };
  const all = attacks.map((config) => networks.map((_, place) => crafted(config, place)));
  return { graph, networks: planned, attacks: all, phases };
}

/** Only records that all networks answer rightly are attacked. */
const inputsOf = (all: readonly NetworkTasks[], surrogate: number) => ({
  ...{ policy: [all[surrogate].policy], clean: [all[surrogate].clean] },
  ...{ agreed: all.map(({ clean }) => clean), policies: all.map(({ policy }) => policy) },
});
