/** @file What every form of effect takes and gives. */
import type { ClaimsPlan, EffectRecord } from "../../../schema/study/claims.js";

/** Settings of a plan that effects depend on. */
export type Settings = Pick<ClaimsPlan, "level" | "seed">;

/** An effect before it is compared with a claim. */
export interface Effect extends Omit<EffectRecord, "cells" | "p"> {
  /** Degrees of freedom of the error. */
  readonly df: number;
  /** p value of an effect on one side of `reference`. Null for fewer than two blocks. */
  readonly sideP: (side: 1 | -1, reference: number) => number | null;
  readonly cells: readonly { readonly cell: string; readonly value: number }[];
}
