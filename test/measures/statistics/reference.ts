/** @file The values that R made (test/fixtures/statistics/README.md). */
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { expect } from "vitest";

const FOLDER = resolve(import.meta.dirname, "../../fixtures/statistics");
const read = (name: string): unknown => JSON.parse(readFileSync(resolve(FOLDER, name), "utf8"));

interface Reference {
  readonly mcnemar: readonly Readonly<
    Record<
      "b" | "c" | "both" | "neither" | "exact" | "midp" | "chisq_corrected" | "chisq" | "difference" | "wald_se",
      number
    >
  >[];
  readonly binomial: readonly {
    readonly k: number;
    readonly n: number;
    readonly wilson: readonly number[];
    readonly clopper_pearson: readonly number[];
  }[];
  readonly blocks: Readonly<Record<"d" | "t_ci", readonly number[]>> &
    Readonly<
      Record<
        | "mean"
        | "sd"
        | "sign_flip_exact_two_sided"
        | "sign_flip_exact_greater"
        | "t"
        | "t_p"
        | "wilcoxon_exact"
        | "tost_margin"
        | "tost_lower_p"
        | "tost_upper_p"
        | "noninferiority_margin"
        | "noninferiority_p",
        number
      >
    >;
  readonly multiplicity: Readonly<Record<"p" | "holm" | "bh" | "bonferroni", readonly number[]>>;
  readonly bootstrap: Readonly<Record<"x" | "percentile" | "bca", readonly number[]>> &
    Readonly<Record<"mean" | "acceleration" | "tolerance", number>>;
  readonly survival: Readonly<Record<"time1" | "event1" | "time2" | "event2", readonly number[]>> &
    Readonly<Record<"restricted_mean_10" | "logrank_chisq" | "logrank_p", number>> & {
      readonly km1: Readonly<Record<"time" | "survival" | "se" | "lower" | "upper", readonly number[]>>;
    };
  readonly page: { readonly ranks: readonly (readonly number[])[] } & Readonly<
    Record<"L" | "normal_p" | "exact_p", number>
  >;
  readonly rank: Readonly<Record<"x" | "y" | "pearson_ci", readonly number[]>> &
    Readonly<Record<"spearman" | "kendall" | "pearson", number>>;
  readonly clustered: Readonly<
    Record<"group" | "x1" | "x2" | "y" | "coef" | "se_cr1" | "p_df5" | "se_ols", readonly number[]>
  >;
  readonly kappa: { readonly table: readonly (readonly number[])[]; readonly kappa: number };
}

export const R = read("values.json") as Reference;

/** Rows of arguments and value. */
export const SPECIAL = read("special.json") as Readonly<
  Record<"ibeta" | "igamq" | "norm", readonly (readonly number[])[]>
>;

/** Rows of b, c, n, low and high. */
export const TANGO = read("tango.json") as readonly (readonly [number, number, number, number, number])[];

/** The numbers agree to 1e-8 in relative terms; values.json has 15 digits. */
export function expectClose(got: readonly number[], want: readonly number[], relative = 1e-8): void {
  expect(got.length).toBe(want.length);
  for (const [i, value] of want.entries()) {
    const error = Math.abs(got[i] - value);
    // The message shows the numbers.
    if (!(error <= relative * Math.abs(value) + 1e-15)) expect(got).toEqual(want);
  }
}
