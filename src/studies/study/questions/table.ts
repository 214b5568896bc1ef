/** @file All questions of the study, by claim. */
import type { Claim } from "../../../schema/study/record.js";
import { costOfAttacks } from "./cost.js";
import { early } from "./early.js";
import { firstExit } from "./first-exit.js";
import type { Question } from "./question.js";
import { robustness } from "./robustness.js";
import { transfer } from "./transfer.js";
import { yieldOfWork } from "./yield.js";

/** The questions by claim. */
export const QUESTIONS: Readonly<Record<Claim, Question>> = {
  C0: robustness,
  C1: transfer,
  C2: yieldOfWork,
  C3: costOfAttacks,
  C4: firstExit,
  C5: early,
};
