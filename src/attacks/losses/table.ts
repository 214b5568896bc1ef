/** @file The losses of one exit. Each moves the answer away from the label, or towards a target. */

import type { ValueName } from "../../graph/graph.js";
import { dlr, targetedDlr } from "./dlr.js";
import type { LossContext } from "./loss.js";
import {
  capped,
  crossEntropy,
  difference,
  divergence,
  jitter,
  margin,
  scale,
  scaledCrossEntropy,
  weighted,
} from "./nodes.js";

type Build = (ctx: LossContext, exit: number, hot?: ValueName) => ValueName;

/** One entry of the table of losses. */
export interface LossDef {
  readonly about: string;
  readonly source: string;
  /** The fewest classes that the loss makes sense for. */
  readonly fewestClasses: number;
  /** Whether the loss of logits times a factor leads the same way. */
  readonly scaleFree: boolean;
  /** A value [n] that rises as the answer leaves the class `hot`, which is the label by default.
   * The targeted form is the negative of this value for the target. */
  readonly away: Build;
  /** Whether there is a targeted form. Without one, the questions say what the loss aims at. */
  readonly targeted: boolean;
}

/** All losses of one exit, by name. */
export const LOSSES = {
  "cross-entropy": {
    about: "the cross-entropy of the label",
    source: "Goodfellow et al. 2015",
    fewestClasses: 2,
    scaleFree: false,
    away: crossEntropy,
    targeted: true,
  },
  margin: {
    about: "the largest other logit minus the logit of the label",
    source: "Carlini & Wagner 2017, f6",
    fewestClasses: 2,
    scaleFree: true,
    away: margin,
    targeted: true,
  },
  "scaled-cross-entropy": {
    about: "the cross-entropy of logits that are scaled to one spread",
    source: "dynn",
    fewestClasses: 2,
    scaleFree: true,
    away: scaledCrossEntropy,
    targeted: true,
  },
  divergence: {
    about: "the Kullback-Leibler divergence from the probabilities of the clean image",
    source: "Zhang et al. 2019, TRADES",
    fewestClasses: 2,
    scaleFree: false,
    away: divergence,
    targeted: false,
  },
  jitter: {
    about: "the squared difference between noisy probabilities of scaled logits and the label",
    source: "Schwinn et al. 2021",
    fewestClasses: 2,
    scaleFree: true,
    away: jitter,
    targeted: true,
  },
  dlr: {
    about: "the margin, divided by the largest logit minus the third",
    source: "Croce & Hein 2020, equation 6",
    fewestClasses: 3,
    scaleFree: true,
    away: dlr,
    targeted: true,
  },
  "targeted-dlr": {
    about:
      "the logit of a target minus that of the label, divided by the largest minus the mean of the third and the fourth",
    source: "Croce & Hein 2020, equation 7",
    fewestClasses: 4,
    scaleFree: true,
    away: targetedDlr,
    targeted: false,
  },
  difference: {
    about: "the logit of one class minus the logit of the label",
    source: "Moosavi-Dezfooli et al. 2016",
    fewestClasses: 2,
    scaleFree: true,
    away: difference,
    targeted: false,
  },
  "weighted-logits": {
    about: "the sum of all logits, each times a weight",
    source: "Papernot et al. 2016",
    fewestClasses: 2,
    scaleFree: true,
    away: weighted,
    targeted: false,
  },
} as const satisfies Readonly<Record<string, LossDef>>;

/** The name of a loss of one exit. */
export type LossName = keyof typeof LOSSES;
export const LOSS_NAMES = Object.keys(LOSSES) as LossName[];

/** A loss of one exit, with its cap. */
export interface LossForm {
  readonly kind: LossName;
  /** The largest value of the loss. Undefined: the loss has no limit. */
  readonly cap?: number | undefined;
}

/** A loss of one exit, and how keys of sessions name it. */
export interface ExitLoss {
  readonly key: string;
  readonly form: LossForm;
  readonly of: (ctx: LossContext, exit: number) => ValueName;
}

/** The loss of one exit in one form.
 * @param targeted whether it leads towards the target */
export function exitLoss(form: LossForm, targeted: boolean): ExitLoss {
  const def: LossDef = LOSSES[form.kind];
  const build: Build =
    targeted && def.targeted
      ? (ctx, exit) => scale(ctx, def.away(ctx, exit, ctx.targetHot()), -1)
      : (ctx, exit) => def.away(ctx, exit);
  const { cap } = form;
  return {
    key: `${form.kind}${targeted ? "+" : ""}${cap === undefined ? "" : `/${cap}`}`,
    form,
    of: cap === undefined ? build : (ctx, exit) => capped(ctx, build(ctx, exit), cap),
  };
}
