/** @file The accuracy that a policy loses to the network that always runs to its end, on the same
 *  records. */
import { pairedDifference } from "../measures/statistics/index.js";
import type { Estimated } from "../schema/numbers.js";

/** The accuracy of `whole` minus that of `routed`, with Tango's 95 % interval. Positive where the
 * policy loses.
 * @param whole answers of the final exit, one per record
 * @param routed answers under the policy */
export function lostAccuracy(
  labels: ArrayLike<number>,
  whole: ArrayLike<number>,
  routed: ArrayLike<number>,
): Estimated {
  let [onlyWhole, onlyRouted] = [0, 0];
  for (let i = 0; i < labels.length; i++) {
    const [a, b] = [whole[i] === labels[i], routed[i] === labels[i]];
    if (a && !b) onlyWhole++;
    if (b && !a) onlyRouted++;
  }
  return pairedDifference(onlyWhole, onlyRouted, labels.length);
}
