/** @file Linear regression with errors that are robust to clusters of rows: rows of one block are
 *  not independent. Sources: least squares by QR (Bjorck, BIT 7, 1967); CR1 errors of Liang and
 *  Zeger, Biometrika 73, 1986; t with G - 1 degrees of freedom as in Cameron and Miller, Journal of
 *  Human Resources 50(2), 2015. */
import { tQuantile, tTail } from "./distributions.js";
import { requireEqual, requireValues, statisticsError } from "./sample.js";

export interface Coefficient {
  readonly value: number;
  /** Cluster-robust standard error (CR1). */
  readonly error: number;
  /** Standard error of ordinary least squares, for comparison. It takes rows for independent. */
  readonly plainError: number;
  readonly t: number;
  /** Two-sided p value on clusters - 1 degrees of freedom. */
  readonly p: number;
  readonly low: number;
  readonly high: number;
}

export interface Regression {
  /** The intercept first, then one per column. */
  readonly coefficients: readonly Coefficient[];
  readonly df: number;
}

/** What is regressed. */
export interface RegressionRows {
  /** [n] outcome. */
  readonly y: ArrayLike<number>;
  /** [columns][n] without the intercept. */
  readonly columns: readonly ArrayLike<number>[];
  /** [n] cluster of each row. At least two clusters. */
  readonly cluster: ArrayLike<number | string>;
}

/** Regresses y on an intercept and the columns.
 * @param level level of the intervals, 0.95 by default
 * @throws DynnError `statistics/value` for different lengths, too few rows or clusters, and columns
 *   that depend on each other
 * @example linearRegression({ y: [1, 3, 5.1], columns: [[0, 1, 2]], cluster: [0, 1, 2] }) */
export function linearRegression(rows: RegressionRows, level = 0.95): Regression {
  check(rows);
  const n = rows.y.length;
  const columns = [new Float64Array(n).fill(1), ...rows.columns.map((column) => Float64Array.from(column))];
  const { q, r } = factorize(columns);
  const values = solve(
    r,
    q.map((column) => dot(column, rows.y)),
  );
  const residuals = Float64Array.from(rows.y, (y, i) => y - columns.reduce((sum, x, j) => sum + values[j] * x[i], 0));
  const influence = clusterSums(q, residuals, rows.cluster).map((sum) => solve(r, sum));
  const clusters = influence.length;
  const correction = (clusters / (clusters - 1)) * ((n - 1) / (n - columns.length));
  const plainVariance = dot(residuals, residuals) / (n - columns.length);
  const inverse = columns.map((_, j) =>
    solve(
      r,
      columns.map((_, i) => (i === j ? 1 : 0)),
    ),
  );
  const df = clusters - 1;
  const half = tQuantile(0.5 + level / 2, df);
  const coefficients = values.map((value, j) => {
    const error = Math.sqrt(correction * influence.reduce((sum, w) => sum + w[j] ** 2, 0));
    const plainError = Math.sqrt(plainVariance * inverse.reduce((sum, column) => sum + column[j] ** 2, 0));
    const t = error > 0 ? value / error : Math.sign(value) * Infinity || 0;
    const p = Math.min(1, 2 * tTail(Math.abs(t), df));
    return { value, error, plainError, t, p, low: value - half * error, high: value + half * error };
  });
  return { coefficients, df };
}

/** What a column says beyond the other columns and the intercept: its residuals. The regression of
 * y on them alone gives the column's coefficient (Frisch and Waugh, Econometrica 1, 1933).
 * @throws DynnError `statistics/value` for other columns that depend on each other */
export function partialColumn(column: ArrayLike<number>, others: readonly ArrayLike<number>[]): Float64Array {
  const ones = new Float64Array(column.length).fill(1);
  const { q } = factorize([ones, ...others.map((other) => Float64Array.from(other))]);
  const rest = Float64Array.from(column);
  orthogonalize(rest, q);
  return rest;
}

function check({ y, columns, cluster }: RegressionRows): void {
  requireValues("linearRegression", y, columns.length + 2);
  for (const column of [...columns, cluster]) requireEqual("linearRegression", column, y);
  for (const column of columns) requireValues("linearRegression", column, 1);
  const clusters = new Set(Array.from(cluster)).size;
  if (clusters < 2) throw statisticsError("linearRegression", "too few clusters", `${clusters}`, "at least 2");
}

/** QR factors by Gram-Schmidt, with each column made orthogonal twice. */
function factorize(columns: readonly Float64Array[]): { q: Float64Array[]; r: number[][] } {
  const q: Float64Array[] = [];
  const r = columns.map(() => columns.map(() => 0));
  for (const [j, column] of columns.entries()) {
    const rest = Float64Array.from(column);
    for (const [i, sum] of orthogonalize(rest, q).entries()) r[i][j] = sum;
    const size = Math.sqrt(dot(rest, rest));
    if (!(size > 1e-10 * Math.sqrt(dot(column, column))))
      throw statisticsError(
        "linearRegression",
        "a column depends on those before it",
        `column ${j}`,
        "independent columns",
      );
    r[j][j] = size;
    q.push(rest.map((value) => value / size));
  }
  return { q, r };
}

/** Takes the directions `q` out of `rest`, in place, and gives how much of each was in it. */
function orthogonalize(rest: Float64Array, q: readonly Float64Array[]): number[] {
  const sums = q.map(() => 0);
  for (let pass = 0; pass < 2; pass++)
    for (const [i, direction] of q.entries()) {
      const along = dot(direction, rest);
      sums[i] += along;
      for (let row = 0; row < rest.length; row++) rest[row] -= along * direction[row];
    }
  return sums;
}

/** Solves r x = b for an upper triangular r. */
function solve(r: readonly (readonly number[])[], b: readonly number[]): number[] {
  const x = [...b];
  for (let i = x.length - 1; i >= 0; i--) {
    for (let j = i + 1; j < x.length; j++) x[i] -= r[i][j] * x[j];
    x[i] /= r[i][i];
  }
  return x;
}

/** Per cluster: the sums of residual times direction. */
function clusterSums(
  q: readonly Float64Array[],
  residuals: Float64Array,
  cluster: ArrayLike<number | string>,
): number[][] {
  const sums = new Map<number | string, number[]>();
  for (let row = 0; row < residuals.length; row++) {
    const sum = sums.get(cluster[row]) ?? q.map(() => 0);
    for (const [j, direction] of q.entries()) sum[j] += direction[row] * residuals[row];
    sums.set(cluster[row], sum);
  }
  return [...sums.values()];
}

function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}
