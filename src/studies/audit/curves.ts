/** @file Curves of robust accuracy against radius. Radii rise. A sample that fails at one radius
 *  counts as failed at every larger radius. So only the other samples are attacked again, and the
 *  curve never rises. */
import { type AttackConfig, configureAttack } from "../../attacks/spec.js";
import { present } from "../../core/present.js";
import type { DynamicModel } from "../../dynamic/model/model.js";
import { wilson } from "../../measures/wilson.js";
import { type CurveRecord, NONE_RIGHT } from "../../schema/audit-record.js";
import type { OutcomeRow } from "../../schema/study/tables.js";
import type { InProcess } from "../tasks/in-process.js";
import { OUTCOMES_FILE } from "../tasks/kinds/opened.js";
import type { TaskKey } from "../tasks/task.js";
import type { AuditedModel } from "./audited-model.js";
import type { CurveOptions } from "./options.js";

/** A curve, with one attack for each radius. */
export interface Curve {
  readonly name: string;
  readonly radii: readonly number[];
  readonly configs: readonly AttackConfig[];
}

/** One curve per goal: PGD on the final exit and, with early exits, on the routed answer. */
export function curvesOf(options: CurveOptions | undefined, { exits }: Pick<DynamicModel, "exits">): Curve[] {
  if (!options) return [];
  const goals = exits.length > 1 ? (["misclassify:final", "routed"] as const) : (["misclassify:final"] as const);
  return goals.map((goal) => curveOf(goal, options));
}

function curveOf(goal: "misclassify:final" | "routed", { radii, steps }: CurveOptions): Curve {
  const name = goal === "routed" ? "PGD, routed answer" : "PGD, final exit";
  const configs = radii.map((radius) => ({
    name: `${name}, radius ${radius}`,
    goal,
    method: "pgd",
    norm: "linf" as const,
    radius,
    steps,
    stepSize: (2.5 * radius) / steps,
    randomStart: true,
  }));
  return { name, radii, configs };
}

/** The record of a curve.
 * @param keys the tasks of its attacks */
export function curveRecord(
  { name, radii, configs }: Curve,
  keys: readonly TaskKey[],
  { victim, samples }: AuditedModel,
  run: InProcess,
): CurveRecord {
  const { goal } = configureAttack(present(configs[0], "a radius of the curve"), victim);
  const robust = (standing: number) => wilson(standing, samples.length);
  const clean = samples.filter((s) => !goal.succeeded(s, s.clean)).length;
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
