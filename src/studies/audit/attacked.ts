/** @file The images of one attack of an audit, and the network's answers for them. */
import type { SampleOutcome } from "../../attacks/attack.js";
import type { Sample } from "../../attacks/sample.js";
import type { ConfiguredAttack } from "../../attacks/spec.js";
import type { Images } from "../../core/images.js";
import type { Logits } from "../../core/logits.js";
import { argmax } from "../../dynamic/route/policy.js";
import type { Routed } from "../../dynamic/route/route.js";
import type { AuditedModel } from "./audited-model.js";

/** The images of an attack, with all results of the network for them. */
export interface Attacked {
  readonly attack: ConfiguredAttack;
  /** The networks that the attack searched on, if not the audited one. */
  readonly surrogates: readonly string[] | undefined;
  readonly samples: readonly Sample[];
  readonly outcomes: readonly SampleOutcome[];
  readonly images: Images;
  readonly rounded: Images;
  readonly logits: Logits;
  readonly roundedLogits: Logits;
  readonly routed: readonly Routed[];
  readonly seconds: number;
}

/** The label that the judged answer had on each clean image. */
export const cleanAnswers = (
  { goal }: Pick<ConfiguredAttack, "goal">,
  samples: readonly Sample[],
  { routed }: AuditedModel,
): number[] => samples.map(({ clean }, i) => (goal.answer === "routed" ? routed[i].label : argmax(clean[goal.answer])));
