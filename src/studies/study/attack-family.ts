/** @file The family of an attack, by which costs are compared: attacks of minimum norm stop at the
 *  boundary, attacks of a fixed budget go beyond it. */
import { METHODS, type MethodName } from "../../attacks/methods/table.js";
import type { PlannedAttack } from "../../schema/study/plan.js";
import type { AttackFamily } from "../../schema/study/record.js";

/** The family of an attack of a plan. */
export function familyOf({ goal, method, uses }: PlannedAttack): AttackFamily {
  if (uses.includes("control")) return "control";
  if (goal === "slowdown") return "slowdown";
  const { budget, access } = METHODS[(method ?? "pgd") as MethodName];
  if (access !== "gradient") return "query";
  return budget === "closest" ? "minimum norm" : "fixed budget";
}
