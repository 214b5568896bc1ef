/** @file Chooses the policy of a converted network, and counts its right answers. Thresholds are
 *  chosen on the validation records. The test records only give results. Source: docs/method.md
 *  section 2. */
import { Logits } from "../../core/logits.js";
import type { Dataset } from "../../data/dataset.js";
import { calibrate } from "../../dynamic/choose/calibrate.js";
import { argmax } from "../../dynamic/route/policy.js";
import { route } from "../../dynamic/route/route.js";
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
  /** Under the policy: the number of right answers, and the mean cost as a share of the full
   * network's cost. Undefined without a policy. */
  readonly routed: { readonly right: number; readonly cost: number } | undefined;
}

export interface Measurement {
  /** The chosen policy. Undefined when the request has no target. */
  readonly policy: Policy | undefined;
  /** Results on the validation records. */
  readonly validation: Tally;
  /** Results on the test records. Undefined without test records. */
  readonly test: Tally | undefined;
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
  const policy = target && calibrate(joined(seen), { rule: "max-softmax", fallback: "final", target, costs }).policy;
  const tested: Tally[] = [];
  if (test)
    for await (const part of answersOf(graph, exits, test, backend, request)) tested.push(counted(part, policy, costs));
  return {
    policy,
    validation: total(seen.map((part) => counted(part, policy, costs))),
    test: test && total(tested),
  };
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
  const right = logits.exits.map((_, k) => labels.filter((label, i) => argmax(logits.row(k, i)) === label).length);
  const taken = policy && route(logits, policy);
  return {
    count: labels.length,
    right,
    routed: taken && {
      right: taken.filter((r, i) => r.label === labels[i]).length,
      cost: taken.reduce((sum, r) => sum + costs[r.stop], 0) / labels.length,
    },
  };
}

function total(parts: readonly Tally[]): Tally {
  const sum = (of: (part: Tally) => number): number => parts.reduce((all, part) => all + of(part), 0);
  const count = sum((part) => part.count);
  return {
    count,
    right: (parts[0]?.right ?? []).map((_, k) => sum((part) => part.right[k])),
    routed: parts[0]?.routed && {
      right: sum((part) => part.routed?.right ?? 0),
      cost: sum((part) => (part.routed?.cost ?? 0) * part.count) / count,
    },
  };
}
