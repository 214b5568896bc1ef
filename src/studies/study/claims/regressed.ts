/** @file The effect of a regression over the rows of all blocks: the coefficient of one column.
 *  Errors are clustered by block. */
import { tTail } from "../../../measures/statistics/distributions.js";
import { linearRegression, partialColumn } from "../../../measures/statistics/regression.js";
import type { EstimateForm } from "../../../schema/study/claims.js";
import type { Effect, Settings } from "./contract.js";
import { type BlockTable, columnOf, factorOf } from "./table.js";

type RegressionForm = Extract<EstimateForm, { kind: "regression" }>;

/** The rows of all blocks, one below the other. */
interface Stacked {
  readonly y: readonly number[];
  readonly term: readonly number[];
  /** Other columns, and one indicator per name of a factor but the first. */
  readonly others: readonly (readonly number[])[];
  readonly block: readonly string[];
  readonly cell: readonly string[];
}

/** Computes the coefficient, with slopes of blocks and cells.
 * @throws DynnError `claims/data` for tables that do not fit, and `statistics/value` for columns
 *   that depend on each other */
export function regressedEffect(form: RegressionForm, blocks: readonly BlockTable[], { level }: Settings): Effect {
  const rows = stack(form, blocks);
  const rest = partialColumn(rows.term, rows.others);
  const ofBlock = partialSlopes(rows.y, rest, rows.block);
  return {
    ...coefficient(rows, blocks.length, level, ofBlock.values().next().value ?? 0),
    test: "t with errors clustered by block",
    blocks: blocks.map(({ id, cell }) => ({ id, cell, value: ofBlock.get(id) ?? 0 })),
    cells: [...partialSlopes(rows.y, rest, rows.cell)].map(([cell, value]) => ({ cell, value })),
  };
}

type Tested = Pick<Effect, "effect" | "error" | "df" | "interval" | "sideP">;

/** One block has a slope, and no error over blocks. */
function coefficient(rows: Stacked, blocks: number, level: number, only: number): Tested {
  if (blocks < 2) return { effect: only, error: null, df: 0, interval: null, sideP: () => null };
  const request = { y: rows.y, columns: [rows.term, ...rows.others], cluster: rows.block };
  const { coefficients, df } = linearRegression(request, level);
  const { value: effect, error, low, high } = coefficients[1];
  const sideP = (side: 1 | -1, reference: number): number => tTail((side * (effect - reference)) / error || 0, df);
  return { effect, error, df, interval: [low, high], sideP };
}

function stack(form: RegressionForm, blocks: readonly BlockTable[]): Stacked {
  const column = (name: string): number[] => blocks.flatMap((block) => Array.from(columnOf(block, name)));
  const lengths = blocks.map((block) => columnOf(block, form.outcome).length);
  const each = (of: (block: BlockTable) => string): string[] =>
    blocks.flatMap((block, i) => new Array<string>(lengths[i]).fill(of(block)));
  const factors = form.factors.flatMap((name) => indicators(each((block) => factorOf(block, name))));
  return {
    y: column(form.outcome),
    term: column(form.term),
    others: [...form.others.map(column), ...factors],
    block: each(({ id }) => id),
    cell: each(({ cell }) => cell),
  };
}

/** One column of 0 and 1 per name but the first. */
const indicators = (names: readonly string[]): number[][] =>
  [...new Set(names)].slice(1).map((one) => names.map((name) => Number(name === one)));

/** Slope of y on what the term says beyond the other columns, per group of rows. Their mean,
 * weighted by the sums of squares, is the coefficient. */
function partialSlopes(y: readonly number[], rest: Float64Array, group: readonly string[]): Map<string, number> {
  const sums = new Map<string, [number, number]>();
  for (const [i, name] of group.entries()) {
    const [products, squares] = sums.get(name) ?? [0, 0];
    sums.set(name, [products + rest[i] * y[i], squares + rest[i] ** 2]);
  }
  return new Map([...sums].map(([name, [products, squares]]) => [name, squares > 0 ? products / squares : 0]));
}
