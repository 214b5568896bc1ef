/** @file Makes the plan of a study on this machine: opens its networks and its data, and takes
 *  their digests. */

import { parse as parseYaml, YAMLParseError } from "yaml";
import { DynnError } from "../../core/errors.js";
import { permutation } from "../../core/rng.js";
import { counted } from "../../core/units.js";
import { VERSION } from "../../core/version.js";
import { SeenImages } from "../../data/apart.js";
import { type Dataset, subset } from "../../data/dataset.js";
import { MIN_VALIDATION } from "../../data/split.js";
import { type StudyFile, studyFileSchema } from "../../schema/study/file.js";
import type { StudyPlan } from "../../schema/study/plan.js";
import type { DataRef } from "../../schema/study/references.js";
import { readShareTarget } from "../../schema/target.js";
import { makePlan } from "../../studies/study/plan.js";
import { openDataset } from "../data/open.js";
import { recordsDigest } from "./context.js";
import { StudyNetworks } from "./networks.js";
import { dataFromRoot } from "./paths.js";
import { StudyTrainings } from "./trainings.js";

/** Reads a study file.
 * @param where its path, for errors
 * @throws DynnError 'study/value' naming the line or the field */
export function parseStudyFile(text: string, where: string): StudyFile {
  let written: unknown;
  try {
    written = parseYaml(text);
  } catch (cause) {
    if (!(cause instanceof YAMLParseError)) throw cause;
    throw wrong(where, cause.message.split("\n")[0].replace(/:$/, ""), cause);
  }
  return checkedStudyFile(written, where);
}

/** @throws DynnError 'study/value' */
export function checkedStudyFile(written: unknown, where: string): StudyFile {
  const parsed = studyFileSchema.safeParse(written);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw wrong(where, `${issue?.path.join(".") || "the file"}: ${issue?.message ?? "is wrong"}`, parsed.error);
}

const wrong = (where: string, what: string, cause: unknown): DynnError =>
  new DynnError(
    "study/value",
    `${where}: ${what}. docs/study-file.md lists the fields, with examples.`,
    { where },
    { cause },
  );

/** Where a study is planned. */
export interface PlanningOptions {
  readonly tier: StudyPlan["tier"];
  /** The folder that relative paths of the file start from. */
  readonly root: string;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: { phase: string; done: number; total: number }) => void) | undefined;
}

/** Makes the plan of a study.
 * @throws DynnError 'study/value', 'policy/validation', and the errors of opening networks and
 *  data. A network that is not trained yet is named as missing, unless the study trains it */
export async function planStudy(
  file: StudyFile,
  { tier, root, signal, onProgress }: PlanningOptions,
): Promise<StudyPlan> {
  checkData(file);
  const specs = [...new Set(file.blocks.flatMap(({ networks }) => Object.values(networks)))];
  const trainings = new StudyTrainings(file, root);
  const networks = new StudyNetworks(file, root, trainings);
  for (const [done, spec] of specs.entries()) {
    signal?.throwIfAborted();
    onProgress?.({ phase: "networks", done, total: specs.length });
    await networks.find(spec);
  }
  const data: StudyPlan["data"] = {};
  for (const name of Object.keys(file.data)) data[name] = await resolveData(name, file, root, trainings);
  const targets = [file.policy.primary, file.policy.secondary].map(targetOf);
  return makePlan(file, { networks: networks.found, data, targets }, { tier, version: VERSION });
}

function targetOf(text: string): StudyPlan["policy"]["targets"][number] {
  const target = readShareTarget(text, "policy of the study");
  if (target) return { name: text, target };
  throw new DynnError(
    "study/value",
    `policy of the study: got the target "${text}", expected keep:SHARE, rad:SHARE, drop:POINTS or budget:SHARE. Write e.g. rad:5%.`,
    { target: text },
  );
}

/** @throws DynnError 'study/value' when a block names data that the file lacks */
function checkData({ blocks, name, data }: StudyFile): void {
  const lacking = blocks.find((block) => !Object.hasOwn(data, block.data));
  if (lacking)
    throw new DynnError(
      "study/value",
      `study ${name}: a block of ${lacking.cell} names the data "${lacking.data}", and the file has ${Object.keys(data).join(", ")}. Name one of these, or add the data.`,
      { data: lacking.data },
    );
}

/** The records of a study: the first ones are reported, and validation records are drawn from the
 * rest. No image is in both. */
async function resolveData(
  name: string,
  file: StudyFile,
  root: string,
  trainings: StudyTrainings,
): Promise<StudyPlan["data"][string]> {
  const { records: spec } = file.data[name];
  const data = await openDataset(dataFromRoot(spec, root));
  const reported = Math.min(file.samples, Math.max(1, data.count - MIN_VALIDATION));
  const rows = (count: number): number[] => Array.from({ length: count }, (_, i) => i);
  const validation = await validationOf(data, reported, file);
  const reference = async (records: DataRef["records"], numbers: readonly number[]): Promise<DataRef> => ({
    name,
    sha256: await recordsDigest(data, numbers),
    records,
  });
  const first = (count: number) => reference({ from: 0, count }, rows(count));
  const parts = {
    spec,
    classes: data.classes?.length ?? 1 + data.labels.reduce((most, label) => Math.max(most, label), 0),
    reported: await first(reported),
    validation: await reference(validation, validation),
    checks: await first(Math.min(file.checkSamples, reported)),
  };
  const training = await trainings.planned(name, data, parts);
  return training ? { ...parts, training } : parts;
}

/** @throws DynnError 'policy/validation' when too few records are left */
async function validationOf(data: Dataset, reported: number, { validation, seed }: StudyFile): Promise<number[]> {
  const left = data.count - reported;
  const order = permutation({ seed, sample: 0, purpose: "split", step: 0 }, left);
  const drawn = Array.from(order.subarray(0, validation + reported), (index) => index + reported);
  const seen = new SeenImages();
  await seen.add(subset(data, [...Array(reported).keys()]));
  const fresh = (await seen.unseen(subset(data, drawn))).slice(0, validation).map((i) => drawn[i]);
  if (fresh.length >= MIN_VALIDATION) return fresh;
  throw new DynnError(
    "policy/validation",
    `${data.name}: ${counted(fresh.length, "record is", "records are")} left to choose thresholds on, expected at least ${MIN_VALIDATION}. Attack fewer samples, or give more data.`,
    { name: data.name, left: fresh.length, options: ["samples"] },
  );
}
