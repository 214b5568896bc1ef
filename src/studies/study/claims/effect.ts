/** @file An effect over blocks with its error, interval and test. The block is the unit: samples of
 *  one pair of networks say nothing about other networks. */
import { hierarchicalBootstrap } from "../../../measures/statistics/bootstrap.js";
import { tTail } from "../../../measures/statistics/distributions.js";
import { linearRegression, partialColumn } from "../../../measures/statistics/regression.js";
import { meanOf } from "../../../measures/statistics/sample.js";
import { signFlip } from "../../../measures/statistics/sign-flip.js";
import { tTest } from "../../../measures/statistics/t-test.js";
import type { ClaimsPlan, EffectRecord, EstimateForm } from "../../../schema/study/claims.js";
import { type BlockForm, blockValue, columnsOf } from "./block-values.js";
import { pairsOf } from "./pairs.js";
import { type BlockTable, columnOf, factorOf } from "./table.js";

/** An effect before it is compared with a claim. */
export interface Effect extends Omit<EffectRecord, "cells" | "p"> {
  /** Degrees of freedom of the error. */
  readonly df: number;
  /** p value of an effect on one side of `reference`. Null for fewer than two blocks. */
  readonly sideP: (side: 1 | -1, reference: number) => number | null;
  readonly cells: readonly { readonly cell: string; readonly value: number }[];
}

type Settings = Pick<ClaimsPlan, "level" | "draws" | "seed">;

/** Computes the effect of a form.
 * @throws DynnError `claims/data` for tables that do not fit the form */
export function effectOf(form: EstimateForm, blocks: readonly BlockTable[], settings: Settings): Effect {
  return form.kind === "regression" ? regressed(form, blocks, settings) : overBlocks(form, blocks, settings);
}

function overBlocks(form: BlockForm, blocks: readonly BlockTable[], { level, draws, seed }: Settings): Effect {
  const names = columnsOf(form);
  const tables = blocks.map((block) => names.map((name) => columnOf(block, name)));
  const formulas = blocks.map((block, i) => blockValue(form, block, tables[i][0].length));
  const values = tables.map((columns, i) => formulas[i](columns.map(meanOf)));
  const rows = blocks.map(({ id, cell }, i) => ({ id, cell, value: values[i], pairs: pairsOf(form, tables[i]) }));
  const t = values.length > 1 ? tTest(values, 0, level) : undefined;
  const drawn = hierarchicalBootstrap(tables, { value: (means, block) => formulas[block](means), draws, seed, level });
  return {
    effect: meanOf(values),
    error: t?.error ?? null,
    df: values.length - 1,
    interval: t ? [t.low, t.high] : null,
    bootstrap: { percentile: [...drawn.percentile], bca: [...drawn.bca], draws },
    test: "sign-flip over blocks",
    sideP: (side, reference) =>
      values.length > 1
        ? signFlip(
            values.map((value) => side * (value - reference)),
            { seed },
          ).greater
        : null,
    blocks: rows,
    cells: cellMeans(rows),
  };
}

function cellMeans(rows: readonly { readonly cell: string; readonly value: number }[]): Effect["cells"] {
  const cells = [...new Set(rows.map(({ cell }) => cell))];
  return cells.map((cell) => ({
    cell,
    value: meanOf(rows.filter((row) => row.cell === cell).map(({ value }) => value)),
  }));
}

type RegressionForm = Extract<EstimateForm, { kind: "regression" }>;

function regressed(form: RegressionForm, blocks: readonly BlockTable[], { level }: Settings): Effect {
  const stack = (name: string): number[] => blocks.flatMap((block) => Array.from(columnOf(block, name)));
  const lengths = blocks.map((block) => columnOf(block, form.outcome).length);
  const each = <T>(of: (block: BlockTable) => T): T[] => blocks.flatMap((b, i) => new Array<T>(lengths[i]).fill(of(b)));
  const [y, term] = [stack(form.outcome), stack(form.term)];
  const others = [
    ...form.others.map(stack),
    ...form.factors.flatMap((name) => indicators(each((b) => factorOf(b, name)))),
  ];
  const cluster = each(({ id }) => id);
  const slopes = (group: readonly string[]): Map<string, number> =>
    partialSlopes(y, partialColumn(term, others), group);
  const ofBlock = slopes(cluster);
  const common = {
    bootstrap: null,
    test: "t with errors clustered by block",
    blocks: blocks.map(({ id, cell }) => ({ id, cell, value: ofBlock.get(id) ?? 0 })),
    cells: [...slopes(each(({ cell }) => cell))].map(([cell, value]) => ({ cell, value })),
  };
  if (blocks.length < 2)
    return { ...common, effect: [...ofBlock.values()][0], error: null, df: 0, interval: null, sideP: () => null };
  const { coefficients, df } = linearRegression({ y, columns: [term, ...others], cluster }, level);
  const { value, error, low, high } = coefficients[1];
  const sideP = (side: 1 | -1, reference: number): number => tTail((side * (value - reference)) / error || 0, df);
  return { ...common, effect: value, error, df, interval: [low, high], sideP };
}

/** One column of 0 and 1 per name but the first. */
function indicators(names: readonly string[]): number[][] {
  return [...new Set(names)].slice(1).map((one) => names.map((name) => Number(name === one)));
}

/** Slope of y on what the term says beyond the other columns, per group of rows. Their mean, weighted
 * by the sums of squares, is the coefficient. */
function partialSlopes(y: readonly number[], rest: Float64Array, group: readonly string[]): Map<string, number> {
  const sums = new Map<string, [number, number]>();
  for (const [i, name] of group.entries()) {
    const [products, squares] = sums.get(name) ?? [0, 0];
    sums.set(name, [products + rest[i] * y[i], squares + rest[i] ** 2]);
  }
  return new Map([...sums].map(([name, [products, squares]]) => [name, squares > 0 ? products / squares : 0]));
}
