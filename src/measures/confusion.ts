/** @file Confusion: how much the exits disagree with the final exit. A large confusion is a sign of
 *  a wrong answer, and it needs no label. Source: Kaya, Hong, Dumitras, ICML 2019 (network
 *  confusion): sum over early exits of || p_final - p_exit ||_1, then z-scored. */

/** Confusion of each sample, before z-scoring. From 0 to 2 per early exit.
 * @param probabilities [exits][n * classes], softmax of every exit, the final exit last
 * @returns float64 [n] */
export function confusion(probabilities: readonly Float32Array[], classes: number): Float64Array {
  const final = probabilities[probabilities.length - 1];
  const scores = new Float64Array(final.length / classes);
  for (const exit of probabilities)
    for (let i = 0; i < final.length; i++) scores[Math.floor(i / classes)] += Math.abs(final[i] - exit[i]);
  return scores;
}

/** Scores in standard deviations (population form) from the mean of `reference`. All are 0 when the
 * reference does not vary. The paper uses the training set as the reference. The default reference
 * is the scores themselves. */
export function zScores(scores: Float64Array, reference: Float64Array = scores): Float64Array {
  const mean = meanOf(reference);
  const deviation = Math.sqrt(meanOf(reference.map((score) => (score - mean) ** 2)));
  return scores.map((score) => (deviation > 0 ? (score - mean) / deviation : 0));
}

const meanOf = (values: Float64Array): number => values.reduce((sum, value) => sum + value, 0) / values.length;

/** The mean confusion of samples that the final exit answers right, and of those that it answers
 * wrong, in standard deviations of all samples. A group without samples has null.
 * @param probabilities as for {@link confusion}
 * @param right [n], 1 where the final exit is right
 * @example confusionByAnswer([early, final], 10, right).wrong; // above 0: errors show */
export function confusionByAnswer(
  probabilities: readonly Float32Array[],
  classes: number,
  right: Uint8Array,
): { readonly right: number | null; readonly wrong: number | null } {
  const scores = zScores(confusion(probabilities, classes));
  const mean = (is: number): number | null => {
    const own = scores.filter((_, i) => right[i] === is);
    return own.length === 0 ? null : meanOf(own);
  };
  return { right: mean(1), wrong: mean(0) };
}
