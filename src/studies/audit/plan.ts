/** @file The tasks of an audit: a pure function of networks, records, attacks and curves. */
import { type AttackConfig, attackConfigSchema } from "../../attacks/spec.js";
import { present } from "../../core/present.js";
import type { DataRef } from "../../schema/study/references.js";
import { makeTask } from "../tasks/kind.js";
import { type CraftParameters, craftKind } from "../tasks/kinds/craft.js";
import { CommandPlan } from "../tasks/plan.js";
import { answersTask, type Planned, type PlannedPolicy, policyTask } from "../tasks/policy-tasks.js";
import type { TaskKey } from "../tasks/task.js";
import type { Curve } from "./curves.js";

/** What an audit asks for. */
export interface AuditRequest {
  readonly network: PlannedPolicy;
  /** The network that attacks search on, when it is another one. */
  readonly surrogate: PlannedPolicy | undefined;
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
  const own = { network, policy, clean: plan.add(answersTask(network, data, { again }), "clean images") };
  const searched = surrogate
    ? { network: surrogate, policy: policyTask(plan, surrogate, ""), clean: plan.add(answersTask(surrogate, data)) }
    : own;
  const attacks = request.attacks.map((config): AttackTasks => {
    const keep = { images: "exact", first: firstOf(config) } as const;
    const crafted = craft(plan, searched, request, { config, keep, phase: config.name });
    const judged = (rounded?: boolean) => plan.add(answersTask(network, data, { images: crafted, rounded }));
    return { crafted, exact: judged(), rounded: judged(true) };
  });
  const curves = request.curves.map(({ name, configs }) => {
    const keys: TaskKey[] = [];
    for (const [i, config] of configs.entries()) {
      const phase = `${name}, radius ${i + 1} of ${configs.length}`;
      const keep = { images: "none", standing: true } as const;
      keys.push(craft(plan, own, request, { config, keep, phase, survived: keys.slice(-1) }));
    }
    return keys;
  });
  return { plan, policy, clean: own.clean, attacks, curves };
}

const firstOf = ({ samples }: AttackConfig): number | undefined =>
  samples === undefined ? undefined : Number(samples);

/** A network that attacks search on. */
interface Searched {
  readonly network: Planned;
  readonly policy: TaskKey;
  readonly clean: TaskKey;
}

function craft(
  plan: CommandPlan,
  { network: { network, model }, policy, clean }: Searched,
  { data, seed }: AuditRequest,
  attack: {
    readonly config: AttackConfig;
    readonly keep: Pick<CraftParameters, "images" | "first" | "standing">;
    readonly phase: string;
    readonly survived?: readonly TaskKey[];
  },
): TaskKey {
  const { macs } = present(model.exits.at(-1), "the final exit");
  const parameters = { ...{ network, data, seed, macs, gradients: 0 }, ...attack.keep };
  const inputs = { policy: [policy], clean: [clean], survived: attack.survived ?? [] };
  const config = attackConfigSchema.parse(attack.config);
  return plan.add(makeTask(craftKind, { ...parameters, attack: config }, inputs), attack.phase);
}
