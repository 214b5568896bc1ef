/** @file Measures how well confidences match accuracy: the expected calibration error and the
 *  negative log-likelihood. Source: Naeini, Cooper, Hauskrecht, AAAI 2015; Guo et al. 2017,
 *  equation 3, with their 15 bins of equal width. */
import { counted } from "../core/units.js";

const BINS = 15;

/** Mean distance between confidence and accuracy over bins of confidence, weighted by samples. Bins
 * are (0, 1/15], (1/15, 2/15], ...
 * @param confidences largest probability of each sample, from 0 to 1
 * @param right whether the label of each sample is right
 * @returns from 0 to 1. 0 without samples */
export function expectedCalibrationError(
  confidences: ArrayLike<number>,
  right: ArrayLike<boolean>,
  bins = BINS,
): number {
  if (confidences.length !== right.length)
    throw new Error(`bug: ${confidences.length} confidences for ${counted(right.length, "answer")}`);
  const gaps = new Float64Array(bins);
  for (let i = 0; i < confidences.length; i++) {
    const confidence = confidences[i];
    const bin = Math.min(bins - 1, Math.max(0, Math.ceil(confidence * bins) - 1));
    gaps[bin] += confidence - Number(right[i]);
  }
  return confidences.length === 0 ? 0 : gaps.reduce((sum, gap) => sum + Math.abs(gap), 0) / confidences.length;
}

/** The loss of a true label with probability 0 is infinite. So a probability of 0 or NaN counts as
 * the smallest positive float32. */
const LEAST = 2 ** -149;

/** Mean of -log(probability of the true label), in nats.
 * @returns 0 without samples */
export function negativeLogLikelihood(probabilities: readonly number[]): number {
  const sum = probabilities.reduce((total, p) => total - Math.log(p > LEAST ? p : LEAST), 0);
  return probabilities.length === 0 ? 0 : sum / probabilities.length;
}
