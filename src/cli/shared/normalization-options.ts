/** @file The options about the input of a foreign model: its normalisation and its order of
 *  channels. */
import { DynnError } from "../../core/errors.js";
import type { InputOptions } from "../../dynamic/model/input.js";
import { isNormalization, LEAST_STD } from "../../schema/normalization.js";
import { type CommonFlags, commons } from "./common-options.js";

const NAMES = ["mean", "std", "forceNormalization", "channels"] as const;

export type NormalizationFlags = CommonFlags<never, (typeof NAMES)[number]>;

/** The options themselves. */
export const normalizationOptions = (): ReturnType<typeof commons> => commons(...NAMES);

/** @throws DynnError 'cli/usage' when only one option is given, or they differ in length */
export function normalizationOf({ mean, std, forceNormalization, channels }: NormalizationFlags): InputOptions {
  const more = { ...(forceNormalization ? { forceNormalization } : {}), ...(channels ? { channels } : {}) };
  if (!mean && !std) return more;
  if (mean && std && isNormalization({ mean, std })) return { normalization: { mean, std }, ...more };
  throw new DynnError(
    "cli/usage",
    `--mean and --std: got ${mean?.join() ?? "no mean"} and ${std?.join() ?? "no std"}, expected both, of equal length, with every std at least ${LEAST_STD}. Write e.g. --mean 0.485,0.456,0.406 --std 0.229,0.224,0.225.`,
    { mean, std },
  );
}
