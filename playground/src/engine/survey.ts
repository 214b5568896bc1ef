/** @file All images of the set at once: accuracy, mean cost and exits taken under any policy, from
 *  logits that are computed once. */
import { Logits, type Policy, route, wilson } from "dynn/web";
import type { CurvePoint, ImageSet, PagePolicy, Survey } from "../shared/messages.js";
import type { Network } from "./network.js";

/** Points of the curve. */
const POINTS = 41;
const BATCH = 16;

type Progress = (done: number, total: number) => void;

/** The logits of a set, and the labels. */
export class Answers {
  readonly #network: Network;
  readonly #logits: Logits;
  readonly #labels: readonly number[];

  constructor(network: Network, logits: Logits, labels: readonly number[]) {
    this.#network = network;
    this.#logits = logits;
    this.#labels = labels;
  }

  /** Run the network on the whole set. */
  static async compute(network: Network, set: ImageSet, onProgress: Progress): Promise<Answers> {
    return new Answers(network, await network.logits(set.pixels, BATCH, onProgress), set.labels);
  }

  /** Logits that the build stored: exit after exit, float32 [n*classes]. */
  static stored(network: Network, bytes: ArrayBuffer, labels: readonly number[]): Answers {
    const { exits, classes } = network.model;
    const all = new Float32Array(bytes);
    const each = labels.length * classes;
    return new Answers(
      network,
      new Logits(
        exits.map((_, k) => all.subarray(k * each, (k + 1) * each)),
        classes,
      ),
      labels,
    );
  }

  at(policy: Policy): Survey {
    const routed = route(this.#logits, policy);
    const last = this.#network.model.exits.length - 1;
    const right = routed.filter(({ label }, i) => label === this.#labels[i]).length;
    const { low, high } = wilson(right, routed.length);
    return {
      count: routed.length,
      right,
      interval: [low, high],
      cost: routed.reduce((sum, path) => sum + this.#network.shareOf(path), 0) / routed.length,
      stops: this.#network.model.exits.map((_, k) => routed.filter(({ stop }) => stop === k).length),
      fullRight: this.#labels.filter((label, i) => largest(this.#logits.row(last, i)) === label).length,
    };
  }

  /** Accuracy over cost, with one threshold for every early exit. */
  curve(page: PagePolicy): CurvePoint[] {
    return sweep(page, this.#network.model.classes, this.#network.model.exits.length).map((threshold) => {
      const { right, count, cost } = this.at(
        this.#network.policy({ ...page, thresholds: page.thresholds.map(() => threshold) }),
      );
      return { threshold, accuracy: right / count, cost };
    });
  }
}

const largest = (row: Float32Array): number => row.indexOf(Math.max(...row));

/** The thresholds of the curve, over the whole range of the rule. */
function sweep({ rule }: PagePolicy, classes: number, exits: number): number[] {
  if (rule === "patience") return Array.from({ length: exits }, (_, k) => k + 1);
  const most = rule === "entropy" ? Math.log(classes) : 1;
  return Array.from({ length: POINTS }, (_, k) => (k / (POINTS - 1)) * most);
}
