/** @file What methods that search for the closest image have in common. */

/** A value that falls from one number to another along half a cosine. */
export const annealed = (from: number, to: number, step: number, steps: number): number =>
  to + ((from - to) * (1 + Math.cos((Math.PI * step) / steps))) / 2;
