/** @file An effect over blocks with its error, interval and test. The block is the unit: samples of
 *  one pair of networks say nothing about other networks. */
import { meanOf } from "../../../measures/statistics/sample.js";
import { signFlip } from "../../../measures/statistics/sign-flip.js";
import { tTest } from "../../../measures/statistics/t-test.js";
import type { EstimateForm } from "../../../schema/study/claims.js";
import { type BlockForm, formulasOf } from "./block-values.js";
import type { Effect, Settings } from "./contract.js";
import { pairsOf } from "./pairs.js";
import { regressedEffect } from "./regressed.js";
import type { BlockTable } from "./table.js";

/** Computes the effect of a form.
 * @throws DynnError `claims/data` for tables that do not fit the form */
export const effectOf = (form: EstimateForm, blocks: readonly BlockTable[], plan: Settings): Effect =>
  form.kind === "regression" ? regressedEffect(form, blocks, plan) : overBlocks(form, blocks, plan);

function overBlocks(form: BlockForm, blocks: readonly BlockTable[], { level, seed }: Settings): Effect {
  const { tables, formulas } = formulasOf(form, blocks);
  const values = tables.map((columns, i) => formulas[i](columns.map(meanOf)));
  const rows = blocks.map(({ id, cell }, i) => ({
    id,
    cell,
    value: values[i],
    pairs: pairsOf(form, tables[i], level),
  }));
  const t = values.length > 1 ? tTest(values, 0, level) : undefined;
  return {
    effect: meanOf(values),
    error: t?.error ?? null,
    df: values.length - 1,
    interval: t ? [t.low, t.high] : null,
    test: "sign-flip over blocks",
    sideP: (side, reference) =>
      t
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
