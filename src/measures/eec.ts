/** @file The EEC curve (early-exit capability): the share of samples that have stopped at each
 *  share of the full cost, and the area under it. DeepSloth joins the exits by straight lines. No
 *  sample stops between two exits, so the exact curve is a step function. A network with one exit
 *  shows the difference: the trapezoid gives 0.5, and the step gives 0 (it saves no work). Source:
 *  Hong, Kaya, Modoranu, Dumitras, "A Panda? No, It's a Sloth", ICLR 2021, section 4;
 *  `get_plot_data_and_auc` in delay_attack_cost.py of github.com/Sanghyun-Hong/DeepSloth. */

export interface EecPoint {
  readonly costFraction: number;
  /** Share of the samples that have stopped at or before this cost. */
  readonly gone: number;
}

/** Points of the curve: (0,0), then one per cost. The last point is (1,1).
 * @param exitCounts samples of each cost: those whose work stops at an exit, or on a path
 * @param costFractions costs over the full cost, rising, the last 1 */
export function eec(exitCounts: readonly number[], costFractions: readonly number[]): EecPoint[] {
  if (exitCounts.length !== costFractions.length)
    throw new Error(`bug: ${exitCounts.length} exit counts for ${costFractions.length} costs`);
  const total = exitCounts.reduce((sum, count) => sum + count, 0);
  const points: EecPoint[] = [{ costFraction: 0, gone: 0 }];
  let left = 0;
  for (const [exit, count] of exitCounts.entries()) {
    left += count;
    points.push({ costFraction: costFractions[exit], gone: total === 0 ? 0 : left / total });
  }
  return points;
}

/** Area under the curve by trapezoids, which is the published efficacy. Near 1 when most samples
 * stop early, and lower when they stop later. */
export const efficacyTrapezoid = (exitCounts: readonly number[], costFractions: readonly number[]): number =>
  area(eec(exitCounts, costFractions), (from, to) => (from.gone + to.gone) / 2);

/** Area under the exact step curve, which is 1 - mean cost fraction: the saved share of the full
 * cost. */
export const efficacyStep = (exitCounts: readonly number[], costFractions: readonly number[]): number =>
  area(eec(exitCounts, costFractions), (from) => from.gone);

function area(points: readonly EecPoint[], height: (from: EecPoint, to: EecPoint) => number): number {
  let sum = 0;
  for (let i = 1; i < points.length; i++)
    sum += (points[i].costFraction - points[i - 1].costFraction) * height(points[i - 1], points[i]);
  return sum;
}
