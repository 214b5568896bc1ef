/** @file The task `times`: the time of networks at several batch sizes, and of one of them under
 *  several policies. All take turns, so that a slower machine affects all of them. Source:
 *  docs/method.md, timing. */
import { z } from "zod";
import type { DynamicModel } from "../../../dynamic/model/model.js";
import { createExecutor } from "../../../dynamic/run/executor/index.js";
import type { Backend } from "../../../runtime/backend.js";
import { count } from "../../../schema/numbers.js";
import { dataRefSchema, networkRefSchema, recordsOf } from "../../../schema/study/references.js";
import type { TimesRow } from "../../../schema/study/tables.js";
import { SharedSessions } from "../../profile/sessions.js";
import { type Contestant, type Measurements, type Runner, timeAll } from "../../profile/timing.js";
import { type RunningContext, taskKind } from "../kind.js";
import { POINTS_FILE, type Point, readPoints } from "./points.js";

export const TIMES_FILE = "times.parquet";

const parameters = z.strictObject({
  /** Networks that run whole, at every batch size. */
  whole: z.array(networkRefSchema),
  /** Runs under the policies of the input. */
  network: networkRefSchema,
  data: dataRefSchema,
  /** Rising; points of a sweep are timed at the last one. */
  batches: z.array(count.min(1)).min(1),
  rounds: count.min(1),
  /** Of one image, for estimates. */
  macs: count,
});
export type TimesParameters = z.infer<typeof parameters>;

export const timesKind = taskKind<TimesParameters>({
  name: "times",
  version: 1,
  parameters,
  inputs: ["networks", "points"],
  measuresTime: true,
  cores: "all",
  macs: ({ data, whole, batches, rounds, macs }) =>
    2 * recordsOf(data).length * (whole.length + 1) * batches.length * rounds * macs,
  run: async (_key, given, inputs, context) => {
    const [file] = await inputs.files("points", POINTS_FILE);
    const points = readPoints(file);
    const { model, images } = await context.bench.open(given);
    const sessions = new SharedSessions(context.backend);
    try {
      const networks = await wholeNetworks(given, context);
      const contestants = [...networks, ...(await pointContestants(model, points, given, sessions, context))];
      const { batches, rounds } = given;
      const { signal, now, onProgress } = context;
      const measured = await timeAll(contestants, {
        ...{ images: await images(), batches, rounds, signal, now },
        onProgress: ({ phase, done, total }) => onProgress?.(done, total, phase),
      });
      return { files: { [TIMES_FILE]: { rows: rowsOf(contestants, measured) } } };
    } finally {
      await sessions.release();
    }
  },
});

/** The networks that run whole, each in one session for every batch size. */
async function wholeNetworks(
  { whole, data, batches }: TimesParameters,
  { bench }: RunningContext,
): Promise<Contestant[]> {
  const contestants: Contestant[] = [];
  for (const network of whole) {
    const { model } = await bench.open({ network, data });
    const forward = await bench.forward(model);
    const runner =
      (batch: number): Runner =>
      (some, signal) =>
        forward.logits(some, { batch, signal });
    contestants.push({ latency: true, runners: new Map(batches.map((batch) => [batch, runner(batch)])) });
  }
  return contestants;
}

async function pointContestants(
  model: DynamicModel,
  points: readonly Point[],
  { batches }: TimesParameters,
  sessions: Backend,
  { signal, onProgress }: RunningContext,
): Promise<Contestant[]> {
  const compiled: Contestant[] = [];
  for (const point of points) {
    signal?.throwIfAborted();
    compiled.push(await pointContestant(model, point, batches, sessions));
    onProgress?.(compiled.length, points.length, "operating points");
  }
  return compiled;
}

/** The network under one policy. Chosen points are timed at every batch size, points of a sweep at
 * the largest one.
 * @throws DynnError 'runtime/load' */
async function pointContestant(
  model: DynamicModel,
  { policy, kind }: Point,
  batches: readonly number[],
  backend: Backend,
): Promise<Contestant> {
  const runners = new Map<number, Runner>();
  for (const batch of kind === "chosen" ? batches : batches.slice(-1)) {
    const executor = await createExecutor(model, { backend, policy, batch });
    runners.set(batch, ({ data }, signal) => executor.classify(data, { signal }));
  }
  return { latency: kind === "chosen", runners };
}

const rowsOf = (contestants: readonly Contestant[], measured: Measurements): TimesRow[] =>
  contestants.flatMap((one, contestant) =>
    [...(measured.get(one) ?? [])].flatMap(([batch, { perImage, requests }]) => [
      ...perImage.map((ms) => ({ contestant, batch, request: null, ms })),
      ...requests.map((ms, request) => ({ contestant, batch, request, ms })),
    ]),
  );
