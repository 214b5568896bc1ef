/** @file Logits of every exit on many images. */
import { DynnError } from "./errors.js";

/** What every exit says of the same images.
 * @example
 * const logits = new Logits([Float32Array.of(1, 0, 0, 2), Float32Array.of(3, 0, 0, 4)], 2);
 * logits.count; // 2
 * logits.row(1, 0); // [3, 0]: exit 1, image 0
 * logits.rows(1); // [[0, 2], [0, 4]]: image 1 at every exit */
export class Logits {
  /** One array [count * classes] per exit, in the order of the exits. */
  readonly exits: readonly Float32Array[];
  /** Number of classes. */
  readonly classes: number;
  /** Images. */
  readonly count: number;

  /** Wrap arrays; they are not copied.
   * @param exits one array [n * classes] per exit
   * @throws DynnError 'shape/mismatch' when an array is no whole number of rows, or the arrays have
   *         different lengths */
  constructor(exits: readonly Float32Array[], classes: number) {
    const length = exits[0]?.length ?? 0;
    this.exits = exits;
    this.classes = classes;
    this.count = length === 0 ? 0 : length / classes;
    const odd = exits.findIndex((exit) => exit.length !== length);
    if (odd < 0 && Number.isInteger(this.count)) return;
    const [at, got] = odd < 0 ? [0, length] : [odd, exits[odd].length];
    const wanted = odd < 0 ? `whole rows of ${classes}` : `${length} as at exit 0`;
    throw new DynnError(
      "shape/mismatch",
      `logits: exit ${at} has ${got} numbers, expected ${wanted}. Give one array [n * classes] per exit.`,
      { lengths: exits.map((exit) => exit.length), classes },
    );
  }

  /** Logits of one exit on image `i`, [classes]: a view, no copy. */
  row(exit: number, i: number): Float32Array {
    const own = this.exits[exit];
    if (own === undefined) throw new Error(`bug: exit ${exit} of ${this.exits.length} was asked for`);
    return own.subarray(i * this.classes, (i + 1) * this.classes);
  }

  /** Logits of every exit on image `i`, one row [classes] per exit: views, no copies. */
  rows(i: number): Float32Array[] {
    return this.exits.map((_, exit) => this.row(exit, i));
  }
}
