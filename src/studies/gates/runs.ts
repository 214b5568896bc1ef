/** @file Answers of a network with gates under policies, with random bits, and of a static network,
 *  on the same images. */
import type { Images } from "../../core/images.js";
import type { Logits } from "../../core/logits.js";
import { uniform } from "../../core/rng.js";
import type { DynamicModel } from "../../dynamic/model/model.js";
import { underPolicy } from "../../dynamic/model/under-policy.js";
import { costShareOf } from "../../dynamic/model/units.js";
import { argmax } from "../../dynamic/route/policy.js";
import { type Routed, route } from "../../dynamic/route/route.js";
import { Forward, type ForwardOptions } from "../../dynamic/run/forward.js";
import { GivenBits } from "../../dynamic/run/given-bits.js";
import { meanCostFraction } from "../../measures/cost.js";
import { crossEntropyOf } from "../../measures/difficulty.js";
import type { Backend } from "../../runtime/backend.js";
import type { Policy } from "../../schema/policy.js";

/** Images with their true classes, in the numbering of the network. */
export interface Labelled {
  readonly images: Images;
  readonly labels: Int32Array;
}

/** Whether each answer is right, and what the answers cost. */
export interface Answers {
  readonly right: readonly boolean[];
  /** Mean, as a share of the gated network's full cost. */
  readonly cost: number;
  /** Mean cross-entropy of the answering exits. */
  readonly loss: number;
  readonly routed: readonly Routed[];
}

/** How networks run. */
export interface Running extends ForwardOptions {
  readonly batch: number;
  readonly backend: Backend;
}

/** The routed answers under a policy. Its session closes behind it. */
export async function answersUnder(
  model: DynamicModel,
  policy: Policy,
  shown: Labelled,
  { backend, ...how }: Running,
): Promise<Answers> {
  const forward = await Forward.compile(underPolicy(model, policy), { backend });
  try {
    return answersOf(model, await forward.logits(shown.images, how), policy, shown);
  } finally {
    await forward.release();
  }
}

/** The routed answers when each gate is open at random.
 * @param rates the chance of each gate; null: closed
 * @param seed with the place of an image, it decides the bits of the image */
export async function answersAtRandom(
  model: DynamicModel,
  { gates: _gates, ...exits }: Policy,
  shown: Labelled,
  { backend, rates, seed, ...how }: Running & { readonly rates: readonly (number | null)[]; readonly seed: number },
): Promise<Answers> {
  const bits = Array.from(shown.labels, (_, sample) => {
    const draws = uniform({ seed, sample, purpose: "gate", step: 0 }, rates.length);
    return rates.map((rate, k) => (draws[k] < (rate ?? 0) ? 1 : 0));
  });
  const given = await GivenBits.compile(model, { backend });
  try {
    return answersOf(model, await given.logits(shown.images, bits, how), exits, shown);
  } finally {
    await given.release();
  }
}

function answersOf(model: DynamicModel, logits: Logits, policy: Policy, { labels }: Labelled): Answers {
  const routed = route(logits, policy);
  return {
    right: routed.map(({ label }, i) => label === labels[i]),
    cost: meanCostFraction(routed.map((path) => costShareOf(model, path))),
    loss: meanOf(routed.map(({ answer }, i) => crossEntropyOf(logits.row(answer, i), labels[i]))),
    routed,
  };
}

/** The final answers of a static network.
 * @param full MACs of the gated network */
export async function finalAnswers(
  model: DynamicModel,
  full: number,
  { images, labels }: Labelled,
  { backend, ...how }: Running,
): Promise<Pick<Answers, "right" | "cost">> {
  const forward = await Forward.compile(model, { backend });
  try {
    const logits = await forward.logits(images, how);
    const final = model.exits.length - 1;
    return {
      right: Array.from(labels, (label, i) => argmax(logits.row(final, i)) === label),
      cost: model.exits[final].macs / full,
    };
  } finally {
    await forward.release();
  }
}

const meanOf = (values: readonly number[]): number => values.reduce((sum, v) => sum + v, 0) / values.length;
