/** @file Computes all norms of a perturbation at once, in the unit of the arrays (pixels: inputs in
 *  [0,1]). */

export interface Norms {
  /** Number of elements that differ. Each channel counts separately, as in Foolbox. */
  readonly l0: number;
  readonly l1: number;
  readonly l2: number;
  readonly linf: number;
}

/** Norms of `moved - clean` over the elements start..end-1, so that one sample of a batch needs no
 * copy. Sums are in float64. */
export function norms(clean: Float32Array, moved: Float32Array, start = 0, end = clean.length): Norms {
  let [l0, l1, squares, linf] = [0, 0, 0, 0];
  for (let i = start; i < end; i++) {
    const size = Math.abs(moved[i] - clean[i]);
    if (size > 0) l0++;
    l1 += size;
    squares += size * size;
    if (size > linf) linf = size;
  }
  return { l0, l1, l2: Math.sqrt(squares), linf };
}
