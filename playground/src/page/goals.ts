/** @file The three goals that the page shows side by side. */
import type { AttackConfig, Catalogue, MethodEntry } from "dynn/web";
import type { NetworkFacts } from "../shared/messages.js";

export const GOAL_IDS = ["slow", "early", "wrong"] as const;
export type GoalId = (typeof GOAL_IDS)[number];

/** What a goal is called, and what it wants. */
export interface GoalText {
  readonly name: string;
  readonly action: string;
  readonly about: string;
}

export const GOAL_TEXTS: Readonly<Record<GoalId, GoalText>> = {
  slow: {
    name: "Never leaves",
    action: "Make it think the whole way",
    about: "No exit may be sure enough to stop. Every image then costs the full price.",
  },
  early: {
    name: "Wrong only early",
    action: "Fool the early exits only",
    about: "An early exit stops with a wrong answer. The full network still sees nothing.",
  },
  wrong: {
    name: "Wrong",
    action: "Make it answer wrongly",
    about: "The answer that users get is wrong, at whatever exit it leaves.",
  },
};

/** How the attack searches. Radius is text such as "2/255". */
export interface Settings {
  readonly method: string;
  readonly norm: string;
  readonly radius: string;
  /** Steps or queries of the method. Null: the method's own number. */
  readonly steps: number | null;
  readonly seed: number;
}

export const FIRST_SETTINGS: Settings = { method: "pgd", norm: "linf", radius: "2/255", steps: 20, seed: 0 };

/** Radii that suit small images, by norm. The first is what a change of norm chooses. */
export const RADII: Readonly<Record<string, readonly string[]>> = {
  linf: ["2/255", "1/255", "4/255", "8/255", "16/255"],
  l2: ["64/255", "32/255", "128/255", "256/255"],
  l1: ["8", "4", "12", "24"],
  l0: ["24", "8", "48", "96"],
};

export const NORM_TEXTS: Readonly<Record<string, string>> = {
  linf: "each pixel a little (Linf)",
  l2: "length of the change (L2)",
  l1: "sum of the changes (L1)",
  l0: "number of changed values (L0)",
};

/** What the network has to have for a goal. */
export const goalOf = (id: GoalId, { exits }: Pick<NetworkFacts, "exits">): string => {
  if (exits.length === 1) return "misclassify:final";
  return { slow: "slowdown", early: "early:margin", wrong: "routed" }[id];
};

export const methodOf = (catalogue: Catalogue | undefined, name: string): MethodEntry | undefined =>
  catalogue?.methods.find((method) => method.name === name);

/** The parameter that says how long a method searches. */
export const effortOf = (method: MethodEntry | undefined): { name: "steps" | "queries"; usual: number } | undefined => {
  if (!method || method.name === "fgsm") return undefined;
  const found =
    method.parameters.find(({ name }) => name === "steps") ?? method.parameters.find(({ name }) => name === "queries");
  if (!found) return undefined;
  return { name: found.name as "steps" | "queries", usual: Number(found.default) || 20 };
};

/** The attack as an entry of an attack file. */
export function configOf(
  id: GoalId,
  { method: name, norm, radius, steps }: Settings,
  facts: NetworkFacts,
  all: Catalogue | undefined,
): AttackConfig {
  const method = methodOf(all, name);
  const effort = effortOf(method);
  return {
    name: id,
    goal: goalOf(id, facts),
    method: name,
    norm: norm as AttackConfig["norm"],
    ...(method?.budget === "closest" ? {} : { radius }),
    ...(effort && steps !== null ? { [effort.name]: steps } : {}),
  };
}
