/** @file The catalogue: every goal, method, loss and named attack with its facts, as plain values.
 *  `dynn attacks` prints it, and docs/attacks.md is made from it. */

import type { GoalDef, Need } from "./goals/goal.js";
import { GOALS } from "./goals/table.js";
import { LOSSES } from "./losses/table.js";
import type { MethodDef } from "./methods/method.js";
import { METHODS } from "./methods/table.js";
import type { Parameters } from "./parameters.js";
import { PRESETS } from "./presets.js";
import type { Access } from "./question.js";

/** One parameter of a goal or a method. */
export interface ParameterEntry {
  readonly name: string;
  readonly about: string;
  /** The default: a value, or words. */
  readonly default: string;
}

/** One method. */
export interface MethodEntry {
  readonly name: string;
  readonly about: string;
  readonly source: string;
  /** What the attacker sees of the model. */
  readonly access: Access;
  readonly norms: readonly string[];
  /** Whether it needs a radius, or searches for the closest image. */
  readonly budget: MethodDef["budget"];
  /** Whether it works on each sample alone, or finds one perturbation for all. */
  readonly scope: MethodDef["scope"];
  readonly targeted: boolean;
  readonly losses: readonly string[];
  /** The only goals that it can have. Null: all. */
  readonly goals: readonly string[] | null;
  readonly parameters: readonly ParameterEntry[];
}

/** One goal. */
export interface GoalEntry extends Pick<GoalDef, "about" | "success" | "source" | "targeted"> {
  readonly name: string;
  /** What the network must have. Null: nothing. */
  readonly needs: Need | null;
  /** Whether it takes a loss of one exit, or has a loss of its own. */
  readonly takesLoss: boolean;
  readonly parameters: readonly ParameterEntry[];
}

/** The whole catalogue. */
export interface Catalogue {
  readonly methods: readonly MethodEntry[];
  readonly goals: readonly GoalEntry[];
  readonly losses: readonly { readonly name: string; readonly about: string; readonly source: string }[];
  /** The names that an audit takes, with what each stands for. */
  readonly named: readonly { readonly name: string; readonly about: string }[];
}

/** @example
 * ```ts
 * import { catalogue } from "dynn";
 *
 * const blind = catalogue().methods.filter(({ access }) => access !== "gradient");
 * console.log(blind.map(({ name }) => name));
 * ``` */
export const catalogue = (): Catalogue => ({
  methods: Object.entries(METHODS).map(([name, def]) => methodEntry(name, def)),
  goals: Object.entries(GOALS).map(([name, def]) => goalEntry(name, def)),
  losses: Object.entries(LOSSES).map(([name, { about, source }]) => ({ name, about, source })),
  named: Object.entries(PRESETS).map(([name, { about }]) => ({ name, about })),
});

function methodEntry(name: string, def: MethodDef): MethodEntry {
  const { about, source, access, norms, budget, scope, targeted, losses, goals = null, parameters } = def;
  const facts = { name, about, source, access, norms, budget, scope, targeted, losses, goals };
  return { ...facts, parameters: entriesOf(parameters) };
}

function goalEntry(name: string, def: GoalDef): GoalEntry {
  const { about, success, source, needs = null, targeted, takesLoss, parameters } = def;
  return { name, about, success, source, needs, targeted, takesLoss, parameters: entriesOf(parameters) };
}

const entriesOf = (parameters: Parameters): ParameterEntry[] =>
  Object.entries(parameters).map(([name, { about, usual, fallback }]) => ({
    name,
    about,
    default: usual ?? String(typeof fallback === "function" ? "depends on the attack" : fallback),
  }));
