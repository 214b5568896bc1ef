/** @file The normalisation that a foreign model expects of its input, from --mean and --std. */
import { DynnError } from "../../core/errors.js";
import type { Normalization } from "../../schema/normalization.js";
import type { CommonFlags } from "./common-options.js";

export type NormalizationFlags = CommonFlags<never, "mean" | "std">;

/** @throws DynnError 'cli/usage' when only one option is given, or they differ in length */
export function normalizationOf({ mean, std }: NormalizationFlags): { normalization?: Normalization } {
  if (!mean && !std) return {};
  if (mean && std && mean.length === std.length && std.every((s) => s > 0)) return { normalization: { mean, std } };
  throw new DynnError(
    "cli/usage",
    `--mean and --std: got ${mean?.join() ?? "no mean"} and ${std?.join() ?? "no std"}, expected both, of equal length, with every std above 0. Write e.g. --mean 0.485,0.456,0.406 --std 0.229,0.224,0.225.`,
    { mean, std },
  );
}
