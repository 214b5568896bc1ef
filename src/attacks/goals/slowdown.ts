/** @file The slowdown goal: lower the confidence of the early exits, so that the network runs all
 *  its stages. Sources: Hong et al. 2021, "A Panda? No, It's a Sloth" (DeepSloth): descend the
 *  cross-entropy between the uniform distribution and each early exit, or the first one. Chen et
 *  al. 2023, "Dynamic Transformers Provide a False Sense of Efficiency" (SAME): weights per exit
 *  that follow the iterate. */
import { int } from "../../graph/attributes.js";
import type { ValueName } from "../../graph/graph.js";
import { reduceSum, unsqueeze } from "../../ops/support/emit.js";
import type { LossContext } from "../losses/loss.js";
import { capped, flatness, margin, scale, sum } from "../losses/nodes.js";
import { amount, choice, flag } from "../parameters.js";
import type { ExitLogits, Sample } from "../sample.js";
import { type Goal, goal } from "./goal.js";
import { allExits, earlyExits, exitCount, finalLabel, firing, labelAt, trueLabel, type Victim } from "./victim.js";

const FORMS = ["uniform", "first", "learned"] as const;

interface SlowdownOptions {
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

/** The form's loss. With `keepLabel`, also the final exit's margin for its own label, up to `keep`,
 * with the weight of all early exits. */
const lossOf = (victim: Victim, early: readonly number[], { form, keepLabel, keep }: SlowdownOptions) => {
  const build = BUILDS[form];
  if (!keepLabel) return (ctx: LossContext) => build(ctx, early);
  return (ctx: LossContext) => {
    const held = capped(ctx, ctx.builder.op("Neg", [margin(ctx, exitCount(victim) - 1)]), keep);
    return ctx.builder.op("Add", [build(ctx, early), scale(ctx, held, early.length)]);
  };
};

/** Without `keepLabel`, the final exit is not computed, because neither the loss nor the test of
 * success needs it. */
function make(victim: Victim, options: SlowdownOptions): Goal {
  const early = earlyExits(victim, "slowdown");
  const towards = early.slice(0, -1).map((k) => beyond(victim, options, k));
  return { ...beyond(victim, options, early.length - 1), towards };
}

/** The goal that no exit up to `most` fires. */
function beyond(victim: Victim, options: SlowdownOptions, most: number): Goal {
  const early = earlyExits(victim, "slowdown");
  const { form, keepLabel, keep } = options;
  const exits = keepLabel ? allExits(victim) : early;
  const last = exitCount(victim) - 1;
  const stopOf = (logits: ExitLogits) => firing(logits, victim) ?? last;
  const keeps = (sample: Sample, logits: ExitLogits) => !keepLabel || labelAt(logits, last) === finalLabel(sample);
  return {
    name: "slowdown",
    losses: [
      {
        key: `slowdown/${form}${keepLabel ? `/${keep}` : ""}${most < early.length - 1 ? `@${most}` : ""}`,
        exits,
        build: lossOf(victim, early.slice(0, most + 1), options),
      },
    ],
    answer: "routed",
    exits,
    label: keepLabel ? finalLabel : trueLabel,
    starts: () => [0],
    succeeded: (sample, logits) => stopOf(logits) > most && keeps(sample, logits),
    // The cost ranks first: the exit, plus the loss mapped to a number from 0 to 1.
    score: (_, { logits, loss }) => stopOf(logits) + 0.5 + Math.atan(loss) / Math.PI,
  };
}

export const slowdown = goal({
  about: "every early exit closer to the uniform distribution",
  success: "no early exit fires; with `keepLabel`, the final exit also keeps its label",
  source: "Hong et al. 2021, DeepSloth",
  needsEarlyExits: true,
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
  },
  make: ({ victim }, values) => make(victim, values as SlowdownOptions),
});
