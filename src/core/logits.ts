/** @file Logits of every exit and scores of every gate on many images. */

import { DynnError } from "./errors.js";
import { counted } from "./units.js";

/** The scores of one gate, and what is needed to read them as bits. */
export interface GateScores {
  /** One score per image. */
  readonly scores: Float32Array;
  /** The threshold that the graph compared the scores with. */
  readonly threshold: number;
  /** The first exit behind the gate. */
  readonly exit: number;
}

/** The logits that every exit gives for the same images.
 * @example
 * const logits = new Logits([Float32Array.of(1, 0, 0, 2), Float32Array.of(3, 0, 0, 4)], 2);
 * logits.count; // 2
 * logits.row(1, 0); // [3, 0]: exit 1, image 0
 * logits.rows(1); // [[0, 2], [0, 4]]: image 1 at every exit */
export class Logits {
  /** One array [count * classes] per exit, in the order of the exits. */
  readonly exits: readonly Float32Array[];
  /** The scores of every gate, in the order of the gates. Empty for a network without gates. */
  readonly gates: readonly GateScores[];
  /** The logits of the final exit with every gate open, [count * classes]. Undefined when they were
   * not asked for. A gate that the policy forces closed stays closed. */
  readonly full: Float32Array | undefined;
  /** Number of classes. */
  readonly classes: number;
  /** Number of images. */
  readonly count: number;

  /** Wraps arrays without copying them.
   * @param exits one array [n * classes] per exit
   * @param gates scores of every gate on the same images
   * @param full as the field `full`
   * @throws DynnError 'shape/mismatch' when the length of an array is not a multiple of
   *   `classes`, or the arrays have different lengths */
  constructor(exits: readonly Float32Array[], classes: number, gates: readonly GateScores[] = [], full?: Float32Array) {
    const length = exits[0]?.length ?? 0;
    this.exits = exits;
    this.gates = gates;
    this.full = full;
    this.classes = classes;
    this.count = length === 0 ? 0 : length / classes;
    const odd = exits.findIndex((exit) => exit.length !== length);
    if (odd < 0 && Number.isInteger(this.count)) return;
    const [at, got] = odd < 0 ? [0, length] : [odd, exits[odd].length];
    const wanted = odd < 0 ? `whole rows of ${classes}` : `${length} as at exit 0`;
    throw new DynnError(
      "shape/mismatch",
      `logits: exit ${at} has ${counted(got, "number")}, expected ${wanted}. Give one array [n * classes] per exit.`,
      { lengths: exits.map((exit) => exit.length), classes },
    );
  }

  /** Logits of one exit on image `i`, [classes], as a view. */
  row(exit: number, i: number): Float32Array {
    const own = this.exits[exit];
    if (own === undefined) throw new Error(`bug: exit ${exit} of ${this.exits.length} does not exist`);
    return own.subarray(i * this.classes, (i + 1) * this.classes);
  }

  /** Logits of the final exit with every gate open on image `i`, [classes], as a view. */
  fullRow(i: number): Float32Array | undefined {
    return this.full?.subarray(i * this.classes, (i + 1) * this.classes);
  }

  /** Logits of every exit on image `i`, one row [classes] per exit, as views. */
  rows(i: number): Float32Array[] {
    return this.exits.map((_, exit) => this.row(exit, i));
  }
}
