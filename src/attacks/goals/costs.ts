/** @file What answers cost, and how far an attack can move the cost. A gate that the policy forces
 *  stays as it is, so no attack moves it. */
import { scoredGates } from "../../dynamic/model/scores.js";
import { costOf, type GateBit } from "../../dynamic/model/units.js";
import type { ValueName } from "../../graph/graph.js";
import { forcedBit } from "../../schema/policy.js";
import type { LossContext } from "../losses/loss.js";
import { capped, scale, sum } from "../losses/nodes.js";
import { amount } from "../parameters.js";
import { cleanOf, type Sample, type Seen } from "../sample.js";
import { exitCount, firing, type Victim } from "./victim.js";

/** MACs of the answer for one image. The logits must reach the exit where the work stops. */
export function answerCost(victim: Victim, { logits, bits }: Seen): number {
  const stop = firing(logits, victim) ?? exitCount(victim) - 1;
  return costOf(victim.model, { stop, gates: bits });
}

/** MACs of the answer for the clean image. */
export const cleanCost = (victim: Victim, sample: Sample): number => answerCost(victim, cleanOf(sample));

/** The bits when an attack opens or closes every gate that asks its score. */
const bitsAt = ({ model }: Victim, bit: 0 | 1): GateBit[] =>
  model.gates.map(({ threshold }) => {
    const forced = forcedBit(threshold);
    return forced === undefined ? bit : forced ? 1 : 0;
  });

/** The largest cost that an attack can reach. */
export const fullCost = (victim: Victim): number =>
  costOf(victim.model, { stop: exitCount(victim) - 1, gates: bitsAt(victim, 1) });

/** The smallest cost that an attack can reach. */
export const leastCost = (victim: Victim): number => costOf(victim.model, { stop: 0, gates: bitsAt(victim, 0) });

/** Whether the cost has moved from that of the clean image by a share of all that is possible.
 * @param limit {@link fullCost} or {@link leastCost} */
export function hasMoved(victim: Victim, sample: Sample, seen: Seen, limit: number, share: number): boolean {
  const clean = cleanCost(victim, sample);
  const moved = answerCost(victim, seen) - clean;
  return limit >= clean ? moved >= share * (limit - clean) : moved <= share * (limit - clean);
}

/** sum_k w_k min(sign * (z_k - thr_k), kappa): w_k is the share of gate k in the work of all gates
 * that ask their scores. A gate that is far enough on its side gets no gradient, until it falls
 * back.
 * @param sign 1 opens gates, -1 closes them */
export function gatesMoved(ctx: LossContext, victim: Victim, sign: 1 | -1, kappa: number): ValueName {
  const gates = scoredGates(victim.model);
  const total = gates.reduce((all, [, { macs }]) => all + macs, 0);
  return sum(
    ctx,
    gates.map(([k, { macs }]) => {
      const score = sign === 1 ? ctx.gate(k) : ctx.builder.op("Neg", [ctx.gate(k)]);
      return scale(ctx, capped(ctx, score, kappa), total > 0 ? macs / total : 1 / gates.length);
    }),
  );
}

/** Parameters of goals that move costs. Only networks with gates have them. */
export const COST_PARAMETERS = {
  gateKappa: amount(0.5, "score beyond its threshold from which on a gate counts as moved, with gates", {
    needs: "gates",
  }),
  costShare: amount(0.5, "share of the possible change of the cost that is a success, with gates", {
    needs: "gates",
    most: 1,
  }),
};

/** The values of {@link COST_PARAMETERS}. Undefined for a network without gates. */
export interface CostValues {
  readonly gateKappa?: number | undefined;
  readonly costShare?: number | undefined;
}
