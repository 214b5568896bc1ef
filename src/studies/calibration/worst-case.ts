/** @file Thresholds that bound cost and accuracy under an attack. An attack may follow the policy, so attacked samples made once are not enough:
 *  choose, attack the validation records under what was chosen, and while the attack breaks a bound, choose again with these samples among
 *  those that must keep it. Every round adds a set; earlier sets stay. */

import { samplesOf, toEightBits } from "../../attacks/attack.js";
import { configureAttack } from "../../attacks/config.js";
import { Evaluator } from "../../attacks/evaluator.js";
import { runAttack } from "../../attacks/runner.js";
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
import type { CalibrationOptions, WorstCaseOptions } from "./options.js";
import type { Split } from "./split.js";

/** More rounds than this have not been seen to help. */
const MOST_ROUNDS = 4;

export type WorstCaseRecord = NonNullable<CalibrationRecord["worstCase"]>;

/** Choose under the bounds, and attack the test records under the choice.
 * @throws DynnError 'policy/validation' when no thresholds keep target and bounds; 'attack/config', 'attack/unsupported' */
export async function boundWorstCase(
  request: CalibrationRequest,
  splits: { readonly validation: Split; readonly test: Split },
  worst: WorstCaseOptions,
  options: CalibrationOptions,
): Promise<{ calibration: Calibration; worstCase: WorstCaseRecord }> {
  const attacker = new Attacker(options, worst);
  const bounds = { maxCost: worst.maxCost, minAccuracy: worst.minAccuracy };
  const judge = (attacked: Measured, policy: Policy) => recordOf(attacked, policy, request.costs);
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

function recordOf(attacked: Measured, policy: Policy, costs: readonly number[]): WorstCaseRecord["validation"] {
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
  };
}

/** One attack, on whatever records and under whatever policy. */
class Attacker {
  readonly #options: CalibrationOptions;
  readonly #worst: WorstCaseOptions;
  readonly #evaluator: Evaluator;
  /** A policy decides what an attack does, not what it is. */
  readonly described: Pick<WorstCaseRecord, "attack" | "objective" | "norm" | "radius">;

  constructor(options: CalibrationOptions, worst: WorstCaseOptions) {
    this.#options = options;
    this.#worst = worst;
    this.#evaluator = new Evaluator(options.model, options.backend);
    const { name, objective, budget } = configureAttack(worst.attack, {
      model: options.model,
      policy: singleExitPolicy(),
    });
    this.described = { attack: name, objective: objective.name, norm: budget.norm, radius: budget.radius ?? null };
  }

  /** What the network says of the first records after the attack, rounded to 8 bits as a file or camera would. */
  async attack(split: Split, policy: Policy, phase: string): Promise<Measured> {
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
    return { logits, labels: samples.map((s) => s.label) };
  }

  release(): Promise<void> {
    return this.#evaluator.release();
  }
}
