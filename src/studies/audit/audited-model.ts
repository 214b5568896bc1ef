/** @file The model on the clean samples under its policy. Every attack is compared with these
 *  results. */
import type { Victim } from "../../attacks/goals/victim.js";
import { type Sample, samplesOf } from "../../attacks/sample.js";
import type { Images } from "../../core/images.js";
import type { Logits } from "../../core/logits.js";
import type { DynamicModel } from "../../dynamic/model/model.js";
import { underPolicy } from "../../dynamic/model/under-policy.js";
import { type Routed, route } from "../../dynamic/route/route.js";
import type { InProcess } from "../tasks/in-process.js";
import { AGAIN_FILE, logitsOf } from "../tasks/kinds/answers.js";
import type { AuditPlan } from "./plan.js";

export interface AuditedModel {
  readonly victim: Victim;
  readonly samples: readonly Sample[];
  readonly labels: Int32Array;
  /** Logits of the clean samples. */
  readonly logits: Logits;
  readonly routed: readonly Routed[];
  /** Whether two runs on the same images gave different logits. */
  readonly random: boolean;
}

/** The results of the tasks on clean images. */
export function auditedModel(
  { policy: policyKey, clean }: Pick<AuditPlan, "policy" | "clean">,
  { model: given, images }: { readonly model: DynamicModel; readonly images: Images },
  run: InProcess,
): AuditedModel {
  const policy = run.policy(policyKey);
  const model = underPolicy(given, policy);
  const { logits, labels } = run.measured(clean);
  const samples = samplesOf({ images, labels, logits });
  const random = differs(logits, logitsOf(run.array(clean, AGAIN_FILE)));
  return { victim: { model, policy }, samples, labels, logits, routed: route(logits, policy), random };
}

/** Whether a second run on the first images gave other logits than the first run. */
const differs = (logits: Logits, again: Logits): boolean =>
  again.exits.some((exit, k) => exit.some((value, i) => value !== logits.exits[k][i]));
