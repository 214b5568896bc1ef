/** @file The root of a function in a bracket, by bisection. It needs about 60 evaluations, and it
 *  cannot fail on a function that crosses 0 once. */

/** The place in [low, high] where `f` changes its sign, to the last bit.
 * @param f is monotone, and its values at the ends have different signs. Where they do not, the
 *   nearer end is the answer
 * @example rootOf((x) => x * x - 2, 0, 2) // 1.414213562373095 */
export function rootOf(f: (x: number) => number, low: number, high: number): number {
  const rises = f(high) > f(low);
  let [below, above] = [low, high];
  for (;;) {
    const middle = below + (above - below) / 2;
    if (middle === below || middle === above) return middle;
    if (f(middle) > 0 === rises) above = middle;
    else below = middle;
  }
}
