/** @file Cohen's kappa: the agreement of two raters beyond chance. Source: Cohen, Educational and
 *  Psychological Measurement 20, 1960. */
import { statisticsError } from "./sample.js";

/** Kappa of a square table of counts.
 * @param table [categories][categories]: rows by one rater, columns by the other
 * @returns 1 for full agreement, 0 for chance, NaN where chance alone agrees always
 * @throws DynnError `statistics/value` for a table that is not square or is empty
 * @example cohenKappa([[20, 5], [10, 15]]) // 0.4 */
export function cohenKappa(table: readonly (readonly number[])[]): number {
  const total = table.flat().reduce((a, b) => a + b, 0);
  if (!(total > 0) || table.some((row) => row.length !== table.length))
    throw statisticsError("cohenKappa", "the table does not fit", `${total} counts`, "a square table with counts");
  let [agreed, chance] = [0, 0];
  for (const [i, row] of table.entries()) {
    agreed += row[i] / total;
    const column = table.reduce((sum, other) => sum + other[i], 0);
    chance += (row.reduce((a, b) => a + b, 0) / total) * (column / total);
  }
  return (agreed - chance) / (1 - chance);
}
