/** @file Runs a model under any thresholds of its gates. A session opens for each list of
 *  thresholds at its first use. A model without gates has one session. */
import type { Images } from "../../core/images.js";
import type { Logits } from "../../core/logits.js";
import type { Backend } from "../../runtime/backend.js";
import type { Measured } from "../choose/calibrate.js";
import type { MeasuredUnits } from "../choose/calibrate-units.js";
import type { DynamicModel } from "../model/model.js";
import { underPolicy } from "../model/under-policy.js";
import { Forward, type ForwardOptions } from "./forward.js";

export class GatedRuns {
  readonly #model: DynamicModel;
  readonly #backend: Backend;
  readonly #open = new Map<string, Promise<Forward>>();

  constructor(model: DynamicModel, backend: Backend) {
    this.#model = model;
    this.#backend = backend;
  }

  /** Logits of every exit and scores of every gate.
   * @param thresholds one per gate
   * @throws DynnError 'runtime/load', and as {@link Forward.logits} does */
  async logits(images: Images, thresholds: readonly number[], options: ForwardOptions): Promise<Logits> {
    const key = thresholds.join();
    const forward = this.#open.get(key) ?? this.#compile(thresholds);
    this.#open.set(key, forward);
    return (await forward).logits(images, options);
  }

  /** Releases the memory of all sessions. */
  async release(): Promise<void> {
    const opened = await Promise.allSettled(this.#open.values());
    this.#open.clear();
    await Promise.all(opened.flatMap((one) => (one.status === "fulfilled" ? [one.value.release()] : [])));
  }

  #compile(thresholds: readonly number[]): Promise<Forward> {
    const { gates } = this.#model;
    const model = gates.length === 0 ? this.#model : underPolicy(this.#model, { gates: { thresholds } });
    return Forward.compile(model, { backend: this.#backend });
  }
}

/** Labelled images, measured once under each list of thresholds. */
export function measuredUnits(
  runs: GatedRuns,
  { images, labels }: { readonly images: Images; readonly labels: ArrayLike<number> },
  options: ForwardOptions,
): MeasuredUnits {
  const known = new Map<string, Promise<Measured>>();
  const measure = async (gates: readonly number[]): Promise<Measured> => ({
    logits: await runs.logits(images, gates, options),
    labels,
  });
  return {
    at: (gates) => {
      const measured = known.get(gates.join()) ?? measure(gates);
      known.set(gates.join(), measured);
      return measured;
    },
  };
}

/** The cost of each unit as a share of the full network: cumulative for exits with all gates open,
 * and what each gate saves. */
export const unitShares = ({ exits, gates }: Pick<DynamicModel, "exits" | "gates">) => ({
  costs: exits.map((e) => e.costFraction),
  gateCosts: gates.map((g) => g.costFraction),
});
