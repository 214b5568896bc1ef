/** @file Chooses thresholds that keep bounds on cost and accuracy under an attack. An attack can
 *  depend on the policy, so one set of attacked samples is not enough. Each round chooses a policy
 *  and attacks the validation records under it. While the attack breaks a bound, the next round
 *  adds these samples to those that must keep the bounds. Earlier sets stay. */

import { Evaluator } from "../../attacks/oracle/evaluator.js";
import type { SessionRoom } from "../../attacks/oracle/sessions.js";
import { runAttack } from "../../attacks/runner.js";
import { samplesOf, toEightBits } from "../../attacks/sample.js";
import { configureAttack } from "../../attacks/spec.js";
import { Images } from "../../core/images.js";
import { stackRows } from "../../core/tensor.js";
import {
  type Calibration,
  type CalibrationRequest,
  calibrate,
  keeps,
  type Measured,
} from "../../dynamic/choose/calibrate.js";
import { route } from "../../dynamic/route/route.js";
import { accuracy } from "../../measures/accuracy.js";
import { meanInterval } from "../../measures/mean.js";
import type { CalibrationRecord } from "../../schema/calibration-record.js";
import type { Policy } from "../../schema/policy.js";
import { singleExitPolicy } from "../../schema/policy.js";
import { nothingToAttack } from "../audit/tally.js";
import type { CalibrationOptions, WorstCaseOptions } from "./options.js";
import type { Split } from "./split.js";

/** Largest number of rounds. In experiments, more rounds did not help. */
const MOST_ROUNDS = 4;

export type WorstCaseRecord = NonNullable<CalibrationRecord["worstCase"]>;

/** Chooses a policy under the bounds, and attacks the test records under this policy.
 * @throws DynnError 'policy/validation' when no thresholds keep target and bounds
 * @throws DynnError 'attack/config', 'attack/unsupported' when the attack does not fit the model */
export async function boundWorstCase(
  request: CalibrationRequest,
  splits: { readonly validation: Split; readonly test: Split },
  worst: WorstCaseOptions,
  options: CalibrationOptions & { readonly room?: SessionRoom | undefined },
): Promise<{ calibration: Calibration; worstCase: WorstCaseRecord }> {
  const attacker = new Attacker(options, worst);
  const bounds = { maxCost: worst.maxCost, minAccuracy: worst.minAccuracy };
  const judge = (attacked: Attacked, policy: Policy) => recordOf(attacked, policy, request.costs);
  try {
    const attacked: Measured[] = [];
    for (let rounds = 1; ; rounds++) {
      const worstCase = attacked.length > 0 ? { attacked: [...attacked], ...bounds } : undefined;
      const calibration = calibrate(splits.validation, { ...request, worstCase });
      const fresh = await attacker.attack(splits.validation, calibration.policy, `validation, round ${rounds}`);
      const validation = judge(fresh, calibration.policy);
      const found = { worstCost: validation.meanCost.value, worstAccuracy: validation.accuracy.value };
      const held = keeps(bounds, found);
      attacked.push(fresh);
      if (!held && rounds < MOST_ROUNDS) continue;
      const test = judge(await attacker.attack(splits.test, calibration.policy, "test"), calibration.policy);
      return { calibration, worstCase: { ...attacker.described, ...bounds, rounds, held, validation, test } };
    }
  } finally {
    await attacker.release();
  }
}

function recordOf(attacked: Attacked, policy: Policy, costs: readonly number[]): WorstCaseRecord["validation"] {
  const routed = route(attacked.logits, policy);
  const full = costs.at(-1) as number;
  const shares = costs.map((cost) => cost / full);
  return {
    samples: routed.length,
    accuracy: accuracy(
      attacked.labels,
      routed.map((r) => r.label),
    ),
    meanCost: meanInterval(
      routed.map((r) => shares[r.stop]),
      [shares[0], 1],
    ),
    nothingToAttack: attacked.nothing,
    vanishedGradients: attacked.vanished,
  };
}

/** Records after an attack. */
interface Attacked extends Measured {
  /** Why there was nothing to attack, if so. */
  readonly nothing: WorstCaseRecord["validation"]["nothingToAttack"];
  /** Number of samples with a vanished gradient. */
  readonly vanished: number;
}

/** One attack, for any records and any policy. */
class Attacker {
  readonly #options: CalibrationOptions;
  readonly #worst: WorstCaseOptions;
  readonly #evaluator: Evaluator;
  /** The description of the attack. It does not depend on the policy. */
  readonly described: Pick<WorstCaseRecord, "attack" | "objective" | "norm" | "radius" | "retriedOnMargins">;

  constructor(options: Parameters<typeof boundWorstCase>[3], worst: WorstCaseOptions) {
    this.#options = options;
    this.#worst = worst;
    this.#evaluator = new Evaluator(options.model, options.backend, options.room);
    const { name, goal, method, budget } = configureAttack(worst.attack, {
      model: options.model,
      policy: singleExitPolicy(),
    });
    this.described = {
      attack: name,
      objective: goal.name,
      norm: budget.norm,
      radius: budget.radius ?? null,
      retriedOnMargins: method.retriesVanished && goal.scaleFree !== undefined,
    };
  }

  /** The logits of the first records after the attack. Attacked images are rounded to 8 bits, as in
   * a file or a camera. */
  async attack(split: Split, policy: Policy, phase: string): Promise<Attacked> {
    const { model, seed, batch, signal, onProgress } = this.#options;
    const attack = configureAttack(this.#worst.attack, { model, policy });
    const samples = samplesOf({ ...split, labels: split.labels.subarray(0, this.#worst.samples) });
    const outcomes = await runAttack(attack, samples, this.#evaluator, {
      seed,
      batch,
      signal,
      onProgress: (done, total) => onProgress?.({ phase: `${attack.name}, ${phase}`, done, total }),
    });
    const images = Images.for(model, toEightBits(stackRows(outcomes.map((o) => o.image)).data));
    const logits = await split.forward.logits(images, { batch, signal });
    const labels = split.labels.slice(0, samples.length);
    const clean = { logits: split.logits, routed: route(split.logits, policy) };
    return {
      logits,
      labels,
      nothing: nothingToAttack(attack.goal, outcomes, clean, labels),
      vanished: outcomes.filter((o) => o.vanished).length,
    };
  }

  release(): Promise<void> {
    return this.#evaluator.release();
  }
}
