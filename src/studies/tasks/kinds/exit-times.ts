/** @file The task `exit-times`: the cumulative time of every exit of a network on full batches.
 *  Thresholds for a target latency take these times as costs. Source: docs/method.md, timing. */
import { z } from "zod";
import { readImages } from "../../../data/dataset.js";
import { timeExits } from "../../../dynamic/run/timing.js";
import { count } from "../../../schema/numbers.js";
import { dataRefSchema, networkRefSchema } from "../../../schema/study/references.js";
import { taskKind } from "../kind.js";
import { jsonBytes } from "./policy.js";

export const EXIT_TIMES_FILE = "exit-times.json";

const parameters = z.strictObject({
  network: networkRefSchema,
  data: dataRefSchema,
  /** Images in one batch. Records repeat where there are fewer. */
  batch: count.min(1),
  /** Of one image, for estimates. */
  macs: count,
});
export type ExitTimesParameters = z.infer<typeof parameters>;

const timesSchema = z.strictObject({
  /** Cumulative, per sample, one for each exit. */
  milliseconds: z.array(z.number()),
  roundSpread: z.number().optional(),
});

/** Runs of a batch, with those that do not count. */
const RUNS = 24;

export const exitTimesKind = taskKind<ExitTimesParameters>({
  name: "exit-times",
  version: 1,
  parameters,
  inputs: ["networks"],
  measuresTime: true,
  cores: "all",
  macs: ({ batch, macs }) => RUNS * batch * macs,
  run: async (_key, given, _inputs, { bench, backend, signal, now }) => {
    const { model, data } = await bench.open(given);
    const images = await readImages(
      data,
      Array.from({ length: given.batch }, (_, i) => i % data.count),
    );
    const times = await timeExits(model, { backend, images, signal, now });
    return { files: { [EXIT_TIMES_FILE]: jsonBytes(times) } };
  },
});

/** Reads the times of a finished task. */
export const readExitTimes = (bytes: Uint8Array): z.infer<typeof timesSchema> =>
  timesSchema.parse(JSON.parse(new TextDecoder().decode(bytes)));
