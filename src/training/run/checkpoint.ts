/** @file A checkpoint: the state of a run and the settings that it belongs to, in one safetensors file.
 *  Settings are plain JSON; a state is only ever continued under the settings it was made with. */

import { z } from "zod";
import { DynnError, reasonOf } from "../../core/errors.js";
import { count } from "../../schema/numbers.js";
import { epochReportSchema } from "../../schema/training.js";
import type { TrainingState } from "../step/state.js";
import { readTensors, writeTensors } from "./checkpoint-tensors.js";

/** Everything that decides the result of a run, as JSON has it. */
export type RunSettings = Readonly<Record<string, unknown>>;

export interface Checkpoint {
  readonly state: TrainingState;
  readonly settings: RunSettings;
}

const [FORM, STATE, SETTINGS] = ["dynn.checkpoint", "dynn.state", "dynn.settings"] as const;
/** Raised when a later dynn keeps something else. */
const VERSION = "1";

const stateSchema = z.object({
  epoch: count,
  step: count,
  sums: z.array(z.number()),
  epochs: z.array(epochReportSchema),
});
const settingsSchema = z.record(z.string(), z.unknown());

/** The bytes of a checkpoint; equal states and settings give equal bytes. */
export function writeCheckpoint({ state, settings }: Checkpoint): Uint8Array<ArrayBuffer> {
  const { tensors, epoch, step, sums, epochs } = state;
  const metadata = new Map([
    [FORM, VERSION],
    [STATE, JSON.stringify({ epoch, step, sums, epochs })],
    [SETTINGS, JSON.stringify(settings)],
  ]);
  return writeTensors({ tensors, metadata });
}

/** Read a checkpoint.
 * @param where what to call the file in errors
 * @throws DynnError 'checkpoint/format' when it is damaged, or is a safetensors file that dynn did not write */
export function readCheckpoint(bytes: Uint8Array, where: string): Checkpoint {
  const { tensors, metadata } = readTensors(bytes, where);
  const version = metadata.get(FORM);
  if (version !== VERSION)
    throw notOurs(
      where,
      version === undefined ? "dynn did not write it" : `its form is ${version}, expected ${VERSION}`,
    );
  const part = <T>(key: string, schema: z.ZodType<T>): T => {
    try {
      return schema.parse(JSON.parse(metadata.get(key) ?? "null"));
    } catch (cause) {
      throw notOurs(where, `"${key}" in it is damaged`, cause);
    }
  };
  return { state: { ...part(STATE, stateSchema), tensors }, settings: part(SETTINGS, settingsSchema) };
}

const notOurs = (where: string, what: string, cause?: unknown): DynnError =>
  new DynnError(
    "checkpoint/format",
    `${where}: is no checkpoint of a run: ${what}. Take another checkpoint, or start the run again.`,
    cause === undefined ? {} : { reason: reasonOf(cause) },
    { cause },
  );

/** One setting that two runs do not share; undefined where a run has it not. */
export interface Difference {
  /** Where it is, e.g. "config.epochs". */
  readonly at: string;
  readonly before: unknown;
  readonly now: unknown;
}

/** Settings that differ, compared as JSON has them. */
export const differences = (before: RunSettings, now: RunSettings): Difference[] =>
  compare("", JSON.parse(JSON.stringify(before)), JSON.parse(JSON.stringify(now)));

function compare(at: string, before: unknown, now: unknown): Difference[] {
  if (isObject(before) && isObject(now))
    return [...new Set([...Object.keys(before), ...Object.keys(now)])].flatMap((key) =>
      compare(at === "" ? key : `${at}.${key}`, before[key], now[key]),
    );
  return JSON.stringify(before) === JSON.stringify(now) ? [] : [{ at, before, now }];
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Refuse to continue a run under other settings than its own.
 * @param where what holds the settings before
 * @throws DynnError 'checkpoint/mismatch' naming each difference */
export function checkSameRun(before: RunSettings, now: RunSettings, where: string): void {
  const found = differences(before, now);
  if (found.length === 0) return;
  const show = (value: unknown) => (value === undefined ? "not set" : JSON.stringify(value));
  const lines = found.map(({ at, before: was, now: is }) => `  ${at}: ${show(was)} in the run, ${show(is)} now\n`);
  throw new DynnError(
    "checkpoint/mismatch",
    `${where}: holds a run with other settings:\n${lines.join("")}Resume with the run's own settings, or give a new run another folder.`,
    { differences: found, options: ["run"] },
  );
}
