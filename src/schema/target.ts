/** @file The target of a calibration: an accuracy to keep, a mean cost, or a mean time. Sources:
 *  Kaya et al. 2019; Hong et al. 2021 (RAD: the relative accuracy drop). */
import { z } from "zod";
import { DynnError } from "../core/errors.js";
import { parseQuantity } from "../core/units.js";
import { share } from "./numbers.js";

export const targetSchema = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("rad"), loss: share }),
  z.object({ kind: z.literal("drop"), points: share }),
  z.object({ kind: z.literal("budget"), cost: share }),
  z.object({ kind: z.literal("latency"), milliseconds: z.number().positive() }),
]);

/** The target of a calibration: an accuracy to keep, a mean cost, or a mean time. */
export type CalibrationTarget =
  /** The cheapest policy that loses at most this share of the final exit's accuracy. */
  | { readonly kind: "rad"; readonly loss: number }
  /** The cheapest policy whose accuracy is at most this much below the final exit's. 0.01 is one
   * percentage point. */
  | { readonly kind: "drop"; readonly points: number }
  /** The most accurate policy whose mean cost is at most this share of the full network's cost. */
  | { readonly kind: "budget"; readonly cost: number }
  /** The most accurate policy whose mean time per sample is at most this number of milliseconds. */
  | { readonly kind: "latency"; readonly milliseconds: number };

/** The default target: lose at most 5 % of the final exit's accuracy. */
export const DEFAULT_TARGET: CalibrationTarget = { kind: "rad", loss: 0.05 };

/** The forms of a target on a command line, and what each means. */
export const TARGET_FORMS = {
  keep: "keep:95% (cheapest that keeps 95 % of the final accuracy; rad:5%, a relative accuracy drop of 5 %, is the same)",
  drop: "drop:1pt (cheapest that loses at most 1 percentage point)",
  budget: "budget:50% (most accurate at half the cost)",
} as const;

/** A larger loss of accuracy is a mistake: half of the right answers would be given up. */
const MOST_LOSS = 0.5;

/** Reads a target such as "rad:5%", "keep:95%", "drop:1pt" or "budget:50%".
 * @param where what to call the target in errors
 * @returns undefined for any other text
 * @throws DynnError 'cli/value' for a share outside 0 to 1, and for a target that gives up more
 *  than half of the accuracy
 * @example readShareTarget("keep:95%") // { kind: "rad", loss: 0.05 } */
export function readShareTarget(text: string, where = "target"): CalibrationTarget | undefined {
  const [, kind, amount = ""] = /^(rad|keep|drop|budget):(.*)$/.exec(text.trim()) ?? [];
  if (kind === undefined) return undefined;
  if (kind === "drop") return dropTarget(text, amount, where);
  const value = quantityOf(amount);
  if (value === undefined) return undefined;
  if (!(value > 0 && value <= 1))
    throw refused(where, text, "a share above 0 and up to 100 %", `${kind}:${EXAMPLES[kind as keyof typeof EXAMPLES]}`);
  if (kind === "budget") return { kind, cost: value };
  const loss = kind === "rad" ? value : rounded(1 - value);
  if (loss > MOST_LOSS) throw swapped(where, text, loss);
  return { kind: "rad", loss };
}

function quantityOf(amount: string): number | undefined {
  try {
    return parseQuantity(amount, "");
  } catch {
    return undefined;
  }
}

const EXAMPLES = { rad: "5%", keep: "95%", budget: "50%" } as const;

/** Without the last bits of a difference: 1 - 0.95 is 0.05. */
const rounded = (value: number): number => Number(value.toFixed(12));
const inPercent = (value: number): string => String(Number((100 * value).toFixed(6)));

/** @throws DynnError 'cli/value' */
function dropTarget(text: string, amount: string, where: string): CalibrationTarget {
  const [, digits] = /^(\d+\.?\d*|\.\d+)\s*(?:pts?|points?)$/.exec(amount.trim()) ?? [];
  const points = rounded(Number(digits ?? Number.NaN) / 100);
  if (Number.isNaN(points)) throw refused(where, text, "percentage points", "drop:1pt, or keep:95% for a share");
  if (points > 0 && points <= MOST_LOSS) return { kind: "drop", points };
  throw refused(where, text, "more than 0 and at most 50 percentage points", "drop:1pt");
}

const refused = (where: string, text: string, expected: string, example: string): DynnError =>
  new DynnError("cli/value", `${where}: got "${text}", expected ${expected}. Write e.g. ${where} ${example}.`, {
    got: text,
  });

/** The refusal of a target that gives up what it was probably meant to keep. */
const swapped = (where: string, text: string, loss: number): DynnError => {
  const kept = inPercent(1 - loss);
  const instead = loss >= 1 ? "rad:5% or keep:95%" : `rad:${kept}% or keep:${inPercent(loss)}%`;
  const named = text.trim().startsWith("rad") ? 'rad is the relative accuracy drop, so "' : '"';
  return new DynnError(
    "cli/value",
    `${where}: ${named}${text}" means: give up ${inPercent(loss)} % of the final exit's accuracy. A target may give up at most half. To keep most of the accuracy, write ${instead}.`,
    { got: text, loss },
  );
};

/** A target in words, as the end of "the thresholds chosen: ...". */
export function targetWords(target: CalibrationTarget): string {
  switch (target.kind) {
    case "rad":
      return `the cheapest that keeps ${inPercent(1 - target.loss)} % of the final exit's accuracy`;
    case "drop":
      return `the cheapest that loses at most ${pointsWords(target.points)}`;
    case "budget":
      return `the most accurate at a mean cost of at most ${inPercent(target.cost)} %`;
    case "latency":
      return `the most accurate at a mean time of at most ${Number(target.milliseconds.toPrecision(3))} ms`;
  }
}

/** "1 point", "2.5 points". */
const pointsWords = (share: number): string => `${inPercent(share)} ${inPercent(share) === "1" ? "point" : "points"}`;
