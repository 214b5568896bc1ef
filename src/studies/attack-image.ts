/** @file Attacks one image and says what every exit answers before and after. The image is rounded
 *  to 8 bits, as a file holds it, and success is judged on the rounded image. */
import { Evaluator } from "../attacks/oracle/evaluator.js";
import { runAttack } from "../attacks/runner.js";
import { samplesOf, seenIn, toEightBits } from "../attacks/sample.js";
import { type AttackConfig, configureAttack } from "../attacks/spec.js";
import { DynnError } from "../core/errors.js";
import { checkGiven } from "../core/given.js";
import { Images } from "../core/images.js";
import type { DynamicModel } from "../dynamic/model/model.js";
import { underPolicy } from "../dynamic/model/under-policy.js";
import { type ExitAnswer, exitAnswers } from "../dynamic/route/exit-answers.js";
import { FullForward } from "../dynamic/run/full-forward.js";
import { checkOutputs } from "../dynamic/run/outputs.js";
import { NORMS } from "../perturb/norms.js";
import type { Backend } from "../runtime/backend.js";
import type { Policy } from "../schema/policy.js";

/** What an attack on one image may aim at. */
export const IMAGE_GOALS = ["wrong", "early", "slowdown"] as const;
/** wrong: the network's answer is wrong. early: the network's answer is wrong, and the final exit
 * with every gate open stays right. slowdown: no early exit fires. */
export type ImageGoal = (typeof IMAGE_GOALS)[number];

/** Options of {@link attackImage}. */
export interface AttackImageOptions {
  /** Runs the model and its gradients. */
  readonly backend: Backend;
  /** Decides where the network stops. */
  readonly policy: Policy;
  /** What the attack aims at. */
  readonly goal: ImageGoal;
  /** The true class. Default: the answer of the final exit on the clean image. */
  readonly label?: number | undefined;
  /** Largest change of a pixel, in pixel units of [0,1]. Default: 8/255. */
  readonly radius?: number | undefined;
  /** Steps of projected gradient descent. Default: 40. */
  readonly steps?: number | undefined;
  /** Seed of the random start. Default: 0. */
  readonly seed?: number | undefined;
  /** Stops the work. The promise then rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

/** An attacked image, and what it does. */
export interface AttackedImage {
  /** The attacked image, rounded to 8 bits. The clean one where `eligible` is false. */
  readonly image: Images;
  /** The class that counts as true. */
  readonly label: number;
  /** Whether there was anything to attack: false where the clean image meets the goal already. */
  readonly eligible: boolean;
  /** Whether the rounded image reaches the goal. */
  readonly success: boolean;
  /** What every exit answers for the clean image. */
  readonly before: readonly ExitAnswer[];
  /** What every exit answers for the attacked image. */
  readonly after: readonly ExitAnswer[];
  /** Largest change of a pixel, in pixel units of [0,1]. */
  readonly changed: number;
}

/** Attacks one image with projected gradient descent (Madry et al. 2018) in an Linf ball.
 * @param given a classifier; the goals early and slowdown need early exits
 * @param image one image
 * @throws DynnError 'data/shape' for another number of images, 'attack/unsupported' when the model
 *  has no early exit for the goal, 'gradient/none', and as `Forward` and `runAttack`
 * @example
 * const found = await attackImage(model, await readImage("photo.png", model), {
 *   backend: ortNode(), policy, goal: "slowdown" });
 * console.log(found.success, found.after.find(({ stops }) => stops)?.exit); */
export async function attackImage(
  given: DynamicModel,
  image: Images,
  options: AttackImageOptions,
): Promise<AttackedImage> {
  checkGiven("attackImage", {
    model: given,
    images: image,
    options,
    backend: options?.backend,
    policy: options?.policy,
  });
  if (image.count !== 1)
    throw new DynnError("data/shape", `images: got ${image.count}, expected 1. Attack one image at a time.`, {
      count: image.count,
    });
  const { backend, policy, seed = 0, signal } = options;
  const model = underPolicy(await checkOutputs(given, { backend }), policy);
  const attack = configureAttack(configOf(options, model), { model, policy });
  const forward = await FullForward.compile(model, { backend });
  const evaluator = new Evaluator(model, { backend });
  try {
    const clean = await forward.logits(image, { batch: 1, signal });
    const before = exitAnswers(model, { logits: clean, policy });
    const label = options.label ?? (before.at(-1) as ExitAnswer).label;
    const [sample] = samplesOf({ images: image, labels: [label], logits: clean });
    const [outcome] = await runAttack(attack, [sample], { evaluator, seed, batch: 8, signal });
    const rounded = new Images(toEightBits(outcome.eligible ? outcome.image : image.data), image.dims);
    const logits = await forward.logits(rounded, { batch: 1, signal });
    return {
      ...{ image: rounded, label, before, eligible: outcome.eligible },
      after: exitAnswers(model, { logits, policy }),
      success: attack.goal.succeeded(sample, seenIn(logits, 0)),
      changed: NORMS.linf.distance(image.data, rounded.data),
    };
  } finally {
    await Promise.all([forward.release(), evaluator.release()]);
  }
}

/** A network without early exits has one answer to make wrong. */
function configOf({ goal, radius = 8 / 255, steps = 40 }: AttackImageOptions, { exits }: DynamicModel): AttackConfig {
  const wrong = exits.length > 1 ? "routed" : "misclassify:final";
  const goals = { wrong, early: "early:margin", slowdown: "slowdown" } as const;
  return { name: goal, goal: goals[goal], method: "pgd", norm: "linf", radius, steps };
}
