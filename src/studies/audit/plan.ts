/** @file The tasks of an audit: a pure function of networks, records, attacks and curves. */
import { type AttackConfig, readsFull } from "../../attacks/spec.js";
import type { DynamicModel } from "../../dynamic/model/model.js";
import { ALWAYS_OPEN, singleExitPolicy } from "../../schema/policy.js";
import type { DataRef } from "../../schema/study/references.js";
import {
  answersTask,
  type CraftRequest,
  craftTask,
  givenTask,
  type Planned,
  type PlannedPolicy,
  policyTask,
} from "../tasks/common.js";
import { CommandPlan } from "../tasks/plan.js";
import type { TaskKey } from "../tasks/task.js";
import type { CurveOptions } from "./options.js";

/** A curve of robust accuracy, with one attack for each radius. Radii rise. A sample that fails at
 * one radius counts as failed at every larger radius. So only the other samples are attacked
 * again, and the curve never rises. */
export interface Curve {
  readonly name: string;
  readonly radii: readonly number[];
  readonly configs: readonly AttackConfig[];
}

/** One curve per goal: PGD on the final exit and, with early exits, on the routed answer. */
export function curvesOf(options: CurveOptions | undefined, { exits }: Pick<DynamicModel, "exits">): Curve[] {
  if (!options) return [];
  const goals = exits.length > 1 ? (["misclassify:final", "routed"] as const) : (["misclassify:final"] as const);
  return goals.map((goal) => curveOf(goal, options));
}

function curveOf(goal: "misclassify:final" | "routed", { radii, steps }: CurveOptions): Curve {
  const name = goal === "routed" ? "PGD, routed answer" : "PGD, final exit";
  const configs = radii.map((radius) => ({
    name: `${name}, radius ${radius}`,
    goal,
    method: "pgd",
    norm: "linf" as const,
    radius,
    steps,
    stepSize: (2.5 * radius) / steps,
    randomStart: true,
  }));
  return { name, radii, configs };
}

/** What an audit asks for. */
export interface AuditRequest {
  readonly network: PlannedPolicy;
  /** The network that attacks search on, when it is another one. */
  readonly surrogate: PlannedPolicy | undefined;
  /** A static network that says how difficult samples are. */
  readonly baseline?: PlannedPolicy | undefined;
  readonly data: DataRef;
  /** Number of records. */
  readonly count: number;
  /** The attacks, as they search. */
  readonly attacks: readonly AttackConfig[];
  readonly curves: readonly Curve[];
  readonly seed: number;
}

/** Where the results of an attack are: those of the search, and the answers for its images, as
 * they are and rounded to 8 bits. */
export interface AttackTasks {
  readonly crafted: TaskKey;
  readonly exact: TaskKey;
  readonly rounded: TaskKey;
}

/** The tasks, and where each number of the record comes from. */
export interface AuditPlan {
  readonly plan: CommandPlan;
  readonly policy: TaskKey;
  readonly clean: TaskKey;
  /** The answers with all gates open, and those of the baseline. Undefined where there are none. */
  readonly allOpen: TaskKey | undefined;
  readonly baseline: TaskKey | undefined;
  readonly attacks: readonly AttackTasks[];
  /** One list per curve, with an entry per radius. */
  readonly curves: readonly (readonly TaskKey[])[];
}

/** Number of images that are run twice, to see whether answers are random. */
const RUN_TWICE = 16;

/** Plans an audit. */
export function auditPlan(request: AuditRequest): AuditPlan {
  const { network, surrogate, data, count } = request;
  const plan = new CommandPlan();
  const policy = policyTask(plan, network, "validation images");
  const again = Math.min(RUN_TWICE, count);
  const full = request.attacks.some(readsFull);
  const own = { network, policy, clean: plan.add(answersTask(network, data, { again, policy, full }), "clean images") };
  const searched = surrogate ? searchedOn(plan, surrogate, data, full) : own;
  const attacks = request.attacks.map((config): AttackTasks => {
    const how = { config, images: "exact", first: firstOf(config), phase: config.name } as const;
    const crafted = craft(plan, searched, request, how);
    const shown = { images: crafted, policy, full: readsFull(config) };
    const judged = (rounded?: boolean) => plan.add(answersTask(network, data, { ...shown, rounded }));
    return { crafted, exact: judged(), rounded: judged(true) };
  });
  const curves = request.curves.map(({ name, configs }) => {
    const keys: TaskKey[] = [];
    for (const [i, config] of configs.entries()) {
      const phase = `${name}, radius ${i + 1} of ${configs.length}`;
      const how = { config, images: "none", standing: true, phase, survived: keys.slice(-1) } as const;
      keys.push(craft(plan, own, request, how));
    }
    return keys;
  });
  return { plan, policy, clean: own.clean, ...references(plan, request), attacks, curves };
}

/** The answers of the networks that say how difficult samples are. */
function references(
  plan: CommandPlan,
  { network, baseline, data }: AuditRequest,
): Pick<AuditPlan, "allOpen" | "baseline"> {
  const { gates } = network.model;
  if (gates.length === 0) return { allOpen: undefined, baseline: undefined };
  const open = givenTask(plan, { ...singleExitPolicy(), gates: { thresholds: gates.map(() => ALWAYS_OPEN) } });
  return {
    allOpen: plan.add(answersTask(network, data, { policy: open }), "clean images, all gates open"),
    baseline: baseline && plan.add(answersTask(baseline, data), "clean images, baseline"),
  };
}

const firstOf = ({ samples }: AttackConfig): number | undefined =>
  samples === undefined ? undefined : Number(samples);

/** A network that attacks search on. */
interface Searched {
  readonly network: Planned;
  readonly policy: TaskKey;
  readonly clean: TaskKey;
}

function searchedOn(plan: CommandPlan, network: PlannedPolicy, data: DataRef, full: boolean): Searched {
  const policy = policyTask(plan, network, "");
  return { network, policy, clean: plan.add(answersTask(network, data, { policy, full })) };
}

interface Attacking extends Omit<CraftRequest, "data" | "seed"> {
  readonly phase: string;
  readonly survived?: readonly TaskKey[];
}

function craft(
  plan: CommandPlan,
  { network, policy, clean }: Searched,
  { data, seed }: AuditRequest,
  { phase, survived = [], ...attack }: Attacking,
): TaskKey {
  const inputs = { policy: [policy], clean: [clean], survived };
  return plan.add(craftTask(network, { ...attack, data, seed }, inputs), phase);
}
