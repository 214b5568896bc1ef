/** @file Time per exit, measured: the stages of a model run one after the other on a full batch, nothing leaving early. The cumulative times
 *  are what `calibrate` takes as costs for a target latency. Routing, and batches that shrink, are not in them: the executor measures those. */
import type { Images } from "../../core/images.js";
import type { Tensor } from "../../core/tensor.js";
import type { Backend, Session } from "../../runtime/backend.js";
import { roundSpreadOf } from "../../schema/steadiness.js";
import type { DynamicModel } from "../model/model.js";
import { type Stage, type StagedGraph, splitStages } from "./stages.js";

/** What is timed, and how often. */
export interface TimingOptions {
  /** One batch. */
  readonly images: Images;
  /** Runs that count; the median is taken. */
  readonly runs?: number;
  /** Runs before those. */
  readonly warmUp?: number;
  /** Clock in milliseconds. */
  readonly now: () => number;
  /** Ends the measurement with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

/** Cumulative milliseconds per sample of each exit, rising.
 * @throws DynnError as {@link measureStages} */
export const measureExits = async (
  model: DynamicModel,
  backend: Backend,
  options: TimingOptions,
): Promise<number[]> => [...(await timeExits(model, backend, options)).milliseconds];

/** Times, and how much they differed from run to run. */
export interface TimedExits {
  /** Cumulative milliseconds per sample of each exit, rising. */
  readonly milliseconds: readonly number[];
  /** Time of a slow run over that of a fast one; undefined: not known. More than 1.5 is not to be trusted. */
  readonly roundSpread: number | undefined;
}

/** The same, and how much runs differed.
 * @throws DynnError as {@link measureStages} */
export async function timeExits(model: DynamicModel, backend: Backend, options: TimingOptions): Promise<TimedExits> {
  const { milliseconds, roundSpread } = await measureStages(model, backend, options);
  return { milliseconds: cumulative(milliseconds), roundSpread };
}

/** Milliseconds per sample of each stage; the runs of all stages alternate, so that a slow spell meets all of them.
 * @throws DynnError 'runtime/load', 'runtime/run', or the signal's reason when aborted */
export async function measureStages(
  model: StagedGraph & Pick<DynamicModel, "input">,
  backend: Backend,
  options: TimingOptions,
): Promise<TimedExits> {
  const { images, runs = 21, warmUp = 3, now, signal } = options;
  const { data, count, dims } = images;
  const input: Tensor = { dtype: "float32", dims: [count, ...dims], data };
  const stages: Compiled[] = [];
  try {
    for (const stage of splitStages(model)) stages.push({ ...stage, session: await backend.compile(stage.graph) });
    const times: number[][] = [];
    for (let run = 0; run < warmUp + runs; run++) {
      signal?.throwIfAborted();
      const taken = await runOnce(stages, { [model.input.name]: input }, now);
      if (run >= warmUp) times.push(taken);
    }
    return {
      milliseconds: stages.map((_, k) => median(times.map((taken) => taken[k])) / count),
      roundSpread: roundSpreadOf(times.map((taken) => taken.reduce((sum, time) => sum + time, 0))),
    };
  } finally {
    await Promise.all(stages.map(({ session }) => session.release()));
  }
}

interface Compiled extends Stage {
  readonly session: Session;
}

/** Milliseconds of each stage. */
async function runOnce(
  stages: readonly Compiled[],
  values: Record<string, Tensor>,
  now: () => number,
): Promise<number[]> {
  const times: number[] = [];
  for (const { session } of stages) {
    const feeds = Object.fromEntries(session.inputs.map((name) => [name, values[name]]));
    const start = now();
    Object.assign(values, await session.run(feeds));
    times.push(now() - start);
  }
  return times;
}

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];

function cumulative(values: readonly number[]): number[] {
  let sum = 0;
  return values.map((value) => {
    sum += value;
    return sum;
  });
}
