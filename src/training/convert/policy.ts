/** @file Chooses the policy of a converted network, and counts its right answers. Thresholds are
 *  chosen on the validation records. The test records only give results. Source: docs/method.md
 *  section 2. */
import { Logits } from "../../core/logits.js";
import type { Dataset } from "../../data/dataset.js";
import { calibrate } from "../../dynamic/choose/calibrate.js";
import { chooseCarefully } from "../../dynamic/choose/careful.js";
import { argmax } from "../../dynamic/route/policy.js";
import { type Routed, route } from "../../dynamic/route/route.js";
import type { Graph } from "../../graph/graph.js";
import type { Backend } from "../../runtime/backend.js";
import type { Policy } from "../../schema/policy.js";
import type { CalibrationTarget } from "../../schema/target.js";
import { type Answered, answersOf, type EvaluateOptions } from "../run/evaluate.js";
import type { TrainableModel } from "../run/request.js";

/** Counts of right answers on some records. */
export interface Tally {
  /** Records. */
  readonly count: number;
  /** Number of right answers of each exit alone. */
  readonly right: readonly number[];
  /** The answers under the policy. Undefined without a policy. */
  readonly routed: RoutedTally | undefined;
}

/** Counts of the answers under a policy. */
export interface RoutedTally {
  /** Number of right answers. */
  readonly right: number;
  /** Mean cost, as a share of the full network's cost. */
  readonly cost: number;
  /** Mean of the squared costs, for an interval of the mean. */
  readonly costSquare: number;
  /** Number of records that only the final exit answers right. */
  readonly onlyFinal: number;
  /** Number of records that only the policy answers right. */
  readonly onlyRouted: number;
}

export interface Measurement {
  /** The chosen policy. Undefined when the request has no target. */
  readonly policy: Policy | undefined;
  /** Results on the validation records. */
  readonly validation: Tally;
  /** Results on the test records. Undefined without test records. */
  readonly test: Tally | undefined;
  /** Results on the validation records, each answered under thresholds that were chosen without it.
   * So they are not too good, as those of `validation` are. Undefined without a policy. */
  readonly held: Tally | undefined;
}

export interface MeasureRequest extends EvaluateOptions {
  readonly exits: TrainableModel["exits"];
  readonly validation: Dataset;
  readonly test?: Dataset | undefined;
  readonly backend: Backend;
  /** The target for thresholds. Undefined: no policy. */
  readonly target: CalibrationTarget | undefined;
}

/** Chooses the policy and counts right answers.
 * @param graph the trained network
 * @throws DynnError 'policy/validation' as `calibrate`, or 'runtime/run' */
export async function measure(graph: Graph, request: MeasureRequest): Promise<Measurement> {
  const { exits, validation, test, backend, target } = request;
  const costs = exits.map((e) => e.costFraction);
  const seen: Answered[] = [];
  for await (const part of answersOf(graph, exits, validation, backend, request)) seen.push(part);
  const known = joined(seen);
  const choose = (records: Answered): Policy | undefined => target && chosenPolicy(records, target, costs);
  const policy = choose(known);
  const tested: Tally[] = [];
  if (test)
    for await (const part of answersOf(graph, exits, test, backend, request)) tested.push(counted(part, policy, costs));
  return {
    policy,
    validation: total(seen.map((part) => counted(part, policy, costs))),
    test: test && total(tested),
    held: policy && heldOut(known, choose, costs),
  };
}

/** One threshold on the largest probability. A limit on the loss of accuracy is kept with a
 * probability of 90 %, because few validation records fit thresholds too well. */
function chosenPolicy(records: Answered, target: CalibrationTarget, costs: readonly number[]): Policy {
  const frame = { rule: "max-softmax", fallback: "final", costs } as const;
  return target.kind === "rad" || target.kind === "drop"
    ? chooseCarefully(records, { ...frame, target })
    : calibrate(records, { ...frame, target }).policy;
}

/** Number of parts for {@link Measurement.held}. */
const PARTS = 5;

/** Each part of the records under thresholds that the other parts chose. */
function heldOut(
  records: Answered,
  choose: (records: Answered) => Policy | undefined,
  costs: readonly number[],
): Tally | undefined {
  const all = [...records.labels.keys()];
  if (all.length < 2 * PARTS) return undefined;
  const parts = Array.from({ length: PARTS }, (_, part) => {
    const policy = choose(
      rowsOf(
        records,
        all.filter((i) => i % PARTS !== part),
      ),
    );
    return counted(
      rowsOf(
        records,
        all.filter((i) => i % PARTS === part),
      ),
      policy,
      costs,
    );
  });
  return total(parts);
}

/** Some of the records. */
function rowsOf({ labels, logits }: Answered, rows: readonly number[]): Answered {
  const { classes } = logits;
  const exits = logits.exits.map((_, k) => {
    const kept = new Float32Array(rows.length * classes);
    rows.forEach((row, i) => kept.set(logits.row(k, row), i * classes));
    return kept;
  });
  return { labels: Int32Array.from(rows, (row) => labels[row]), logits: new Logits(exits, classes) };
}

/** Joins parts into one. */
function joined(parts: readonly Answered[]): Answered {
  const [first] = parts;
  const whole = (of: (part: Answered) => Float32Array): Float32Array =>
    Float32Array.from(parts.flatMap((part) => [...of(part)]));
  return {
    labels: Int32Array.from(parts.flatMap(({ labels }) => [...labels])),
    logits: new Logits(
      (first?.logits.exits ?? []).map((_, k) => whole((part) => part.logits.exits[k])),
      first?.logits.classes ?? 0,
    ),
  };
}

function counted({ labels, logits }: Answered, policy: Policy | undefined, costs: readonly number[]): Tally {
  const rightOf = (k: number) => Array.from(labels, (label, i) => argmax(logits.row(k, i)) === label);
  const exits = logits.exits.map((_, k) => rightOf(k));
  return {
    count: labels.length,
    right: exits.map((right) => right.filter(Boolean).length),
    routed: policy && routedTally(route(logits, policy), labels, exits.at(-1) ?? [], costs),
  };
}

function routedTally(
  taken: readonly Routed[],
  labels: ArrayLike<number>,
  final: readonly boolean[],
  costs: readonly number[],
): RoutedTally {
  const right = taken.map(({ label }, i) => label === labels[i]);
  const mean = (of: (cost: number) => number): number =>
    taken.reduce((sum, { stop }) => sum + of(costs[stop]), 0) / taken.length;
  return {
    right: right.filter(Boolean).length,
    cost: mean((cost) => cost),
    costSquare: mean((cost) => cost * cost),
    onlyFinal: right.filter((is, i) => !is && final[i]).length,
    onlyRouted: right.filter((is, i) => is && !final[i]).length,
  };
}

function total(parts: readonly Tally[]): Tally {
  const sum = (of: (part: Tally) => number): number => parts.reduce((all, part) => all + of(part), 0);
  const routed = (of: (tally: RoutedTally) => number): number => sum(({ routed: own }) => (own ? of(own) : 0));
  const count = sum((part) => part.count);
  const mean = (of: (tally: RoutedTally) => number): number =>
    sum((part) => (part.routed ? of(part.routed) * part.count : 0)) / count;
  return {
    count,
    right: (parts[0]?.right ?? []).map((_, k) => sum((part) => part.right[k])),
    routed: parts[0]?.routed && {
      right: routed((own) => own.right),
      cost: mean((own) => own.cost),
      costSquare: mean((own) => own.costSquare),
      onlyFinal: routed((own) => own.onlyFinal),
      onlyRouted: routed((own) => own.onlyRouted),
    },
  };
}
