/** @file What a question of a study is: the tasks that it needs, and the tables that its claim is
 *  judged by. */
import type { Scale } from "../../../schema/study/claims.js";
import type { Claim, StudyRecord } from "../../../schema/study/record.js";
import type { StudyTasks } from "../builder.js";
import type { BlockTable } from "../claims/table.js";
import type { StudyResults } from "../results.js";

/** What the results of a question say. */
export interface Findings {
  /** One table per block, with the columns that the claim reads (see protocol.ts). */
  readonly tables: readonly BlockTable[];
  /** Its part of the record. */
  readonly part: Partial<StudyRecord["questions"]>;
  /** What could not be measured. */
  readonly notRun: StudyRecord["notRun"];
}

/** A question of the study. */
export interface Question<Needs = unknown> {
  readonly claim: Claim;
  /** Where the claim comes from. */
  readonly source: string;
  readonly unit: string;
  readonly scale: Scale;
  /** Adds the tasks of the question.
   * @returns what `analyse` needs to find their results */
  readonly needs: (tasks: StudyTasks) => Needs;
  readonly analyse: (needs: Needs, tasks: StudyTasks, results: StudyResults) => Promise<Findings>;
}

/** Types a question by what it needs. */
export const question = <Needs>(def: Question<Needs>): Question => def as unknown as Question;

/** What is said of a block whose networks are all there, but have no sample in common. */
export const noSample = (what: string): StudyRecord["notRun"][number] => ({
  what,
  why: "no sample is answered rightly by every network that is compared when clean",
});

/** The mean of numbers, or 0 without any. */
export const mean = (values: ArrayLike<number>): number => {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i];
  return values.length === 0 ? 0 : sum / values.length;
};

/** 1 for true. */
export const asNumbers = (values: readonly boolean[]): Float64Array => Float64Array.from(values, Number);
