/** @file A checkpoint holds the state and the settings of a run in one safetensors file. Settings
 *  are plain JSON. A run resumes only with the settings of its checkpoint. */

import { z } from "zod";
import { DynnError, reasonOf } from "../../core/errors.js";
import { count } from "../../schema/numbers.js";
import { epochReportSchema } from "../../schema/training.js";
import type { TrainingState } from "../step/state.js";
import { readTensors, writeTensors } from "./checkpoint-tensors.js";

/** All settings that decide the result of a run, as plain JSON. */
export type RunSettings = Readonly<Record<string, unknown>>;

export interface Checkpoint {
  readonly state: TrainingState;
  readonly settings: RunSettings;
}

const [FORM, STATE, SETTINGS] = ["dynn.checkpoint", "dynn.state", "dynn.settings"] as const;
/** The format version. A change of the format raises it. */
const VERSION = "1";

const stateSchema = z.object({
  epoch: count,
  step: count,
  sums: z.array(z.number()),
  epochs: z.array(epochReportSchema),
});
const settingsSchema = z.record(z.string(), z.unknown());

/** The bytes of a checkpoint. Equal states and settings give equal bytes. */
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
 * @param where the file's name in errors
 * @throws DynnError 'checkpoint/format' when the file is damaged, or when dynn did not write it */
export function readCheckpoint(bytes: Uint8Array, where: string): Checkpoint {
  const { tensors, metadata } = readTensors(bytes, where);
  const version = metadata.get(FORM);
  if (version !== VERSION)
    throw notOurs(
      where,
      version === undefined ? "dynn did not write it" : `its format version is ${version}, expected ${VERSION}`,
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
    `${where}: is not a checkpoint of a run: ${what}. Use another checkpoint, or start the run again.`,
    cause === undefined ? {} : { reason: reasonOf(cause) },
    { cause },
  );

/** One setting that differs between two runs. Undefined when a run does not have it. */
export interface Difference {
  /** Path of the setting, e.g. "config.epochs". */
  readonly at: string;
  readonly before: unknown;
  readonly now: unknown;
}

/** The settings that differ, compared as JSON. */
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

/** Checks that a resumed run has the settings of the checkpoint.
 * @param where name of the file or folder that holds the old settings
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
