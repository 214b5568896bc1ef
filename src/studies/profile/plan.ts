/** @file The tasks of a profile: a pure function of networks, records and points. */
import { unitShares } from "../../dynamic/run/gated-runs.js";
import type { DataRef } from "../../schema/study/references.js";
import { answersTask, type ChoiceTask, chosenOn, fullMacs, givenTask, type Planned } from "../tasks/common.js";
import { makeTask } from "../tasks/kind.js";
import { type Point, pointsKind } from "../tasks/kinds/points.js";
import { timesKind } from "../tasks/kinds/times.js";
import { CommandPlan } from "../tasks/plan.js";
import type { TaskKey } from "../tasks/task.js";
import type { ProfileOptions } from "./options.js";

/** What a profile asks for. */
export interface ProfileRequest extends Pick<ProfileOptions, "rules" | "fallback" | "batches" | "rounds"> {
  readonly network: Planned;
  /** The static network of the same weights, then the baseline, if one is given. */
  readonly statics: readonly Planned[];
  readonly data: DataRef;
  /** Records on which thresholds are chosen. Undefined: none are chosen. */
  readonly validation: DataRef | undefined;
  readonly given: readonly Point[];
  /** Temperatures of the points that are chosen. */
  readonly temperatures: readonly number[] | undefined;
}

/** The tasks, and where each number of the record comes from. */
export interface ProfilePlan {
  readonly plan: CommandPlan;
  /** The answers for the reported records. */
  readonly reported: TaskKey;
  readonly statics: readonly TaskKey[];
  readonly points: TaskKey;
  readonly times: TaskKey;
}

/** Plans a profile. */
export function profilePlan({
  network,
  statics,
  data,
  validation,
  given,
  temperatures,
  ...request
}: ProfileRequest): ProfilePlan {
  const plan = new CommandPlan();
  const reported = plan.add(answersTask(network, data), "all exits");
  const static_ = statics.map((each) => plan.add(answersTask(each, data)));
  const { costs, gateCosts } = unitShares(network.model);
  const phase = "validation images";
  const { gated, inputs }: ChoiceTask = validation
    ? chosenOn(plan, network, validation, { phase, gateCosts })
    : { gated: undefined, inputs: {} };
  const frame = { given: [...given], rules: [...request.rules], fallback: request.fallback };
  const chosen = { ...frame, temperatures: temperatures && [...temperatures], costs, gated };
  const points = plan.add(makeTask(pointsKind, chosen, inputs), phase);
  const macs = fullMacs(network.model);
  const { batches, rounds } = request;
  const parameters = { network: network.network, whole: statics.map((each) => each.network) };
  const times = plan.add(
    makeTask(timesKind, { ...parameters, data, batches: [...batches], rounds, macs }, { points: [points] }),
  );
  return { plan, reported, statics: static_, points, times };
}

/** The answers for the reported records at each point, under its gates. Without gates, they are the
 * same at all points. */
export const reportedAt = (
  { plan }: ProfilePlan,
  { network, data }: Pick<ProfileRequest, "network" | "data">,
  points: readonly Point[],
): TaskKey[] =>
  points.map(({ policy }) => {
    const gates = network.model.gates.length > 0 ? givenTask(plan, policy) : undefined;
    return plan.add(answersTask(network, data, { policy: gates }));
  });
