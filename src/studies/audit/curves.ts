/** @file Computes curves of robust accuracy against radius. Radii rise. A sample that fails at one
 *  radius counts as failed at every larger radius. So only the other samples are attacked again,
 *  and the curve never rises. */
import type { Evaluator } from "../../attacks/oracle/evaluator.js";
import { configureAttack } from "../../attacks/spec.js";
import { wilson } from "../../measures/wilson.js";
import { type CurveRecord, NONE_RIGHT } from "../../schema/audit-record.js";
import type { AuditedModel } from "./audited-model.js";
import type { AuditOptions, CurveOptions } from "./options.js";
import { runStored } from "./store.js";

/** One curve per goal: PGD on the final exit and, with early exits, on the routed answer. */
export async function runCurves(
  curves: CurveOptions,
  audited: AuditedModel,
  evaluator: Evaluator,
  options: AuditOptions,
): Promise<CurveRecord[]> {
  const names =
    audited.victim.model.exits.length > 1
      ? (["misclassify:final", "routed"] as const)
      : (["misclassify:final"] as const);
  const records: CurveRecord[] = [];
  for (const goal of names) records.push(await runCurve(goal, curves, audited, evaluator, options));
  return records;
}

async function runCurve(
  goal: "misclassify:final" | "routed",
  { radii, steps }: CurveOptions,
  audited: AuditedModel,
  evaluator: Evaluator,
  options: AuditOptions,
): Promise<CurveRecord> {
  const name = goal === "routed" ? "PGD, routed answer" : "PGD, final exit";
  const total = audited.samples.length;
  const configs = radii.map((radius) =>
    configureAttack(
      {
        name: `${name}, radius ${radius}`,
        goal,
        method: "pgd",
        norm: "linf",
        radius,
        steps,
        stepSize: (2.5 * radius) / steps,
        randomStart: true,
      },
      audited.victim,
    ),
  );
  let standing = audited.samples.filter((s) => !configs[0]?.goal.succeeded(s, s.clean));
  const nothingToAttack = standing.length === 0 ? NONE_RIGHT : undefined;
  const points = [{ radius: 0, robustAccuracy: wilson(standing.length, total) }];
  const vanished = new Set<number>();
  for (const [i, attack] of configs.entries()) {
    const phase = `${name}, radius ${i + 1} of ${radii.length}`;
    const { outcomes } = await runStored(attack, standing, evaluator, audited, options, (done, of) =>
      options.onProgress?.({ phase, done, total: of }),
    );
    for (const [k, { id }] of standing.entries()) if (outcomes[k]?.vanished) vanished.add(id);
    standing = standing.filter((_, k) => !outcomes[k]?.success);
    points.push({ radius: radii[i], robustAccuracy: wilson(standing.length, total) });
  }
  return { name, norm: "linf", vanishedGradients: vanished.size, nothingToAttack, points };
}
