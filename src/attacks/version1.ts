/** @file Entries of attack files of version 1, which name an objective and an optimizer. They
 *  become entries of version 2 with the defaults that version 1 had. */

import { parseQuantity } from "../core/units.js";
import { currentName } from "./names.js";
import type { Written } from "./parameters.js";

type Fields = Readonly<Record<string, Written>>;

/** An entry of either version. */
type Entry = Fields & { readonly name: string };

/** Whether an entry is of version 1. */
export const isVersion1 = (entry: Entry): boolean => "objective" in entry || "optimizer" in entry;

/** The same attack as an entry of version 2. An entry of version 2 stays the same. */
export function upgraded(entry: Entry): Entry {
  if (!isVersion1(entry)) return entry;
  const { objective, optimizer, ...rest } = entry;
  const goal = typeof objective === "string" ? objective : "misclassify:final";
  const method = String(optimizer ?? (isPublished(goal) ? "adam-tanh" : "pgd"));
  const kept = isPublished(goal) ? withoutBudget(rest) : rest;
  return {
    ...(method === "pgd" ? pgdDefaults({ ...kept, name: entry.name }) : {}),
    ...kept,
    name: entry.name,
    goal,
    method,
  };
}

const isPublished = (goal: string): boolean => currentName(goal) === "early:published";

/** The published loop has no budget and always starts at random. */
const withoutBudget = ({ radius: _, randomStart: __, ...rest }: Fields): Fields => rest;

/** PGD took 20 steps of 2.5 radii in all, from the image. */
function pgdDefaults({ name, radius, norm, steps = 20 }: Fields): Fields {
  const defaults = { steps: 20, randomStart: false };
  if (typeof radius !== "number" && typeof radius !== "string") return defaults;
  const stepSize = (2.5 * parseQuantity(radius, `attack "${name}", radius`)) / Number(steps);
  // A step of 1 crosses every ball of Linf.
  return { ...defaults, stepSize: norm === undefined || norm === "linf" ? Math.min(1, stepSize) : stepSize };
}
