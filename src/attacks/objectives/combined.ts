/** @file Attacks on all exits at once: their average loss, or the strongest single-exit attack by total loss.
 *  Source: Hu et al. 2020, "Triple Wins" (PGD-average, PGD-max). */
import { softmaxRow } from "../../dynamic/route/policy.js";
import type { Evaluation, Objective, Sample } from "../attack.js";
import { crossEntropy, scale, sum } from "../losses.js";
import { allExits, exitCount, routedIsWrong, type Target, trueLabel } from "./target.js";

const shared = (target: Target): Pick<Objective, "answer" | "label" | "succeeded"> => ({
  answer: "routed",
  label: trueLabel,
  succeeded: routedIsWrong(target),
});

/** Mean cross-entropy over the exits. */
export const average = (target: Target): Objective => ({
  ...shared(target),
  name: "average",
  losses: [
    {
      key: "average",
      exits: allExits(target),
      build: (g) =>
        scale(
          g,
          sum(
            g,
            allExits(target).map((k) => crossEntropy(g, k)),
          ),
          1 / exitCount(target),
        ),
    },
  ],
  starts: () => [0],
});

/** One run per exit on that exit's cross-entropy; the image with the largest total loss wins. */
export const max = (target: Target): Objective => ({
  ...shared(target),
  name: "max",
  losses: allExits(target).map((k) => ({ key: `max@${k}`, exits: allExits(target), build: (g) => crossEntropy(g, k) })),
  starts: () => allExits(target),
  score: totalLoss,
});

/** Sum over exits of the cross-entropy of the true label. */
const totalLoss = (sample: Sample, { logits }: Evaluation): number =>
  logits.reduce(
    (total, row) => total - Math.log(Math.max(softmaxRow(row as Float32Array)[sample.label], Number.MIN_VALUE)),
    0,
  );
