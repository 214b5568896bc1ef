/** @file The parts of the audit record that do not depend on attacks: what was audited, and the
 *  answers on clean images. */
import { present } from "../../core/present.js";
import { notesOf } from "../../data/dataset.js";
import { confusionByAnswer } from "../../measures/confusion.js";
import { overthinking, underthinking } from "../../measures/overthinking.js";
import { type AuditRecord, SCHEMA_VERSION } from "../../schema/audit-record.js";
import { digestRecord, madeRecord } from "../../schema/made.js";
import { policyRecord } from "../../schema/policy.js";
import { readingOf } from "../../schema/reading.js";
import { gateRecords } from "../../schema/units.js";
import { gateBaselines } from "../gates/baselines.js";
import type { AuditedModel } from "./audited-model.js";
import type { AuditOptions } from "./options.js";
import { type Reference, skippingRecord } from "./skipping.js";
import { efficacies, labelsOf, perExit, probabilitiesOf, routedRecord, stopsOf } from "./tally.js";

/** What was audited, on which records, and by which run. */
export function header({
  model,
  data,
  policy,
  seed,
  version,
  made,
}: AuditOptions): Pick<AuditRecord, "schemaVersion" | "tool" | "made" | "model" | "data"> {
  return {
    schemaVersion: SCHEMA_VERSION,
    tool: { name: "dynn", version },
    ...madeRecord(made),
    model: {
      name: model.name,
      ...digestRecord(model),
      ...(model.classNames || data.classes ? { classes: [...(model.classNames ?? data.classes ?? [])] } : {}),
      input: [...model.input.shape],
      parameters: model.parameters,
      exits: model.exits.map(({ name, macs, costFraction }) => ({ name, macs, costFraction })),
      ...gateRecords(model),
      ...readingOf(model),
    },
    data: {
      name: data.name,
      samples: data.count,
      seed,
      ...(policy.kind === "calibrated"
        ? { validation: { name: policy.validation.name, samples: policy.validation.count } }
        : {}),
      notes: notesOf(data, policy.kind === "calibrated" ? policy.validation : undefined),
    },
  };
}

/** The answers on the clean images. */
export function cleanRecord({ victim, logits, labels, routed }: AuditedModel): AuditRecord["clean"] {
  const { model, policy } = victim;
  const exits = perExit(logits, labels);
  const routing = routedRecord(routed, labels, model);
  const right = logits.exits.map((_, exit) =>
    Uint8Array.from(labelsOf(logits, exit), (label, i) => (label === labels[i] ? 1 : 0)),
  );
  return {
    accuracyPerExit: exits.map((r) => r.value),
    accuracyIntervals: exits,
    routed: { ...routing, ...policyRecord(policy) },
    ...efficacies(model, routed),
    overthinking: overthinking(right, stopsOf(routed)),
    underthinking: underthinking(right, stopsOf(routed)),
    confusion: confusionByAnswer(probabilitiesOf(logits), logits.classes, present(right.at(-1), "the final exit")),
  };
}

/** What the gates did, and the baselines where they are asked for. */
export async function skipping(
  { gateBaselines: asked, ...options }: AuditOptions,
  onClean: AuditedModel,
  references: readonly Reference[],
): Promise<Pick<AuditRecord["clean"], "skipping">> {
  const own = skippingRecord(onClean, references);
  if (!asked) return own;
  const { policy } = onClean.victim;
  const statics = options.baseline ? [options.baseline] : [];
  const baselines = await gateBaselines({ ...options, ...asked, policy, statics });
  return own.skipping ? { skipping: { ...own.skipping, baselines } } : own;
}
