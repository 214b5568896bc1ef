/** @file The folder of a study: its plan, the plan that it began with, its store, its record. */
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { DynnError } from "../../core/errors.js";
import { VERSION } from "../../core/version.js";
import { type StudyPlan, studyPlanSchema } from "../../schema/study/plan.js";
import { STUDY_RECORD_VERSION, type StudyRecord, studyRecordSchema } from "../../schema/study/record.js";
import { compileStudy, planHash } from "../../studies/study/compile.js";
import { upgradedRecord } from "../../studies/study/earlier-record.js";
import { makeFolder, readJson, writeText } from "../files.js";

/** Names of the files of a study. */
const FILES = { plan: "plan.json", begun: "begun.json", record: "record.json", store: "store" } as const;

/** The path of a part of a study's folder. */
export const inStudy = (folder: string, part: keyof typeof FILES): string => join(folder, FILES[part]);

/** Reads a plan that `dynn study plan` wrote.
 * @throws DynnError 'file/missing', 'study/value' when it is no plan, 'study/version' */
export async function readPlan(path: string): Promise<StudyPlan> {
  const parsed = studyPlanSchema.safeParse(await readJson(path, "study/value").catch(notJson(path)));
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw noPlan(path, `${issue?.path.join(".") || "the file"}: ${issue?.message}`);
  }
  if (parsed.data.tool.version === VERSION) return parsed.data;
  throw new DynnError(
    "study/version",
    `${path}: dynn ${parsed.data.tool.version} made this plan, and this is dynn ${VERSION}. Make the plan again, or use that version.`,
    { path, got: parsed.data.tool.version, expected: VERSION },
  );
}

const noPlan = (path: string, why: string): DynnError =>
  new DynnError(
    "study/value",
    `${path}: is not the plan of a study (${why}). Make one of a study file with \`dynn study plan FILE -o PLAN\`.`,
    { path },
  );

/** A study file in place of its plan is a common mistake. Other errors pass. */
const notJson =
  (path: string) =>
  (error: unknown): never => {
    throw error instanceof DynnError && error.code === "study/value" ? noPlan(path, "it is not JSON") : error;
  };

/** What a study began with. */
interface Begun {
  readonly plan: string;
  /** Where the results are. Null: in the folder of the study. */
  readonly store: string | null;
}

/** Begins a study in a folder, or goes on.
 * @param edited whether another plan than the first may go on
 * @param store where results are, when not in the folder
 * @returns where results are
 * @throws DynnError 'study/changed' when the folder was begun with another plan or another store */
export async function beginStudy(
  folder: string,
  plan: StudyPlan,
  { edited, store: given }: { readonly edited: boolean; readonly store?: string | undefined },
): Promise<string> {
  await makeFolder(folder);
  const begun = await readBegun(folder);
  const chosen = given === undefined ? (begun?.store ?? null) : storePlace(given);
  if (begun && begun.plan !== planHash(plan) && !edited)
    throw changed(folder, "plan", [begun.plan.slice(0, 16), planHash(plan).slice(0, 16)], ["edited"]);
  if (begun && begun.store !== chosen) throw changed(folder, "store", [String(begun.store), String(chosen)], ["store"]);
  if (!begun) await writeText(inStudy(folder, "begun"), `${JSON.stringify({ plan: planHash(plan), store: chosen })}\n`);
  await writeText(inStudy(folder, "plan"), `${JSON.stringify(plan, undefined, 2)}\n`);
  return chosen ?? inStudy(folder, "store");
}

/** A folder may be named from another place the next time. */
const storePlace = (store: string): string => (store.startsWith("s3://") ? store : resolve(store));

const changed = (folder: string, what: string, [begun, now]: readonly [string, string], options: string[]): DynnError =>
  new DynnError(
    "study/changed",
    `${folder}: was begun with the ${what} ${begun}, and this is ${now}. Give another folder${what === "plan" ? ", or allow the edited plan: the report then says so" : ", or the same store"}.`,
    { folder, got: now, expected: begun, options },
  );

async function readBegun(folder: string): Promise<Begun | undefined> {
  const path = inStudy(folder, "begun");
  return existsSync(path) ? ((await readJson(path, "study/value")) as Begun) : undefined;
}

/** A study that was begun. */
export interface OpenedStudy {
  readonly plan: StudyPlan;
  readonly compiled: ReturnType<typeof compileStudy>;
  /** Whether the plan differs from the first one. */
  readonly edited: boolean;
  /** Where the results are. */
  readonly store: string;
}

/** Opens the study in a folder.
 * @throws DynnError 'study/value' when there is none, 'study/version' */
export async function openStudy(folder: string): Promise<OpenedStudy> {
  const begun = await readBegun(folder);
  if (!begun)
    throw new DynnError(
      "study/value",
      `${folder}: holds no study. Begin one with \`dynn study run PLAN --out ${folder}\`.`,
      { folder },
    );
  const plan = await readPlan(inStudy(folder, "plan"));
  return {
    plan,
    compiled: compileStudy(plan),
    edited: begun.plan !== planHash(plan),
    store: begun.store ?? inStudy(folder, "store"),
  };
}

/** Reads the record of a finished study, also that of an earlier version.
 * @throws DynnError 'file/missing', 'study/value', 'study/version' for the record of a later
 *  version */
export async function readStudyRecord(path: string): Promise<StudyRecord> {
  const written = await readJson(path, "study/value");
  const parsed = studyRecordSchema.safeParse(upgradedRecord(written));
  if (parsed.success) return parsed.data;
  const { schemaVersion: version } = (written ?? {}) as { readonly schemaVersion?: unknown };
  if (typeof version === "number" && version > STUDY_RECORD_VERSION)
    throw new DynnError(
      "study/version",
      `${path}: is a record of version ${version}, and this version of dynn reads up to ${STUDY_RECORD_VERSION}. Use a later version of dynn.`,
      { path, got: version, expected: STUDY_RECORD_VERSION },
    );
  const [issue] = parsed.error.issues;
  throw new DynnError(
    "study/value",
    `${path}: is not the record of a study (${issue?.path.join(".") || "the file"}: ${issue?.message}). Run the study again: finished tasks stay.`,
    { path },
  );
}
