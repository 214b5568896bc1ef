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
  const ones = new Float64Array(rows.y.length).fill(1);
  const fit = leastSquares([ones, ...rows.columns.map((column) => Float64Array.from(column))], rows.y);
  const { errors, df } = clusteredErrors(fit, rows.cluster);
  const plain = plainErrors(fit);
  const half = tQuantile(0.5 + level / 2, df);
  const coefficients = fit.values.map((value, j) => {
    const error = errors[j];
    const t = error > 0 ? value / error : Math.sign(value) * Infinity || 0;
    const p = Math.min(1, 2 * tTail(Math.abs(t), df));
    return { value, error, plainError: plain[j], t, p, low: value - half * error, high: value + half * error };
  });
  return { coefficients, df };
}

interface Fit {
  readonly q: readonly Float64Array[];
  readonly r: readonly (readonly number[])[];
  readonly values: readonly number[];
  readonly residuals: Float64Array;
}

function leastSquares(columns: readonly Float64Array[], y: ArrayLike<number>): Fit {
  const { q, r } = factorize(columns);
  const along = q.map((direction) => dot(direction, y));
  const rest = Float64Array.from(y);
  orthogonalize(rest, q);
  return { q, r, values: solve(r, along), residuals: rest };
}

/** CR1 errors, with the small-sample factor of Stata and of R's sandwich. */
function clusteredErrors(
  { q, r, residuals }: Fit,
  cluster: RegressionRows["cluster"],
): { errors: number[]; df: number } {
  const influence = clusterSums(q, residuals, cluster).map((sum) => solve(r, sum));
  const [n, clusters] = [residuals.length, influence.length];
  const correction = (clusters / (clusters - 1)) * ((n - 1) / (n - q.length));
  const errors = q.map((_, j) => Math.sqrt(correction * influence.reduce((sum, w) => sum + w[j] ** 2, 0)));
  return { errors, df: clusters - 1 };
}

function plainErrors({ q, r, residuals }: Fit): number[] {
  const variance = dot(residuals, residuals) / (residuals.length - q.length);
  const inverse = q.map((_, j) =>
    solve(
      r,
      q.map((__, i) => Number(i === j)),
    ),
  );
  return q.map((_, j) => Math.sqrt(variance * inverse.reduce((sum, column) => sum + column[j] ** 2, 0)));
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
