/** @file Attacks on all exits at once: their average loss, or the strongest single-exit attack by
 *  total loss. Source: Hu et al. 2020, "Triple Wins" (PGD-average, PGD-max). */
import { softmaxRow } from "../../dynamic/route/policy.js";
import type { ValueName } from "../../graph/graph.js";
import type { Evaluation, LossContext, Objective, Sample } from "../attack.js";
import { crossEntropy, margin, scale, scaledCrossEntropy, sum } from "../losses.js";
import { allExits, exitCount, routedIsWrong, trueLabel, type Victim } from "./victim.js";

const shared = (victim: Victim): Pick<Objective, "answer" | "label" | "succeeded"> => ({
  answer: "routed",
  label: trueLabel,
  succeeded: routedIsWrong(victim),
});

/** A loss of one exit, and how keys of sessions name it. */
interface ExitLoss {
  readonly name: string;
  readonly of: (ctx: LossContext, exit: number) => ValueName;
}

const CROSS_ENTROPY: ExitLoss = { name: "", of: crossEntropy };
const MARGIN: ExitLoss = { name: "-margin", of: margin };
const SCALED: ExitLoss = { name: "-scaled", of: scaledCrossEntropy };

/** Mean cross-entropy over the exits. */
export const average = (victim: Victim): Objective => ({
  ...averageOf(victim, CROSS_ENTROPY),
  scaleFree: [MARGIN, SCALED].map((loss) => averageOf(victim, loss)),
});

const averageOf = (victim: Victim, { name, of }: ExitLoss): Objective => ({
  ...shared(victim),
  name: "average",
  losses: [
    {
      key: `average${name}`,
      exits: allExits(victim),
      build: (ctx) =>
        scale(
          ctx,
          sum(
            ctx,
            allExits(victim).map((k) => of(ctx, k)),
          ),
          1 / exitCount(victim),
        ),
    },
  ],
  starts: () => [0],
});

/** One run per exit on that exit's cross-entropy. The image with the largest total loss wins. */
export const max = (victim: Victim): Objective => ({
  ...maxOf(victim, CROSS_ENTROPY),
  scaleFree: [MARGIN, SCALED].map((loss) => maxOf(victim, loss)),
});

const maxOf = (victim: Victim, { name, of }: ExitLoss): Objective => ({
  ...shared(victim),
  name: "max",
  losses: allExits(victim).map((k) => ({
    key: `max${name}@${k}`,
    exits: allExits(victim),
    build: (ctx: LossContext) => of(ctx, k),
  })),
  starts: () => allExits(victim),
  score: totalLoss,
});

/** Sum over exits of the cross-entropy of the true label. */
const totalLoss = (sample: Sample, { logits }: Evaluation): number =>
  logits.reduce(
    (total, row) => total - Math.log(Math.max(softmaxRow(row as Float32Array)[sample.label], Number.MIN_VALUE)),
    0,
  );
