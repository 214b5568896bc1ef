/** @file The record of a transfer study: a join over the results of its tasks. */
import { type AttackConfig, configureAttack } from "../../attacks/spec.js";
import type { DynamicModel } from "../../dynamic/model/model.js";
import { type Routed, route } from "../../dynamic/route/route.js";
import { accuracy } from "../../measures/accuracy.js";
import { meanCostFraction } from "../../measures/cost.js";
import { wilson } from "../../measures/wilson.js";
import { digestRecord } from "../../schema/made.js";
import type { Rate } from "../../schema/numbers.js";
import { type Policy, policyRecord } from "../../schema/policy.js";
import type { OutcomeRow } from "../../schema/study/tables.js";
import type { TransferAttack, TransferRecord } from "../../schema/transfer-record.js";
import { costSharesOf } from "../audit/tally.js";
import type { InProcess } from "../tasks/in-process.js";
import { OUTCOMES_FILE } from "../tasks/kinds/opened.js";
import type { TaskKey } from "../tasks/task.js";
import type { CraftedTasks, TransferPlan } from "./plan.js";

/** The fields of the record that come from tasks.
 * @param models the networks, in the order of the plan
 * @param attacks the attacks as they ran, in the order of the plan */
export function joined(
  plan: TransferPlan,
  models: readonly DynamicModel[],
  attacks: readonly AttackConfig[],
  run: InProcess,
): Pick<TransferRecord, "networks" | "eligible" | "attacks"> {
  const policies = plan.networks.map(({ policy }) => run.policy(policy));
  const clean = plan.networks.map((each, i) => answersOf(each.clean, policies[i], run));
  const [{ labels }] = clean;
  return {
    networks: clean.map((answers, i) => networkRecord(models[i], policies[i], answers)),
    eligible: labels.filter((label, i) => clean.every(({ routed }) => routed[i].label === label)).length,
    attacks: plan.attacks.map((crafted, i) => ({
      ...describedBy(attacks[i], models[0], policies[0]),
      ...attackRecord(crafted, policies, run),
    })),
  };
}

interface Answers {
  readonly routed: readonly Routed[];
  readonly labels: Int32Array;
}

function answersOf(key: TaskKey, policy: Policy, run: InProcess): Answers {
  const { logits, labels } = run.measured(key);
  return { routed: route(logits, policy), labels };
}

function networkRecord(
  model: DynamicModel,
  policy: Policy,
  { routed, labels }: Answers,
): TransferRecord["networks"][number] {
  const { name, parameters, exits, sha256 } = model;
  return {
    ...digestRecord({ sha256 }),
    ...{ name, parameters, exits: exits.length, macs: exits[exits.length - 1].macs },
    policy: policyRecord(policy),
    accuracy: accuracy(
      labels,
      routed.map((r) => r.label),
    ),
    meanCostFraction: meanCostFraction(costSharesOf(model, routed)),
  };
}

function describedBy(config: AttackConfig, model: DynamicModel, policy: Policy) {
  const { name, goal, method, budget, parameters } = configureAttack(config, { model, policy });
  const facts = { name, goal: goal.name, method: method.name, norm: budget.norm };
  return { ...facts, radius: budget.radius ?? null, parameters: { ...parameters } };
}

function attackRecord(
  crafted: readonly CraftedTasks[],
  policies: readonly Policy[],
  run: InProcess,
): Pick<TransferAttack, "success" | "surrogateSuccess" | "seconds"> {
  return {
    success: crafted.map(({ judged }) => judged.map((key, target) => wrong(answersOf(key, policies[target], run)))),
    surrogateSuccess: crafted.map(({ crafted: key }) => {
      const rows = run.rows<OutcomeRow>(key, OUTCOMES_FILE);
      return wilson(rows.filter(({ success }) => success).length, rows.length);
    }),
    seconds: crafted.map(({ crafted: key }) => run.seconds(key)),
  };
}

/** Share of the images whose routed answer is wrong. */
const wrong = ({ routed, labels }: Answers): Rate =>
  wilson(routed.filter(({ label }, i) => label !== labels[i]).length, labels.length);
