/** @file The rows of the tables that describe a study: its tasks, networks, exits, policies and
 *  attacks. */
import { METHODS, type MethodName } from "../../attacks/methods/table.js";
import { present } from "../../core/present.js";
import { parseQuantity } from "../../core/units.js";
import type { Policy } from "../../schema/policy.js";
import type { PlannedAttack, StudyPlan } from "../../schema/study/plan.js";
import type {
  AttackRow,
  ContestantRow,
  ExitRow,
  GateUnitRow,
  NetworkRow,
  PolicyRow,
  TaskRow,
  TimedSetRow,
} from "../../schema/study/views.js";
import type { Manifest } from "../tasks/store.js";
import { canonicalJson } from "../tasks/task.js";
import { familyOf } from "./attack-family.js";
import type { StudyTasks } from "./builder.js";
import type { StudyResults } from "./results.js";
import { imagesOf, madeOn, type TaskTopic } from "./subjects.js";

/** A finished task. */
export interface Finished {
  readonly topic: TaskTopic;
  readonly manifest: Manifest;
}

/** The rows of all describing tables, by the name of the table.
 * @param finished the tasks that are done
 * @throws DynnError 'store/damaged', 'store/unreachable' */
export const viewRows = async (
  { plan, graph }: Pick<StudyTasks, "plan" | "graph">,
  finished: readonly Finished[],
  results: Pick<StudyResults, "policy" | "trained">,
) => ({
  tasks: finished.map(taskRow),
  networks: networkRows(plan, await trainedDigests(finished, results)),
  exits: exitRows(plan),
  gates: gateRows(plan),
  policies: (await Promise.all(finished.map((each) => policyRows(each, plan, results)))).flat(),
  attacks: plan.attacks.map(attackRow),
  timedSets: finished.flatMap(({ topic: { key, task } }): TimedSetRow[] =>
    task.kind !== "latency"
      ? []
      : [undefined, ...imagesOf(task)].map((crafted, set) => {
          const { surrogate, attack } = madeOn(crafted, graph);
          return { key, set, surrogate, attack };
        }),
  ),
  contestants: finished.flatMap(({ topic }) => contestantRows(topic)),
});

function taskRow({ topic: { task, ...topic }, manifest: { facts } }: Finished): TaskRow {
  const { seconds, version } = facts;
  return {
    ...topic,
    kind: task.kind,
    seconds: typeof seconds === "number" ? seconds : null,
    version: typeof version === "string" ? version : "",
  };
}

/** Digests of the networks that tasks have trained, by name. */
async function trainedDigests(
  finished: readonly Finished[],
  results: Pick<StudyResults, "trained">,
): Promise<ReadonlyMap<string, string>> {
  const trained = finished.filter(({ topic }) => topic.task.kind === "train");
  const digests = trained.map(
    async ({ topic: { key, network } }) => [network, (await results.trained(key)).sha256] as const,
  );
  return new Map(await Promise.all(digests));
}

const networkRows = ({ blocks, networks }: StudyPlan, trained: ReadonlyMap<string, string>): NetworkRow[] =>
  blocks.flatMap(({ name: block, cell, architecture, data, seed, networks: roles }) =>
    Object.entries(roles).map(([role, name]) => {
      const { parameters, exits, legalCuts, sha256: known } = networks[name];
      const sha256 = known ?? trained.get(name) ?? "";
      return { name, role, block, cell, architecture, data, seed, parameters, exits: exits.length, legalCuts, sha256 };
    }),
  );

const exitRows = ({ networks }: StudyPlan): ExitRow[] =>
  Object.entries(networks).flatMap(([network, { exits }]) =>
    exits.map(({ name, output, macs, costFraction }, exit) => ({ network, exit, name, output, macs, costFraction })),
  );

const gateRows = ({ networks }: StudyPlan): GateUnitRow[] =>
  Object.entries(networks).flatMap(([network, { gates = [] }]) =>
    gates.map(({ name, exit, macs, costFraction }, gate) => ({ network, gate, name, exit, macs, costFraction })),
  );

async function policyRows(
  { topic: { key, network, exits: kept, task } }: Finished,
  plan: StudyPlan,
  results: Pick<StudyResults, "policy">,
): Promise<PolicyRow[]> {
  if (task.kind !== "thresholds") return [];
  const { rule, fallback, thresholds } = await results.policy(key);
  const place = plan.policy.targets.findIndex(
    ({ target }) => canonicalJson(target) === canonicalJson(task.parameters.target),
  );
  const { name: target } = present(plan.policy.targets[place], "the target of a policy");
  const early = earlyExits(task.parameters.exits as readonly number[] | undefined, plan.networks[network].exits.length);
  return early.map((exit, i) => ({
    ...{ key, network, target, main: place === 0, exits: kept, rule, fallback, exit },
    threshold: thresholdOf({ rule, thresholds }, i),
  }));
}

const earlyExits = (kept: readonly number[] | undefined, exits: number): number[] =>
  (kept ?? Array.from({ length: exits }, (_, k) => k)).slice(0, -1);

/** Patience has one threshold for all exits. */
const thresholdOf = ({ rule, thresholds }: Pick<Policy, "rule" | "thresholds">, i: number): number =>
  thresholds[rule === "patience" ? 0 : i];

function attackRow(attack: PlannedAttack, place: number): AttackRow {
  const { name, on, uses, goal, method = "pgd", radius } = attack;
  const closest = METHODS[method as MethodName].budget === "closest";
  return {
    ...{ name, place, made: on, uses: uses.join(" "), family: familyOf(attack), method: String(method) },
    goal: String(goal ?? "misclassify:final"),
    radius: closest || radius === undefined ? null : parseQuantity(radius as number | string, "radius"),
  };
}

function contestantRows({ key, task }: TaskTopic): ContestantRow[] {
  if (task.kind !== "pace") return [];
  const contestants = task.parameters.contestants as unknown as readonly {
    readonly network: { readonly name: string };
    readonly attack: { readonly name: string };
  }[];
  return contestants.map(({ network, attack }, contestant) => ({
    key,
    contestant,
    network: network.name,
    attack: attack.name,
  }));
}
