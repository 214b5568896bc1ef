/** @file The exit policy: which rule, which thresholds, and what answers when no early exit fires.
 *  Sources: max-softmax (Kaya et al. 2019, SDN), entropy (Teerapittayanon et al. 2016, BranchyNet), margin,
 *  patience (Zhou et al. 2020, PABEE). */
import { z } from "zod";

/** The names of all rules. */
export const RULES = ["max-softmax", "entropy", "margin", "patience"] as const;
/** The name of a rule. */
export type Rule = (typeof RULES)[number];

/** The names of all fallbacks. */
export const FALLBACKS = ["final", "most-confident"] as const;
/** The name of a fallback. */
export type Fallback = (typeof FALLBACKS)[number];

export const policySchema = z.strictObject({
  rule: z.enum(RULES),
  thresholds: z
    .array(z.number())
    .describe("one per early exit; for patience, one number: exits in a row that must agree"),
  fallback: z.enum(FALLBACKS),
  temperatures: z
    .array(z.number().positive())
    .optional()
    .describe("one per exit, what its logits are divided by before confidences are read; absent: 1"),
});

/** `thresholds` holds one number per early exit. For patience it holds one number, how many exits in a row must agree.
 *  An exit that never fires has its rule's number of {@link NEVER_FIRES}. */
export interface Policy {
  /** What is compared with a threshold. */
  readonly rule: Rule;
  /** One for each exit but the last; for patience, one number of agreeing exits. */
  readonly thresholds: readonly number[];
  /** Which exit answers when none fired. */
  readonly fallback: Fallback;
  /** Divisors of each exit's logits before the softmax that confidences are taken from, the final exit's included.
   *  Left out: 1. Source: temperature scaling, Guo et al. 2017. */
  readonly temperatures?: readonly number[] | undefined;
}

/** In a list of thresholds, an exit that never fires. */
export const NEVER = "never";
/** A threshold; NEVER: the exit never fires. */
export type Threshold = number | typeof NEVER;

/** The threshold of each rule at which nothing fires. It is finite, so that it survives JSON. */
export const NEVER_FIRES = {
  "max-softmax": 2,
  entropy: -1,
  margin: 2,
  patience: Number.MAX_SAFE_INTEGER,
} as const satisfies Readonly<Record<Rule, number>>;

/** How many thresholds a policy holds: one per early exit. Patience counts over all exits with one number. */
export const thresholdCount = (rule: Rule, exits: number): number => (rule === "patience" ? 1 : exits - 1);

/** The policy of a network with one exit, which needs no threshold. */
export const singleExitPolicy = (rule: Rule = "max-softmax", fallback: Fallback = "final"): Policy => ({
  rule,
  thresholds: [],
  fallback,
});

/** The policy with the same threshold at every early exit. The threshold is not checked. */
export const uniformPolicy = (rule: Rule, fallback: Fallback, threshold: number, exits: number): Policy => ({
  rule,
  fallback,
  thresholds: new Array<number>(thresholdCount(rule, exits)).fill(threshold),
});

/** A threshold for people.
 * @param digits significant digits */
export const showThreshold = (rule: Rule, threshold: number, digits = 4): string =>
  threshold === NEVER_FIRES[rule] ? NEVER : String(Number(threshold.toPrecision(digits)));

/** All thresholds of a policy for people; one where all are equal. */
export function showThresholds({ rule, thresholds }: Pick<Policy, "rule" | "thresholds">): string {
  const shown = thresholds.map((threshold) => showThreshold(rule, threshold));
  return (new Set(shown).size === 1 ? shown.slice(0, 1) : shown).join(", ");
}
