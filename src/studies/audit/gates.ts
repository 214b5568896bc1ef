/** @file What an attack does to the gates of a network: how many change, and how much of the saved
 *  work comes back. Source of the recovery: Pan et al. 2022, GradAuto; here with costs in MACs. */
import { fullCost } from "../../attacks/goals/costs.js";
import { hasFull } from "../../attacks/goals/victim.js";
import { costOf } from "../../dynamic/model/units.js";
import type { Routed } from "../../dynamic/route/route.js";
import { hierarchicalBootstrap } from "../../measures/statistics/bootstrap.js";
import type { AttackRecord } from "../../schema/audit-record.js";
import type { Attacked } from "./attacked.js";
import type { AuditedModel } from "./audited-model.js";
import { rateOf } from "./tally.js";

/** The effect of an attack on gates. Nothing for a network without gates. */
export function gatesRecord(
  { samples, routed }: Pick<Attacked, "samples" | "routed">,
  audited: Pick<AuditedModel, "victim" | "routed">,
): Pick<AttackRecord, "gates"> {
  const { victim } = audited;
  if (victim.model.gates.length === 0) return {};
  const clean = audited.routed.slice(0, samples.length);
  const costs = (paths: readonly Routed[]) => paths.map((path) => costOf(victim.model, path));
  return {
    gates: {
      changed: changedOf(clean, routed),
      ...recoveryOf(costs(clean), costs(routed), hasFull(victim) ? fullCost(victim) : undefined),
    },
  };
}

/** The share of bits that differ, among gates that both images meet. */
function changedOf(
  clean: readonly Routed[],
  attacked: readonly Routed[],
): NonNullable<AttackRecord["gates"]>["changed"] {
  const differ = attacked.flatMap(({ gates = [] }, i) =>
    gates.flatMap((bit, k) => {
      const before = clean[i].gates?.[k];
      return bit === undefined || before === undefined ? [] : [bit !== before];
    }),
  );
  return differ.length === 0 ? null : rateOf(differ).value;
}

type Recovery = Pick<NonNullable<AttackRecord["gates"]>, "recovery" | "noRecovery">;

/** (mean attacked cost - mean clean cost) / (full cost - mean clean cost), with the interval of a
 * paired bootstrap over the samples.
 * @param full the largest cost that an attack can reach. Undefined: the policy forces every gate */
export function recoveryOf(clean: readonly number[], attacked: readonly number[], full: number | undefined): Recovery {
  if (clean.length === 0) return { recovery: null, noRecovery: "no sample was attacked" };
  if (full === undefined) return { recovery: null, noRecovery: "the policy forces every gate" };
  if (clean.every((cost) => cost >= full))
    return { recovery: null, noRecovery: "every clean sample already costs as much as the full network" };
  const share = (before: number, after: number) => (before < full ? (after - before) / (full - before) : 0);
  const value = ([before, after]: Float64Array) => share(before, after);
  const { value: mean, percentile } = hierarchicalBootstrap([[clean, attacked]], { value, draws: 2000 });
  return { recovery: { value: mean, low: percentile[0], high: percentile[1] } };
}
