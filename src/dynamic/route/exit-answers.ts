/** @file What every exit answers for one image, and which exit the network takes. */
import type { Logits } from "../../core/logits.js";
import { type Policy, thresholdCount } from "../../schema/policy.js";
import type { DynamicModel } from "../model/model.js";
import { readingOf, route } from "./route.js";

/** The answer of one exit. */
export interface ExitAnswer {
  /** Name of the exit. */
  readonly exit: string;
  /** The class with the largest logit. */
  readonly label: number;
  /** Its name. Undefined when the model has no names. */
  readonly className: string | undefined;
  /** How sure the exit is, by the rule of the policy. */
  readonly confidence: number;
  /** The confidence at which the exit fires. Undefined for the final exit, and for patience. */
  readonly threshold: number | undefined;
  /** The work up to this exit as a share of the work of the full network, with all gates open. */
  readonly costFraction: number;
  /** Whether the work stops here under the policy. */
  readonly stops: boolean;
}

/** The answers of all exits for one image of `logits`.
 * @param i number of the image
 * @returns one entry per exit, in order
 * @throws DynnError 'policy/value' when the policy does not fit
 * @example
 * const logits = await forward.logits(await readImage("photo.png", model));
 * for (const { exit, className, confidence } of exitAnswers(model, { logits, policy }))
 *   console.log(exit, className, confidence); */
export function exitAnswers(
  model: Pick<DynamicModel, "exits" | "classNames">,
  { logits, policy, i = 0 }: { readonly logits: Logits; readonly policy: Policy; readonly i?: number | undefined },
): ExitAnswer[] {
  const { stop } = route(logits, policy)[i];
  const listed = policy.rule !== "patience" && thresholdCount(policy.rule, model.exits.length) > 0;
  return model.exits.map(({ name, costFraction }, k) => {
    const { label, confidence } = readingOf(logits.row(k, i), policy, k);
    const threshold = listed ? policy.thresholds[k] : undefined;
    return {
      ...{ exit: name, label, className: model.classNames?.[label], confidence, threshold, costFraction },
      stops: k === stop,
    };
  });
}
