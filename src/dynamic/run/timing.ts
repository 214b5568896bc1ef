/** @file Measures the time per exit. The stages of a model run one after the other on a full batch,
 *  and no sample stops early. `calibrate` uses the cumulative times as costs for a target latency.
 *  The times leave out routing and smaller batches. A run of the executor includes both. */
import type { Images } from "../../core/images.js";
import type { Tensor } from "../../core/tensor.js";
import type { Backend, Session } from "../../runtime/backend.js";
import { roundSpreadOf } from "../../schema/steadiness.js";
import type { DynamicModel } from "../model/model.js";
import { type Stage, type StagedGraph, splitStages } from "./stages.js";

/** Options of a measurement. */
export interface TimingOptions {
  /** Runs the stages. */
  readonly backend: Backend;
  /** One batch. */
  readonly images: Images;
  /** Number of runs that count. The result is their median. */
  readonly runs?: number;
  /** Number of runs before them, which do not count. */
  readonly warmUp?: number;
  /** Clock in milliseconds. Default: that of the platform. */
  readonly now?: (() => number) | undefined;
  /** Stops the measurement. The promise then rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

/** Cumulative milliseconds per sample of each exit, rising.
 * @throws DynnError as {@link measureStages} */
export const measureExits = async (model: DynamicModel, options: TimingOptions): Promise<number[]> => [
  ...(await timeExits(model, options)).milliseconds,
];

/** Times, and how much they differed from run to run. */
export interface TimedExits {
  /** Cumulative milliseconds per sample of each exit, rising. */
  readonly milliseconds: readonly number[];
  /** Time of a slow run over that of a fast one. Undefined when it is not known. Do not trust
   * times when it is more than 1.5. */
  readonly roundSpread: number | undefined;
}

/** The same, and how much runs differed.
 * @throws DynnError as {@link measureStages} */
export async function timeExits(model: DynamicModel, options: TimingOptions): Promise<TimedExits> {
  const { milliseconds, roundSpread } = await measureStages(model, options);
  return { milliseconds: cumulative(milliseconds), roundSpread };
}

/** Milliseconds per sample of each stage. The runs of all stages alternate, so that a slow period
 * of the machine affects all stages.
 * @throws DynnError 'runtime/load', 'runtime/run', or the signal's reason when aborted */
export async function measureStages(
  model: StagedGraph & Pick<DynamicModel, "input">,
  options: TimingOptions,
): Promise<TimedExits> {
  const { backend, images, runs = 21, warmUp = 3, now = () => performance.now(), signal } = options;
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
