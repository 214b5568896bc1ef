/** @file The samples that attacks work on, and the logits of a model for them. */

import type { Images } from "../core/images.js";
import type { Logits } from "../core/logits.js";
import type { GateBit } from "../dynamic/model/units.js";
import { bitsOf } from "../dynamic/route/route.js";

/** One clean image, its label, and the logits of the model for it. */
export interface Sample {
  /** Record number in its data set. Random numbers depend on this number, never on batch order. */
  readonly id: number;
  /** float32 [c*h*w] in [0,1]. */
  readonly pixels: Float32Array;
  /** The true class. */
  readonly label: number;
  /** The class that a targeted attack aims at. */
  readonly target?: number;
  /** Logits of every exit on the clean image. */
  readonly clean: readonly Float32Array[];
  /** One bit per gate on the clean image. Absent for a network without gates. */
  readonly bits?: readonly GateBit[] | undefined;
  /** Logits of the final exit on the clean image with every gate open that the policy does not
   * force closed. Needed for the early attack on a network with gates. */
  readonly full?: Float32Array | undefined;
}

/** What a network gives for one image, as far as it ran. */
export interface Seen {
  /** Logits of the exits that ran. */
  readonly logits: ExitLogits;
  /** One bit per gate. Undefined for a gate behind the last exit that ran. Absent for a network
   * without gates. */
  readonly bits?: readonly GateBit[] | undefined;
  /** Logits of the final exit with every gate open. Only where they were asked for. */
  readonly full?: Float32Array | undefined;
}

/** What the network gives for the clean image. */
export const cleanOf = ({ clean, bits, full }: Sample): Seen => ({ logits: clean, bits, full });

/** What a network gave for image `i`, as goals judge it.
 * @example const won = attack.goal.succeeded(sample, seenIn(logits, 0)); */
export const seenIn = (logits: Logits, i: number): Seen => ({
  logits: logits.rows(i),
  ...(logits.gates.length > 0 ? { bits: bitsOf(logits, i) } : {}),
  ...(logits.full ? { full: logits.fullRow(i) } : {}),
});

/** Makes samples from images, their labels and the logits of the model. Samples have numbers from
 * 0. Their arrays are views, not copies.
 * @param labels the true class of each image. Images beyond the last label are left out */
export const samplesOf = ({
  images,
  labels,
  logits,
}: {
  readonly images: Images;
  readonly labels: ArrayLike<number>;
  readonly logits: Logits;
}): Sample[] =>
  Array.from(labels, (label, id) => {
    const { logits: _, ...units } = seenIn(logits, id);
    return { id, label, pixels: images.row(id), clean: logits.rows(id), ...units };
  });

/** Logits per exit. Undefined for exits that a loss does not compute. */
export type ExitLogits = readonly (Float32Array | undefined)[];

/** The image as an 8-bit file would hold it. */
export function toEightBits(image: Float32Array): Float32Array {
  const out = new Float32Array(image.length);
  for (let i = 0; i < out.length; i++) out[i] = Math.round(image[i] * 255) / 255;
  return out;
}
