/** @file Where the attacks of an audit search: on the audited model itself, or on a surrogate. */
import type { SampleOutcome } from "../../attacks/attack.js";
import { METHODS, type MethodName } from "../../attacks/methods/table.js";
import { Evaluator } from "../../attacks/oracle/evaluator.js";
import type { SessionRoom } from "../../attacks/oracle/sessions.js";
import { type Sample, samplesOf } from "../../attacks/sample.js";
import { type AttackConfig, type ConfiguredAttack, configureAttack } from "../../attacks/spec.js";
import { DynnError } from "../../core/errors.js";
import { showShape } from "../../core/shape.js";
import { readImages } from "../../data/dataset.js";
import type { DynamicModel } from "../../dynamic/model/model.js";
import { underPolicy } from "../../dynamic/model/under-policy.js";
import { Forward } from "../../dynamic/run/forward.js";
import type { AuditedModel } from "./audited-model.js";
import type { AuditOptions, Surrogate } from "./options.js";

/** The network that attacks search on. */
export interface Crafting extends Pick<AuditedModel, "victim" | "samples"> {
  readonly evaluator: Evaluator;
  /** The attack of an entry, for this network. */
  readonly configure: (config: AttackConfig) => ConfiguredAttack;
  /** Names of the surrogates. Undefined on the audited model itself. */
  readonly surrogates: readonly string[] | undefined;
}

/** The network to search on.
 * @param room limits the memory of its sessions
 * @throws DynnError 'transfer/mismatch' when a surrogate takes other images or classes */
export async function craftingOf(
  audited: AuditedModel,
  options: AuditOptions,
  room: SessionRoom | undefined,
): Promise<Crafting> {
  const { surrogate, backend } = options;
  const { model } = audited.victim;
  if (!surrogate) {
    const { victim, samples } = audited;
    const configure = (config: AttackConfig) => configureAttack(config, victim);
    return { victim, samples, configure, evaluator: new Evaluator(model, backend, room), surrogates: undefined };
  }
  checkAlike(model, surrogate.model);
  const victim = { model: underPolicy(surrogate.model, surrogate.policy), policy: surrogate.policy };
  return {
    victim,
    samples: await samplesFor(victim.model, audited, options),
    configure: (config) => configureAttack(onSurrogate(config, surrogate), victim),
    evaluator: new Evaluator(victim.model, backend, room),
    surrogates: surrogate.names,
  };
}

/** The samples with the surrogate's logits for the clean images. */
async function samplesFor(
  model: DynamicModel,
  { labels }: AuditedModel,
  { backend, data, batch, signal }: AuditOptions,
): Promise<Sample[]> {
  const forward = await Forward.compile(model, backend);
  const images = await readImages(data);
  const logits = await forward.logits(images, { batch, signal });
  await forward.release();
  return samplesOf({ images, labels, logits });
}

/** The entry as it runs on a surrogate. */
const onSurrogate = (config: AttackConfig, { form }: Surrogate): AttackConfig => ({
  ...transferable(config),
  ...(form === "losses" && (config.goal ?? "misclassify:final") === "misclassify:final" ? { goal: "average" } : {}),
});

/** An attack that stops at the first success ends just beyond the surrogate's boundary, and hardly
 * transfers. So the last iterate is taken where the method offers it. */
export function transferable(config: AttackConfig): AttackConfig {
  const parameters = METHODS[(config.method ?? "pgd") as MethodName]?.parameters ?? {};
  return "iterate" in parameters && config.iterate === undefined ? { ...config, iterate: "last" } : config;
}

/** @throws DynnError 'transfer/mismatch' */
function checkAlike(target: DynamicModel, surrogate: DynamicModel): void {
  const what = ({ input, classes }: DynamicModel) => `images ${showShape(input.shape.slice(1))} and ${classes} classes`;
  const names = ({ classNames }: DynamicModel) => classNames?.join("\n");
  const sameNames = [names(target), names(surrogate)].includes(undefined) || names(target) === names(surrogate);
  if (what(target) === what(surrogate) && sameNames) return;
  throw new DynnError(
    "transfer/mismatch",
    `surrogate ${surrogate.name}: takes ${what(surrogate)}${sameNames ? "" : " with other names"}, but ${target.name} takes ${what(target)}. Give a surrogate for the same images and classes.`,
    { target: target.name, surrogate: surrogate.name, options: ["surrogate"] },
  );
}

/** The outcomes on the audited model: a sample is eligible when the goal does not hold there. */
export const forTarget = (
  outcomes: readonly SampleOutcome[],
  { goal }: ConfiguredAttack,
  samples: readonly Sample[],
): SampleOutcome[] =>
  outcomes.map((outcome, i) => ({
    ...outcome,
    eligible: goal.everySampleEligible === true || !goal.succeeded(samples[i], samples[i].clean),
  }));
