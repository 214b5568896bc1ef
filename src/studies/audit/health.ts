/** @file Signs that an attack is weaker than it looks. Sources: the flags of AutoAttack (Croce &
 *  Hein 2020); Carlini et al. 2019, "On evaluating adversarial robustness"; Pintor et al. 2022,
 *  "Indicators of attack failure". */
import { goalNamed } from "../../attacks/goals/table.js";
import { METHODS, type MethodName } from "../../attacks/methods/table.js";
import { softmaxRow } from "../../dynamic/route/policy.js";
import { rowsKind } from "../../dynamic/run/rows-kind.js";
import { wilson } from "../../measures/wilson.js";
import type { AttackRecord } from "../../schema/audit-record.js";
import type { Attacked } from "./attacked.js";
import type { AuditedModel } from "./audited-model.js";

type Flag = AttackRecord["health"][number];

/** What each flag means, and what to try. */
const MEANINGS = {
  "zero-gradient":
    "the gradient was 0 or below float32's resolution, so the attack had no direction there. Try the loss margin, or the method square",
  unchanged: "the attack failed and left the image as it was. Try a larger step, a random start, or the method square",
  "loss-flat": "the attack failed and its loss never rose above the first value. Try a smaller step, or apgd-dlr",
  saturated:
    "the softmax of the final exit is 1 to float32's resolution, and cross-entropy then has no gradient. Try the loss margin or dlr",
  probabilities:
    "outputs look like probabilities, and losses are made for logits. Export the model without its softmax, or try square",
  random: "two runs on the same clean images gave different logits. Try eot-pgd, or AutoAttack with version rand",
  "large-radius":
    "a ball of half the pixel range holds images of any class, and yet samples stayed right. Look for a fault in the attack or the model",
  "no-limit-weaker":
    "an attack without a limit left more samples right than one with a limit. It needs more steps or another start",
  "query-stronger":
    "an attack that sees less of the model left fewer samples right. The gradient misleads. Trust the query attack, or try autoattack",
  "noise-as-strong": "a control without any search was as strong. The gradient misleads, or the radius is too large",
  "hard-gates":
    "the gradient was 0 through hard gates, which hide how scores change. Use straight-through, soft or best for the field gates",
  "surrogates-disagree":
    "the same search succeeded far more often with one surrogate of hard gates than with another, so the gradient of the weaker one misleads. Report best, the strongest of all",
  "gates-weaker":
    "the same attack with another surrogate of hard gates left fewer samples right. Use best for the field gates",
  "more-is-weaker":
    "the same attack with a smaller radius or fewer steps, queries or restarts left fewer samples right. Try more restarts",
} as const;

/** A share of the samples, or nothing where no sample shows the sign. */
const shareFlag = (flag: keyof typeof MEANINGS, share: number): Flag[] =>
  share > 0 ? [{ flag, share, meaning: MEANINGS[flag] }] : [];

const wholeFlag = (flag: keyof typeof MEANINGS, holds: boolean): Flag[] =>
  holds ? [{ flag, share: null, meaning: MEANINGS[flag] }] : [];

/** Float32's resolution below 1. */
const RESOLUTION = 2 ** -24;

/** The signs that one attack shows by itself. */
export function ownHealth({ attack, samples, outcomes }: Attacked, audited: AuditedModel): Flag[] {
  const eligible = outcomes.filter((o) => o.eligible);
  const shareOf = (test: (at: number) => boolean): number =>
    outcomes.filter((o, i) => o.eligible && test(i)).length / Math.max(1, eligible.length);
  const failed = (i: number) => !outcomes[i].success;
  const gradient = attack.method.access === "gradient";
  // A search for the closest image returns the clean one when its successes lie beyond the
  // radius.
  const still = (i: number) =>
    outcomes[i].spent.queriesToSuccess === null && outcomes[i].image.every((v, k) => v === samples[i].pixels[k]);
  return [
    ...shareFlag(
      "zero-gradient",
      shareOf((i) => outcomes[i].vanished === true),
    ),
    ...(passes(attack) === "hard"
      ? shareFlag(
          "hard-gates",
          shareOf((i) => outcomes[i].vanished === true),
        )
      : []),
    ...shareFlag("surrogates-disagree", disagreement(eligible)),
    ...(gradient
      ? shareFlag(
          "unchanged",
          shareOf((i) => failed(i) && still(i)),
        )
      : []),
    ...(gradient
      ? shareFlag(
          "loss-flat",
          shareOf((i) => failed(i) && outcomes[i].lossRose === false),
        )
      : []),
    ...(gradient && attack.parameters.loss === "cross-entropy" ? shareFlag("saturated", saturated(samples)) : []),
    ...wholeFlag("probabilities", givesProbabilities(audited)),
    ...wholeFlag("random", audited.random),
    ...wholeFlag("large-radius", mustReachAll(attack) && eligible.some((o) => !o.success)),
  ];
}

/** How gradients pass gates. Undefined for a network without gates. */
const passes = ({ parameters }: Pick<AttackRecord, "parameters">): string | undefined =>
  parameters.gates === undefined ? undefined : String(parameters.gates);

/** The share of samples on which the surrogates of hard gates disagree, where the strongest
 * succeeds more often than the weakest beyond the intervals of both. Else 0. */
function disagreement(eligible: readonly Pick<Attacked["outcomes"][number], "reached">[]): number {
  const tried = eligible.flatMap(({ reached }) => (reached ? [reached] : []));
  if (tried.length === 0) return 0;
  const rates = tried[0].map((_, k) => wilson(tried.filter((reached) => reached[k]).length, tried.length));
  const [strongest, weakest] = [Math.max(...rates.map((r) => r.low)), Math.min(...rates.map((r) => r.high))];
  if (strongest <= weakest) return 0;
  return tried.filter((reached) => new Set(reached).size > 1).length / eligible.length;
}

/** Whether an exit still gives probabilities, because neither the graph nor a first run told. */
const givesProbabilities = ({ logits }: AuditedModel): boolean =>
  logits.exits.some((rows) => rowsKind(rows, logits.classes) === "probabilities");

/** Whether the ball holds images of other answers for every sample: grey is in it. A control does
 * not search for them, and grey need not be of the target or meet another goal. */
const mustReachAll = ({ budget: { norm, radius = 0 }, goal, method }: Attacked["attack"]): boolean =>
  norm === "linf" &&
  radius >= 0.5 &&
  goal.target === undefined &&
  goalNamed(goal.name, goal.name).def.takesLoss &&
  !isControl({ method: method.name });

/** Share of the samples whose softmax at the final exit is 1. */
const saturated = (samples: Attacked["samples"]): number =>
  samples.filter(({ clean }) => 1 - Math.max(...softmaxRow(clean[clean.length - 1])) < RESOLUTION).length /
  Math.max(1, samples.length);

/** Adds the signs that show when attacks are compared. A difference counts when it is larger than
 * the intervals of both. */
export const withComparisons = (records: readonly AttackRecord[]): AttackRecord[] =>
  records.map((record) => ({ ...record, health: [...record.health, ...comparisons(record, records)] }));

function comparisons(record: AttackRecord, all: readonly AttackRecord[]): Flag[] {
  const rivals = all.filter((other) => other !== record && sameQuestion(record, other));
  const beaten = (by: (other: AttackRecord) => boolean) => rivals.some((other) => by(other) && isWeaker(record, other));
  const gradient = record.access === "gradient";
  return [
    ...wholeFlag("no-limit-weaker", record.radius === null && beaten((o) => o.radius !== null)),
    ...wholeFlag(
      "query-stronger",
      gradient && beaten((o) => o.access !== "gradient" && sameBall(record, o) && !isControl(o)),
    ),
    ...wholeFlag(
      "noise-as-strong",
      gradient && rivals.some((o) => isControl(o) && sameBall(record, o) && isAsStrong(o, record)),
    ),
    ...wholeFlag(
      "gates-weaker",
      beaten((o) => o.method === record.method && sameBall(record, o) && passes(o) !== passes(record)),
    ),
    ...wholeFlag(
      "more-is-weaker",
      beaten((o) => o.method === record.method && hasLess(o, record)),
    ),
  ];
}

/** Whether two attacks are after the same answer of the same samples. */
const sameQuestion = (a: AttackRecord, b: AttackRecord): boolean =>
  a.goal === b.goal && a.samples === b.samples && a.parameters.target === b.parameters.target;

const sameBall = (a: AttackRecord, b: AttackRecord): boolean => a.norm === b.norm && a.radius === b.radius;

const isControl = ({ method }: Pick<AttackRecord, "method">): boolean =>
  METHODS[method as MethodName]?.control === true;

/** Whether an attack leaves more samples right, beyond the intervals of both. */
const isWeaker = (a: AttackRecord, b: AttackRecord): boolean => a.robustAccuracy.low > b.robustAccuracy.high;

/** The share of another attack's successes that counts as all of them. */
const NEARLY_ALL = 0.8;

/** Whether an attack has about as many successes as another one. Few samples tell little apart, so
 * overlapping intervals alone do not count. */
const isAsStrong = (a: AttackRecord, b: AttackRecord): boolean =>
  a.successes > 0 && a.successes >= NEARLY_ALL * b.successes && !isWeaker(a, b);

/** What an attack has more of when it does more. */
const AMOUNTS = ["steps", "queries", "restarts"] as const;

/** Whether the first attack has a smaller radius, fewer steps, queries or restarts, and is else the
 * same. Lengths follow the radius, so only settings in words must agree. */
function hasLess(a: AttackRecord, b: AttackRecord): boolean {
  if (a.norm !== b.norm || a.radius === null || b.radius === null) return false;
  const words = ({ parameters }: AttackRecord) => Object.entries(parameters).filter(([, v]) => typeof v !== "number");
  if (JSON.stringify(words(a)) !== JSON.stringify(words(b))) return false;
  const amounts = (of: AttackRecord) => [of.radius ?? 0, ...AMOUNTS.map((name) => Number(of.parameters[name] ?? 0))];
  const [less, more] = [amounts(a), amounts(b)];
  return less.every((v, k) => v <= more[k]) && less.some((v, k) => v < more[k]);
}
