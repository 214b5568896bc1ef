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
import { type Calibration, keeps, type Measured } from "../../dynamic/choose/calibrate.js";
import { calibrateUnits, type MeasuredUnits, type UnitRequest } from "../../dynamic/choose/calibrate-units.js";
import type { UnitCosts } from "../../dynamic/choose/sweep.js";
import type { DynamicModel } from "../../dynamic/model/model.js";
import { underPolicy } from "../../dynamic/model/under-policy.js";
import { route } from "../../dynamic/route/route.js";
import { measuredUnits } from "../../dynamic/run/gated-runs.js";
import { accuracy } from "../../measures/accuracy.js";
import type { CalibrationRecord } from "../../schema/calibration-record.js";
import { gateThresholds, type Policy, singleExitPolicy } from "../../schema/policy.js";
import { nothingToAttack } from "../audit/tally.js";
import type { CalibrationOptions, WorstCaseOptions } from "./options.js";
import { meanCost, type Split, underGates } from "./split.js";

/** Largest number of rounds. In experiments, more rounds did not help. */
const MOST_ROUNDS = 4;

export type WorstCaseRecord = NonNullable<CalibrationRecord["worstCase"]>;

/** Chooses a policy under the bounds, and attacks the test records under this policy.
 * @throws DynnError 'policy/validation' when no thresholds keep target and bounds
 * @throws DynnError 'attack/config', 'attack/unsupported' when the attack does not fit the model */
export async function boundWorstCase(
  request: UnitRequest,
  splits: { readonly validation: Split; readonly test: Split },
  worst: WorstCaseOptions,
  options: CalibrationOptions & { readonly room?: SessionRoom | undefined },
): Promise<{ calibration: Calibration; worstCase: WorstCaseRecord }> {
  const attacker = new Attacker(options, worst);
  const bounds = { maxCost: worst.maxCost, minAccuracy: worst.minAccuracy };
  const judge = (attacked: Attacked, policy: Policy) => recordOf(attacked, policy, options.model, request);
  try {
    const attacked: MeasuredUnits[] = [];
    for (let rounds = 1; ; rounds++) {
      const worstCase = attacked.length > 0 ? { attacked: [...attacked], ...bounds } : undefined;
      const calibration = await calibrateUnits(splits.validation, { ...request, worstCase });
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

function recordOf(
  attacked: Attacked,
  policy: Policy,
  model: DynamicModel,
  { costs, gateCosts = [] }: UnitCosts,
): WorstCaseRecord["validation"] {
  const routed = route(attacked.logits, policy);
  const full = costs.at(-1) as number;
  const share = (cost: number): number => cost / full;
  return {
    samples: routed.length,
    accuracy: accuracy(
      attacked.labels,
      routed.map((r) => r.label),
    ),
    meanCost: meanCost(model, routed, { costs: costs.map(share), gateCosts: gateCosts.map(share) }),
    nothingToAttack: attacked.nothing,
    vanishedGradients: attacked.vanished,
  };
}

/** Records after an attack, under the policy that was attacked and under any thresholds of
 * gates. */
interface Attacked extends Measured, MeasuredUnits {
  /** Why there was nothing to attack, if so. */
  readonly nothing: WorstCaseRecord["validation"]["nothingToAttack"];
  /** Number of samples with a vanished gradient. */
  readonly vanished: number;
}

/** One attack, for any records and any policy. */
class Attacker {
  readonly #options: Parameters<typeof boundWorstCase>[3];
  readonly #worst: WorstCaseOptions;
  #evaluator: Evaluator;
  #attacked: DynamicModel;
  /** The description of the attack. It does not depend on the policy. */
  readonly described: Pick<WorstCaseRecord, "attack" | "objective" | "norm" | "radius" | "retriedOnMargins">;

  constructor(options: Parameters<typeof boundWorstCase>[3], worst: WorstCaseOptions) {
    this.#options = options;
    this.#worst = worst;
    this.#attacked = options.model;
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
    const { seed, batch, signal, onProgress } = this.#options;
    const model = await this.#under(policy);
    const attack = configureAttack(this.#worst.attack, { model, policy });
    const clean = await underGates(split, policy, model);
    const labels = split.labels.slice(0, this.#worst.samples);
    const samples = samplesOf({ images: split.images, logits: clean.logits, labels });
    const outcomes = await runAttack(attack, samples, this.#evaluator, {
      seed,
      batch,
      signal,
      onProgress: (done, total) => onProgress?.({ phase: `${attack.name}, ${phase}`, done, total }),
    });
    const images = Images.for(model, toEightBits(stackRows(outcomes.map((o) => o.image)).data));
    const measured = measuredUnits(split.runs, { images, labels }, { batch, signal });
    const answers = { logits: clean.logits, routed: route(clean.logits, policy) };
    return {
      ...measured,
      ...(await measured.at(gateThresholds(policy, model.gates.length))),
      nothing: nothingToAttack(attack.goal, outcomes, answers, labels),
      vanished: outcomes.filter((o) => o.vanished).length,
    };
  }

  /** The model under a policy, with an evaluator that attacks it. */
  async #under(policy: Policy): Promise<DynamicModel> {
    const { model, backend, room } = this.#options;
    const wanted = underPolicy(model, policy);
    if (wanted.graph === this.#attacked.graph) return wanted;
    await this.#evaluator.release();
    this.#evaluator = new Evaluator(wanted, backend, room);
    this.#attacked = wanted;
    return wanted;
  }

  release(): Promise<void> {
    return this.#evaluator.release();
  }
}
