/** @file The tasks of a profile: a pure function of networks, records and points. */
import type { DataRef } from "../../schema/study/references.js";
import { answersTask, fullMacs, type Planned } from "../tasks/common.js";
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
  const chosenOn = validation && plan.add(answersTask(network, validation), "validation images");
  const static_ = statics.map((each) => plan.add(answersTask(each, data)));
  const { exits } = network.model;
  const points = plan.add(
    makeTask(
      pointsKind,
      {
        ...{ given: [...given], rules: [...request.rules], fallback: request.fallback },
        ...{ temperatures: temperatures && [...temperatures], costs: exits.map((exit) => exit.costFraction) },
      },
      chosenOn ? { answers: [chosenOn] } : {},
    ),
  );
  const macs = fullMacs(network.model);
  const { batches, rounds } = request;
  const parameters = { network: network.network, whole: statics.map((each) => each.network) };
  const times = plan.add(
    makeTask(timesKind, { ...parameters, data, batches: [...batches], rounds, macs }, { points: [points] }),
  );
  return { plan, reported, statics: static_, points, times };
}
