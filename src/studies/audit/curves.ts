/** @file The record of a curve of robust accuracy against radius. */
import { cleanOf } from "../../attacks/sample.js";
import { configureAttack } from "../../attacks/spec.js";
import { wilson } from "../../measures/wilson.js";
import { type CurveRecord, NONE_RIGHT } from "../../schema/audit-record.js";
import type { OutcomeRow } from "../../schema/study/tables.js";
import type { InProcess } from "../tasks/in-process.js";
import { OUTCOMES_FILE } from "../tasks/kinds/opened.js";
import type { TaskKey } from "../tasks/task.js";
import type { AuditedModel } from "./audited-model.js";
import type { Curve } from "./plan.js";

/** The record of a curve.
 * @param keys the tasks of its attacks */
export function curveRecord(
  { name, radii, configs }: Curve,
  keys: readonly TaskKey[],
  { victim, samples }: AuditedModel,
  run: InProcess,
): CurveRecord {
  const { goal } = configureAttack(configs[0], victim);
  const robust = (standing: number) => wilson(standing, samples.length);
  const clean = samples.filter((s) => !goal.succeeded(s, cleanOf(s))).length;
  const outcomes = keys.map((key) => run.rows<OutcomeRow>(key, OUTCOMES_FILE));
  const points = outcomes.map((rows, i) => ({
    radius: radii[i],
    robustAccuracy: robust(rows.filter(({ success }) => !success).length),
  }));
  const vanished = new Set(outcomes.flat().flatMap((row) => (row.vanished ? [row.sample] : [])));
  return {
    ...{ name, norm: "linf", vanishedGradients: vanished.size },
    nothingToAttack: clean === 0 ? NONE_RIGHT : undefined,
    points: [{ radius: 0, robustAccuracy: robust(clean) }, ...points],
  };
}
