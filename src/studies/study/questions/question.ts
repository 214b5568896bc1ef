/** @file What a question of a study is: the tasks that it needs, and its endpoint in each block. */
import type { PlannedBlock } from "../../../schema/study/plan.js";
import type { Claim, StudyCheck, StudyRecord } from "../../../schema/study/record.js";
import type { StudyTasks } from "../builder.js";
import type { StudyResults } from "../results.js";

/** The endpoint of one block. */
export interface Endpoint {
  readonly block: PlannedBlock;
  /** The effect in this block. */
  readonly value: number;
  /** Contributions of the samples, whose mean is the effect. Undefined where the effect is no
   * mean. */
  readonly samples?: Float64Array | undefined;
}

/** What the results of a question say. */
export interface Findings {
  readonly endpoints: readonly Endpoint[];
  /** Checks without which the endpoint means nothing. */
  readonly checks: readonly StudyCheck[];
  /** Its part of the record. */
  readonly part: Partial<StudyRecord["questions"]>;
  /** What could not be measured. */
  readonly notRun: StudyRecord["notRun"];
}

/** A question of the study. */
export interface Question<Needs = unknown> {
  readonly claim: Claim;
  readonly statement: string;
  readonly source: string;
  readonly endpoint: string;
  readonly unit: string;
  /** Smallest effect of interest, unless the study file gives one. */
  readonly smallest: number;
  /** Adds the tasks of the question.
   * @returns what `analyse` needs to find their results */
  readonly needs: (tasks: StudyTasks) => Needs;
  readonly analyse: (needs: Needs, tasks: StudyTasks, results: StudyResults) => Promise<Findings>;
}

/** Types a question by what it needs. */
export const question = <Needs>(def: Question<Needs>): Question => def as unknown as Question;

/** The mean of numbers, or 0 without any. */
export const mean = (values: ArrayLike<number>): number => {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i];
  return values.length === 0 ? 0 : sum / values.length;
};
