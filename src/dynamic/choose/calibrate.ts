/** @file Chooses thresholds on a validation split (docs/method.md section 2). No label is used at
 *  exit time, and the reported split is never used. The result is one threshold for all exits, or
 *  one per exit. On request, attacked samples keep bounds on cost and accuracy. */
import { DynnError } from "../../core/errors.js";
import { NEVER_FIRES, type Policy, type Rule, thresholdCount } from "../../schema/policy.js";
import type { CalibrationTarget } from "../../schema/target.js";
import { RULE_DEFS } from "../route/policy.js";
import { best, type Goal, type OperatingPoint, type WorstBounds } from "./goal.js";
import { paretoFront } from "./pareto.js";
import { type Measured, type PolicyFrame, type Readings, readExits, scoreOf, thresholdOf } from "./readings.js";
import { makeProblem, type Problem, type State, searchPerExit, traceStates, uniformStates } from "./search.js";
import { outcomeOf, type UnitCosts } from "./sweep.js";

export { keeps, type OperatingPoint, type WorstBounds } from "./goal.js";
export { paretoFront } from "./pareto.js";
export type { Measured } from "./readings.js";
export { fitTemperature } from "./temperature.js";

export const THRESHOLD_KINDS = ["uniform", "per-exit"] as const;
export type ThresholdKind = (typeof THRESHOLD_KINDS)[number];

/** Attacked samples, and bounds on their cost and accuracy. */
export interface WorstCase extends WorstBounds {
  /** Sets of attacked versions of validation samples. The bounds hold for the mean over each
   * set. */
  readonly attacked: readonly Measured[];
}

/** Options of {@link calibrate}. */
export interface CalibrationRequest extends PolicyFrame {
  readonly target: CalibrationTarget;
  /** Cumulative cost of each exit, with all gates open. In milliseconds for the target `latency`,
   * in any unit for other targets. */
  readonly costs: readonly number[];
  /** What each gate saves when it is closed, in the same unit. The default is 0. */
  readonly gateCosts?: readonly number[] | undefined;
  /** The default is uniform. */
  readonly thresholds?: ThresholdKind | undefined;
  /** Attacked samples, and bounds on their cost and accuracy. The default is none. */
  readonly worstCase?: WorstCase | undefined;
}

/** The policy that a calibration chose, and the curve that it was chosen from. */
export interface Calibration {
  /** The chosen policy. */
  readonly policy: Policy;
  /** Accuracy and cost of the policy on the validation samples. They are slightly optimistic,
   * because the policy was chosen on these samples. */
  readonly point: OperatingPoint;
  /** Accuracy against cost with one threshold for all exits, by rising cost. Only points that no
   * other uniform threshold dominates. */
  readonly uniform: readonly OperatingPoint[];
  /** The same with one threshold per exit, with the uniform ones. Empty unless the request is for
   * thresholds per exit. */
  readonly perExit: readonly OperatingPoint[];
}

/** Chooses the thresholds for a target.
 * @throws DynnError 'policy/validation' when no thresholds reach the target, or the split is empty
 * @throws DynnError 'policy/value' for thresholds per exit of patience
 * @example
 * ```ts
 * import { calibrate, Forward, load, openDataset, ortNode, readImages, subset } from "dynn/node";
 *
 * const model = await load("model.onnx");
 * const data = subset(await openDataset("sample"), [...Array(100).keys()]);
 * const forward = await Forward.compile(model, { backend: ortNode() });
 * const logits = await forward.logits(await readImages(data), { batch: 50 });
 * await forward.release();
 *
 * const { policy, point } = calibrate(
 *   { logits, labels: data.labels },
 *   {
 *     rule: "max-softmax",
 *     fallback: "final",
 *     target: { kind: "budget", cost: 0.5 },
 *     costs: model.exits.map(({ costFraction }) => costFraction),
 *   },
 * );
 * console.log(policy.thresholds, point.accuracy, point.cost);
 * ```
 */
export function calibrate(validation: Measured, request: CalibrationRequest): Calibration {
  check(validation, request);
  const clean = readExits(validation, request);
  const goal = goalOf(clean, request);
  return bestOf([candidatesOf(clean, request, goal)], goal, request);
}

/** Points of all thresholds of the exits that were tried, under some thresholds of the gates. */
export interface Candidates {
  readonly uniform: readonly Named[];
  readonly searched: readonly Named[];
}

export function candidatesOf(
  clean: Readings,
  request: Omit<CalibrationRequest, "target">,
  goal: Goal,
  gates?: readonly number[],
): Candidates {
  const { rule, costs } = request;
  const problem = problemOf(clean, request);
  const [never, early] = [RULE_DEFS[rule].rank(NEVER_FIRES[rule]), costs.length - 1];
  const named = (state: State): Named => ({ ...pointOf(rule, early, state), ...(gates ? { gates } : {}), state });
  const uniform = uniformStates(problem, never).map(named);
  const searched = request.thresholds === "per-exit" ? perExit(problem, never, uniform, goal).map(named) : [];
  return { uniform, searched };
}

/** The best point of all candidates, and the curves.
 * @throws DynnError 'policy/validation' */
export function bestOf(found: readonly Candidates[], goal: Goal, frame: PolicyFrame): Calibration {
  const { rule, fallback, temperatures } = frame;
  const uniform = found.flatMap((one) => one.uniform);
  const searched = found.flatMap((one) => one.searched);
  const { state, ...point } = best(goal, rule, [...uniform, ...searched]);
  return {
    policy: {
      ...{ rule, thresholds: point.thresholds, fallback },
      ...(temperatures ? { temperatures } : {}),
      ...(point.gates ? { gates: { thresholds: point.gates } } : {}),
    },
    point,
    uniform: paretoFront(uniform).map(withoutState),
    perExit: searched.length === 0 ? [] : paretoFront([...uniform, ...searched]).map(withoutState),
  };
}

export interface Named extends OperatingPoint {
  readonly state: State;
}

const withoutState = ({ state, ...point }: Named): OperatingPoint => point;

/** Accuracy and cost at every candidate for a uniform threshold. The last candidate never fires. */
export function operatingPoints(
  validation: Measured,
  request: Omit<CalibrationRequest, "target" | "thresholds">,
): OperatingPoint[] {
  const { rule, costs } = request;
  const never = RULE_DEFS[rule].rank(NEVER_FIRES[rule]);
  return uniformStates(problemOf(readExits(validation, request), request), never).map((state) =>
    pointOf(rule, costs.length - 1, state),
  );
}

/** Thresholds to try, with the rest of their policy and the costs. */
export interface OutcomeRequest extends PolicyFrame, UnitCosts {
  /** Thresholds, each list in the form of a policy. */
  readonly lists: readonly (readonly number[])[];
}

/** Accuracy and cost of given thresholds on other samples, such as the reported split. */
export function outcomesAt(measured: Measured, { lists, ...request }: OutcomeRequest): OperatingPoint[] {
  const problem = makeProblem(readExits(measured, request), [], request);
  return lists.map((thresholds) => {
    const bars = Float64Array.from({ length: problem.early }, (_, k) =>
      scoreOf(request.rule, thresholds[k] ?? thresholds[0]),
    );
    return { thresholds, ...outcomeOf(problem, bars) };
  });
}

const problemOf = (clean: Readings, request: Omit<CalibrationRequest, "target">): Problem =>
  makeProblem(
    clean,
    (request.worstCase?.attacked ?? []).map((set) => readExits(set, request)),
    request,
  );

export const goalOf = (
  { finalRight, count }: Readings,
  {
    target,
    costs,
    worstCase,
  }: Pick<CalibrationRequest, "target" | "costs"> & { readonly worstCase?: WorstBounds | undefined },
): Goal => ({
  target,
  finalAccuracy: finalRight / count,
  fullCost: costs.at(-1) as number,
  bounds: worstCase ?? {},
});

function perExit(problem: Problem, never: number, uniform: readonly Named[], goal: Goal): State[] {
  const starts = uniform.map(({ state }) => state);
  const traced = traceStates(problem, never, starts);
  return [...traced, searchPerExit(problem, never, [...starts, ...traced], goal)];
}

/** Patience has one number for all exits. */
const pointOf = (rule: Rule, early: number, { bars, outcome }: State): OperatingPoint => ({
  thresholds: Array.from(bars.subarray(0, thresholdCount(rule, early + 1)), (bar) => thresholdOf(rule, bar)),
  ...outcome,
});

/** @throws DynnError 'policy/validation', 'policy/value' */
export function check(
  { labels }: Measured,
  { rule, thresholds }: Pick<CalibrationRequest, "rule" | "thresholds">,
): void {
  if (labels.length === 0)
    throw new DynnError(
      "policy/validation",
      "calibration: the validation split is empty. Report fewer samples, or give validation data.",
      { options: ["samples", "validation"] },
    );
  if (rule === "patience" && thresholds === "per-exit")
    throw new DynnError(
      "policy/value",
      "calibration: rule patience has one number for all exits, so there are no thresholds per exit. Choose uniform thresholds, or another rule.",
      { rule, thresholds },
    );
}
