/** @file Adam's steps for one variable. Source: Kingma & Ba 2015. */

/** The moments of one run. */
export class Adam {
  readonly #mean: Float64Array;
  readonly #square: Float64Array;
  #step = 0;

  constructor(length: number) {
    this.#mean = new Float64Array(length);
    this.#square = new Float64Array(length);
  }

  /** How far each value of the variable goes against a gradient. */
  steps(gradient: Float64Array, rate: number): Float64Array {
    this.#step++;
    const [meanScale, squareScale] = [1 - 0.9 ** this.#step, 1 - 0.999 ** this.#step];
    return gradient.map((g, i) => {
      this.#mean[i] = 0.9 * this.#mean[i] + 0.1 * g;
      this.#square[i] = 0.999 * this.#square[i] + 0.001 * g * g;
      return (rate * this.#mean[i]) / meanScale / (Math.sqrt(this.#square[i] / squareScale) + 1e-8);
    });
  }
}
