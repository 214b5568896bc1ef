/** @file Entries of attack files of version 1, which name an objective and an optimizer. They become
 *  entries of version 2 with the defaults that version 1 had. */

import { parseQuantity } from "../core/units.js";
import type { Written } from "./parameters.js";
import type { AttackConfig } from "./spec.js";

type Fields = Readonly<Record<string, Written>>;

/** An entry of either version. */
type Entry = Fields & { readonly name: string };

/** Whether an entry is of version 1. */
export const isVersion1 = (entry: Entry): boolean => "objective" in entry || "optimizer" in entry;

/** The same attack as an entry of version 2. An entry of version 2 stays the same. */
export function upgraded(entry: Entry): AttackConfig {
  if (!isVersion1(entry)) return entry as AttackConfig;
  const { objective, optimizer, ...rest } = entry;
  const goal = typeof objective === "string" ? objective : "misclassify:final";
  const method = String(optimizer ?? (isPublished(goal) ? "adam-tanh" : "pgd"));
  const kept = isPublished(goal) ? withoutBudget(rest) : rest;
  return { ...(method === "pgd" ? pgdDefaults(kept) : {}), ...kept, name: entry.name, goal, method } as AttackConfig;
}

const isPublished = (goal: string): boolean => goal === "early:published" || goal === "early:paper";

/** The published loop has no budget and always starts at random. */
const withoutBudget = ({ radius: _, randomStart: __, ...rest }: Fields): Fields => rest;

/** PGD took 20 steps of 2.5 radii in all, from the image. */
function pgdDefaults({ radius, steps = 20 }: Fields): Fields {
  const defaults = { steps: 20, randomStart: false };
  if (typeof radius !== "number" && typeof radius !== "string") return defaults;
  return { ...defaults, stepSize: (2.5 * parseQuantity(radius, "radius")) / Number(steps) };
}
