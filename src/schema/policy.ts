/** @file The policy: one rule per unit. Exits have a rule, thresholds, and a fallback for samples
 *  for which no early exit fires. Gates have thresholds of their scores. Sources: max-softmax (Kaya
 *  et al. 2019, SDN), entropy (Teerapittayanon et al. 2016, BranchyNet), margin, patience (Zhou et
 *  al. 2020, PABEE). */
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
    .describe("one per exit; its logits are divided by it before the softmax; absent: 1"),
  gates: z
    .strictObject({
      thresholds: z
        .array(z.number())
        .describe("one per gate, on its score; -1e9 and less: always open; 1e9 and more: closed"),
    })
    .optional()
    .describe("the rule of the gates: a gate is open when its score reaches its threshold; absent: 0 for each"),
});

/** A policy. An early exit that never fires has the threshold of its rule in
 * {@link NEVER_FIRES}. */
export interface Policy {
  /** The rule, whose confidence is compared with a threshold. */
  readonly rule: Rule;
  /** One number per early exit. For patience, one number: the exits in a row that must agree. */
  readonly thresholds: readonly number[];
  /** The exit that answers when no early exit fires. */
  readonly fallback: Fallback;
  /** Divisors of the logits before the softmax, one per exit, with the final exit. The default is
   * 1. Source: temperature scaling, Guo et al. 2017. */
  readonly temperatures?: readonly number[] | undefined;
  /** The rule of the gates. The default is a threshold of 0 for each. */
  readonly gates?: GateRule | undefined;
}

/** The rule of all gates: a gate is open when its score reaches its threshold. Scores are float32,
 * and so are thresholds when they are compared. */
export interface GateRule {
  /** One number per gate. {@link ALWAYS_OPEN} and {@link ALWAYS_CLOSED} force a gate. */
  readonly thresholds: readonly number[];
}

/** The threshold of a gate that is open for every input. It is finite, because JSON cannot hold
 * infinity. */
export const ALWAYS_OPEN = -1e9;
/** The threshold of a gate that is closed for every input. */
export const ALWAYS_CLOSED = 1e9;

/** Whether a gate is open for every input (true), closed for every input (false), or asks its score
 * (undefined). */
export const forcedBit = (threshold: number): boolean | undefined =>
  threshold <= ALWAYS_OPEN ? true : threshold >= ALWAYS_CLOSED ? false : undefined;

/** The threshold of every gate under a policy. */
export const gateThresholds = ({ gates }: Pick<Policy, "gates">, count: number): readonly number[] =>
  gates?.thresholds ?? new Array<number>(count).fill(0);

/** The threshold of a gate as text for people.
 * @param digits significant digits */
export function showGateThreshold(threshold: number, digits = 4): string {
  const forced = forcedBit(threshold);
  return forced === undefined ? String(Number(threshold.toPrecision(digits))) : forced ? "open" : "closed";
}

/** Stands for an exit that never fires in a list of thresholds. */
export const NEVER = "never";
/** A threshold, or NEVER for an exit that never fires. */
export type Threshold = number | typeof NEVER;

/** The threshold of each rule at which no exit fires. It is finite, because JSON cannot hold
 * infinity. */
export const NEVER_FIRES = {
  "max-softmax": 2,
  entropy: -1,
  margin: 2,
  patience: Number.MAX_SAFE_INTEGER,
} as const satisfies Readonly<Record<Rule, number>>;

/** Number of thresholds in a policy: one per early exit. Patience has one number for all early
 * exits. */
export const thresholdCount = (rule: Rule, exits: number): number =>
  rule === "patience" ? Math.min(1, exits - 1) : exits - 1;

/** What the policy of a network with one exit states. No answer depends on it. */
export interface SingleExitOptions {
  /** Default: max-softmax. */
  readonly rule?: Rule | undefined;
  /** Default: final. */
  readonly fallback?: Fallback | undefined;
}

/** The policy of a network with one exit, which needs no threshold. */
export const singleExitPolicy = ({ rule = "max-softmax", fallback = "final" }: SingleExitOptions = {}): Policy => ({
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

/** The rule of the gates as text behind the rule of the exits. Empty without one. */
export function showGateRule({ gates }: Pick<Policy, "gates">): string {
  if (gates === undefined) return "";
  const shown = gates.thresholds.map((threshold) => showGateThreshold(threshold));
  return `, gates ${(new Set(shown).size === 1 ? shown.slice(0, 1) : shown).join(", ")}`;
}

/** A policy as records hold it. */
export const policyRecord = ({
  rule,
  thresholds,
  fallback,
  temperatures,
  gates,
}: Policy): z.infer<typeof policySchema> => ({
  rule,
  thresholds: [...thresholds],
  fallback,
  ...(temperatures ? { temperatures: [...temperatures] } : {}),
  ...(gates ? { gates: { thresholds: [...gates.thresholds] } } : {}),
});

/** A threshold as text for people.
 * @param digits significant digits */
export const showThreshold = (rule: Rule, threshold: number, digits = 4): string =>
  threshold === NEVER_FIRES[rule] ? NEVER : String(Number(threshold.toPrecision(digits)));

/** All thresholds of a policy as text for people. One threshold when all are equal. */
export function showThresholds({ rule, thresholds }: Pick<Policy, "rule" | "thresholds">): string {
  const shown = thresholds.map((threshold) => showThreshold(rule, threshold));
  return (new Set(shown).size === 1 ? shown.slice(0, 1) : shown).join(", ");
}
