/** @file Runs a network, and beside it the network with every gate open. Early attacks on gates
 *  compare the two. */
import type { Images } from "../../core/images.js";
import { Logits } from "../../core/logits.js";
import type { Backend } from "../../runtime/backend.js";
import type { DynamicModel } from "../model/model.js";
import { openGates } from "../model/open-gates.js";
import { Forward, type ForwardOptions } from "./forward.js";

/** A forward pass whose logits have the field `full`. Without gates that ask their scores, it is
 * the forward pass alone. */
export class FullForward {
  readonly #own: Forward;
  readonly #full: Forward | undefined;

  private constructor(own: Forward, full: Forward | undefined) {
    this.#own = own;
    this.#full = full;
  }

  /** Compiles both networks.
   * @throws DynnError as `Forward.compile`
   * @example const forward = await FullForward.compile(model, { backend: ortNode() }); */
  static async compile(model: DynamicModel, options: { readonly backend: Backend }): Promise<FullForward> {
    const full = openGates(model);
    const own = await Forward.compile(model, options);
    if (full === model) return new FullForward(own, undefined);
    try {
      return new FullForward(own, await Forward.compile(full, options));
    } catch (thrown) {
      await own.release();
      throw thrown;
    }
  }

  /** The logits of all exits, the scores of all gates, and the final logits with every gate open.
   * @throws DynnError as `Forward.logits` */
  async logits(images: Images, options: ForwardOptions): Promise<Logits> {
    const { exits, classes, gates } = await this.#own.logits(images, options);
    const { batch, signal } = options;
    const full = await this.#full?.logits(images, { batch, signal });
    return new Logits(exits, classes, gates, full?.exits.at(-1));
  }

  /** Releases both. */
  async release(): Promise<void> {
    await Promise.all([this.#own.release(), this.#full?.release()]);
  }
}
