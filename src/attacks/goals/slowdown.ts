/** @file The slowdown goal: lower the confidence of the early exits and open the gates, so that the
 *  network does all its work. Sources: Hong et al. 2021, "A Panda? No, It's a Sloth" (DeepSloth):
 *  descend the cross-entropy between the uniform distribution and each early exit, or the first
 *  one. Chen et al. 2023, "Dynamic Transformers Provide a False Sense of Efficiency" (SAME):
 *  weights per exit that follow the iterate. Gates: dynn; Haque et al. 2020 (ILFO) raise gate
 *  probabilities. The loss here raises scores, which do not saturate. */
import { int } from "../../graph/attributes.js";
import type { ValueName } from "../../graph/graph.js";
import { reduceSum, unsqueeze } from "../../ops/support/emit.js";
import type { LossContext } from "../losses/loss.js";
import { capped, flatness, margin, scale, sum } from "../losses/nodes.js";
import { amount, choice, flag } from "../parameters.js";
import type { ExitLogits, Sample, Seen } from "../sample.js";
import { answerCost, COST_PARAMETERS, type CostValues, fullCost, gatesMoved, hasMoved } from "./costs.js";
import { type Goal, goal } from "./goal.js";
import {
  allExits,
  exitCount,
  finalLabel,
  firing,
  labelAt,
  type Movable,
  movableUnits,
  trueLabel,
  type Victim,
} from "./victim.js";

const FORMS = ["uniform", "first", "learned"] as const;

interface SlowdownOptions extends CostValues {
  readonly form: (typeof FORMS)[number];
  readonly keepLabel: boolean;
  readonly keep: number;
}

type Build = (ctx: LossContext, early: readonly number[]) => ValueName;

/** The sum over exits of their flatness, each with its share of all lack of flatness. The shares
 * follow the iterate and carry no gradient, because the derivative of log-sum-exp has them. */
const weighted: Build = (ctx, early) => {
  const { builder: b } = ctx;
  const column = (k: number) => unsqueeze(b, flatness(ctx, k), [1]);
  const lacks = scale(ctx, b.op("Concat", early.map(column), { axis: int(1) }), -1);
  return scale(ctx, b.op("Log", [reduceSum(b, b.op("Exp", [lacks]), [1], false)]), -early.length);
};

const BUILDS: Readonly<Record<SlowdownOptions["form"], Build>> = {
  uniform: (ctx, early) =>
    sum(
      ctx,
      early.map((k) => flatness(ctx, k)),
    ),
  first: (ctx, [first]) => flatness(ctx, first),
  learned: weighted,
};

/** The form's loss on early exits, and the scores of gates with the weight of one exit. With
 * `keepLabel`, also the final exit's margin for its own label, up to `keep`, with the weight of all
 * the others. */
const lossOf = (victim: Victim, { early, gates }: Movable, options: SlowdownOptions) => {
  const { form, keepLabel, keep, gateKappa = 0 } = options;
  return (ctx: LossContext) => {
    const slower = [
      ...(early.length > 0 ? [BUILDS[form](ctx, early)] : []),
      ...(gates.length > 0 ? [gatesMoved(ctx, victim, 1, gateKappa)] : []),
    ];
    if (!keepLabel) return sum(ctx, slower);
    const held = capped(ctx, ctx.builder.op("Neg", [margin(ctx, exitCount(victim) - 1)]), keep);
    return sum(ctx, [...slower, scale(ctx, held, early.length + Math.min(1, gates.length))]);
  };
};

function make(victim: Victim, options: SlowdownOptions): Goal {
  const { early, gates } = movableUnits(victim, "slowdown");
  const exitsAlone = (most: number) => beyond(victim, options, { early, gates: [] }, most);
  if (gates.length === 0)
    return { ...exitsAlone(early.length - 1), towards: early.slice(0, -1).map((k) => exitsAlone(k)) };
  const { costShare = 1 } = options;
  const most = fullCost(victim);
  return {
    ...beyond(victim, options, { early, gates }, early.length - 1),
    towards: early.map((k) => exitsAlone(k)),
    succeeded: (sample, seen) =>
      hasMoved(victim, sample, seen, most, costShare) && keepsLabel(victim, options, sample, seen),
    score: (_, evaluation) => answerCost(victim, evaluation) + mapped(evaluation.loss),
  };
}

const keepsLabel = (victim: Victim, { keepLabel }: SlowdownOptions, sample: Sample, { logits }: Seen): boolean =>
  !keepLabel || labelAt(logits, exitCount(victim) - 1) === finalLabel(sample);

/** A loss as a number from 0 to 1, so that a cost ranks before it. */
const mapped = (loss: number): number => 0.5 + Math.atan(loss) / Math.PI;

/** The goal that no exit up to `most` fires. Without `keepLabel` and gates, the final exit is not
 * computed, because neither the loss nor the test of success needs it. */
function beyond(victim: Victim, options: SlowdownOptions, { early, gates }: Movable, most: number): Goal {
  const { form, keepLabel, keep, gateKappa } = options;
  const exits = keepLabel || gates.length > 0 ? allExits(victim) : early;
  const last = exitCount(victim) - 1;
  const stopOf = (logits: ExitLogits) => firing(logits, victim) ?? last;
  const gateKey = gates.length > 0 ? `/gates${gateKappa}` : "";
  return {
    name: "slowdown",
    losses: [
      {
        key: `slowdown/${form}${keepLabel ? `/${keep}` : ""}${most < early.length - 1 ? `@${most}` : ""}${gateKey}`,
        exits,
        build: lossOf(victim, { early: early.slice(0, most + 1), gates }, options),
      },
    ],
    answer: "routed",
    exits,
    label: keepLabel ? finalLabel : trueLabel,
    starts: () => [0],
    succeeded: (sample, seen) => stopOf(seen.logits) > most && keepsLabel(victim, options, sample, seen),
    // The cost ranks first: the exit, plus the loss.
    score: (_, { logits, loss }) => stopOf(logits) + mapped(loss),
  };
}

export const slowdown = goal({
  about: "every early exit closer to the uniform distribution, and the score of every gate larger, up to `gateKappa`",
  success:
    "no early exit fires; with gates, the cost has risen by `costShare` of what was possible; with `keepLabel`, the final exit also keeps its label",
  source: "Hong et al. 2021, DeepSloth; gates: dynn",
  needs: "early exits or gates",
  takesLoss: false,
  targeted: false,
  parameters: {
    form: choice(
      FORMS,
      "uniform",
      "the early exits in the loss: all alike, the first alone, or with weights that follow their confidence",
    ),
    keepLabel: flag(false, "whether the final exit must keep the label of the clean image"),
    keep: amount(1, "margin at which the final label is safe, for `keepLabel`"),
    ...COST_PARAMETERS,
  },
  make: ({ victim }, values) => make(victim, values as SlowdownOptions),
});
