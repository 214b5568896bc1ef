/** @file The worst case over attacks, sample by sample. A sample resists within a budget when an
 *  answer is right on its clean image and on every image within the budget that any attack found.
 *  Which attack looked for the image does not matter, nor what its goal was. */
import { argmax } from "../../dynamic/route/policy.js";
import { wilson } from "../../measures/wilson.js";
import { type Budget, NORMS } from "../../perturb/norms.js";
import type { AuditRecord } from "../../schema/audit-record.js";
import { isRoutable } from "../../schema/units.js";
import type { Attacked } from "./attacked.js";
import type { AuditedModel } from "./audited-model.js";

/** A budget with a radius. */
type Limit = Budget & { readonly radius: number };

/** One budget, and what stands within it. */
interface Standing {
  readonly limit: Limit;
  readonly attacks: Set<string>;
  /** One entry per answer; 1 for each sample whose answer was right on every image so far. */
  readonly stands: Uint8Array[];
}

/** The images are float32. Their distances leave the radius by its last bits, which add up in
 * L1. */
const isWithin = (distance: number, { radius }: Limit): boolean => distance <= radius * (1 + 1e-5) + 1e-6;

/** Counts the samples that resist all attacks, attack by attack. */
export class WorstCase {
  readonly #answers: readonly string[];
  readonly #samples: number;
  readonly #standing: readonly Standing[];

  /** @param budgets those of all attacks. Attacks without a radius add images, and no budget */
  constructor(budgets: readonly Budget[], { victim: { model }, logits, routed, labels }: AuditedModel) {
    const exits = model.exits.map(({ name }) => name);
    this.#answers = isRoutable(model) ? ["routed", ...exits] : exits;
    this.#samples = labels.length;
    const clean = this.#rights(logits, routed, labels);
    this.#standing = limitsOf(budgets).map((limit) => ({
      ...{ limit, attacks: new Set<string>() },
      stands: clean.map((right) => Uint8Array.from(right)),
    }));
  }

  /** Takes the images of an attack into account. */
  add({ attack: { name, budget }, samples, outcomes, logits, routed }: Attacked): void {
    const labels = Int32Array.from(samples, ({ label }) => label);
    const rights = this.#rights(logits, routed, labels);
    for (const { limit, attacks, stands } of this.#standing) {
      const { distance } = NORMS[limit.norm];
      const within = samples.map(({ pixels }, i) => isWithin(distance(pixels, outcomes[i].image), limit));
      if (limit.norm === budget.norm && (budget.radius ?? Number.POSITIVE_INFINITY) <= limit.radius) attacks.add(name);
      for (const [i, isIn] of within.entries()) {
        const broken = rights.flatMap((right, k) => (isIn && !right[i] && stands[k][i] ? [k] : []));
        for (const k of broken) stands[k][i] = 0;
        if (broken.length > 0) attacks.add(name);
      }
    }
  }

  /** One entry per budget. Undefined where no attack has a radius. */
  record(): AuditRecord["worstCase"] {
    if (this.#standing.length === 0) return undefined;
    return this.#standing.map(({ limit, attacks, stands }) => ({
      ...{ norm: limit.norm, radius: limit.radius, attacks: [...attacks] },
      answers: this.#answers.map((answer, k) => {
        const standing = stands[k].reduce((sum, one) => sum + one, 0);
        return { answer, standing, robustAccuracy: wilson(standing, this.#samples) };
      }),
    }));
  }

  /** For each answer, whether it is right on each sample. */
  #rights(logits: Attacked["logits"], routed: Attacked["routed"], labels: Int32Array): boolean[][] {
    const samples = [...labels];
    const exits = logits.exits.map((_, exit) => samples.map((label, i) => argmax(logits.row(exit, i)) === label));
    return this.#answers[0] === "routed" ? [samples.map((label, i) => routed[i].label === label), ...exits] : exits;
  }
}

/** Each budget with a radius, once. */
function limitsOf(budgets: readonly Budget[]): Limit[] {
  const limits = budgets.filter((budget): budget is Limit => budget.radius !== undefined && budget.radius > 0);
  const isSame = (a: Limit, b: Limit) => a.norm === b.norm && a.radius === b.radius;
  return limits.filter((limit, i) => limits.findIndex((other) => isSame(other, limit)) === i);
}
