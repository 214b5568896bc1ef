/** @file The columns of the tables that tasks leave, by file. Only stores of files need them. */
import {
  ANSWER_COLUMNS,
  GATE_ROW_COLUMNS,
  LATENCY_COLUMNS,
  OUTCOME_COLUMNS,
  PACE_COLUMNS,
  SLOPE_COLUMNS,
  TIMES_COLUMNS,
} from "../../schema/study/tables.js";
import type { AnyColumns } from "../../schema/study/views.js";
import { ANSWERS_FILE, GATE_ROWS_FILE } from "./kinds/answers.js";
import { SLOPES_FILE } from "./kinds/finite-differences.js";
import { LATENCY_FILE } from "./kinds/latency.js";
import { OUTCOMES_FILE } from "./kinds/opened.js";
import { PACE_FILE } from "./kinds/pace.js";
import { TIMES_FILE } from "./kinds/times.js";

/** The columns of each table. */
export const TABLE_COLUMNS: Readonly<Record<string, AnyColumns>> = {
  [ANSWERS_FILE]: ANSWER_COLUMNS,
  [GATE_ROWS_FILE]: GATE_ROW_COLUMNS,
  [OUTCOMES_FILE]: OUTCOME_COLUMNS,
  [LATENCY_FILE]: LATENCY_COLUMNS,
  [PACE_FILE]: PACE_COLUMNS,
  [SLOPES_FILE]: SLOPE_COLUMNS,
  [TIMES_FILE]: TIMES_COLUMNS,
};
