/** @file Reads the entries of an attack file, checks them and completes them with defaults. An
 *  entry names a goal and a method. The tables of goals and methods say which fields it can
 *  have. */

import { z } from "zod";
import { DynnError } from "../core/errors.js";
import { didYouMean } from "../core/guess.js";
import { parseQuantity } from "../core/units.js";
import { NORM_NAMES, type Norm } from "../schema/norm.js";
import type { Attack } from "./attack.js";
import type { Goal, GoalDef } from "./goals/goal.js";
import { goalNamed } from "./goals/table.js";
import { AIM_NAMES, type Aim, targetOf } from "./goals/targets.js";
import { checkClasses, type Victim } from "./goals/victim.js";
import { exitLoss, LOSS_NAMES, type LossForm, type LossName } from "./losses/table.js";
import { bind } from "./methods/bind.js";
import type { MethodDef } from "./methods/method.js";
import { METHOD_NAMES, METHODS, type MethodName } from "./methods/table.js";
import { passingOf } from "./methods/through.js";
import { currentName } from "./names.js";
import {
  checkLength,
  type ParameterContext,
  type Parameters,
  type Values,
  valuesOf,
  type Written,
} from "./parameters.js";
import { upgraded } from "./version1.js";

const quantity = z.union([z.number(), z.string()]);
const whole = z.union([z.number(), z.string().regex(/^\d+$/, "expected a whole number").transform(Number)]);

const isClass = (value: unknown): boolean =>
  typeof value === "string" ? /^\d+$/.test(value) : Number.isInteger(value) && Number(value) >= 0;

/** What an attack aims at. A class that is text becomes a number. */
const target = z
  .custom<Aim | `${number}`>((value) => isClass(value) || AIM_NAMES.some((name) => name === value), {
    error: ({ input }) => `got ${JSON.stringify(input)}, expected ${AIM_NAMES.join(", ")} or the number of a class`,
  })
  .transform((value) => (isClass(value) ? Number(value) : (value as (typeof AIM_NAMES)[number])));

/** One attack of an attack file. Every field except the name has a default. The parameters of its
 * goal and its method are fields too. docs/attack-file.md explains them. */
export const attackConfigSchema = z
  .object({
    name: z.string().min(1),
    goal: z.string().optional(),
    method: z.string().optional(),
    norm: z.enum(NORM_NAMES).optional(),
    radius: quantity.nullable().optional(),
    /** The class to aim at. Without it, any wrong answer is a success. */
    target: target.optional(),
    loss: z.enum(LOSS_NAMES).optional(),
    /** How gradients pass hard gates: hard, straight-through, soft, with a slope such as "soft:2",
     * or best. */
    gates: z.string().optional(),
    /** Attack only the first N samples. */
    samples: whole.pipe(z.number().int().min(1)).optional(),
  })
  .catchall(z.union([z.number(), z.string(), z.boolean()]).nullable().optional());

/** One entry of an attack file. docs/attack-file.md explains the fields. */
export type AttackConfig = z.input<typeof attackConfigSchema>;

/** The fields that every attack can have. */
const COMMON = new Set(["name", "goal", "method", "norm", "radius", "target", "samples"]);

/** An attack ready to run, with the values of all its parameters. */
export interface ConfiguredAttack extends Attack {
  /** Its name, from the attack file. */
  readonly name: string;
  /** Number of samples to attack. Undefined: all samples. */
  readonly samples: number | undefined;
  /** All parameters of the attack, defaults included. */
  readonly parameters: Readonly<Record<string, number | string | boolean>>;
}

const EXAMPLE =
  '[{"name": "pgd", "goal": "misclassify:final", "method": "pgd", "norm": "linf", "radius": "8/255", "steps": 20}]';

/** Check the parsed JSON of an attack file. Entries of version 1 become entries of version 2.
 * @throws DynnError 'attack/config' naming the entry and field */
export function parseAttackFile(json: unknown, where: string): AttackConfig[] {
  const parsed = z.array(attackConfigSchema).min(1).safeParse(json);
  if (parsed.success)
    return uniqueNames(
      parsed.data.map((entry, i) => checked(upgraded(entry) as AttackConfig, `${where} at [${i}]`)),
      where,
    );
  const issue = parsed.error.issues[0];
  const at = issue?.path.map((p) => (typeof p === "number" ? `[${p}]` : `.${String(p)}`)).join("") ?? "";
  throw new DynnError(
    "attack/config",
    `${where}${at ? ` at ${at}` : ""}: ${issue?.message ?? "not an attack file"}. Write an array of attacks like ${EXAMPLE}.`,
    { where, issues: parsed.error.issues },
  );
}

/** @throws DynnError 'attack/config' when the entry names what does not exist, or its budget cannot
 *  be */
function checked(entry: AttackConfig, where: string): AttackConfig {
  const chosen = choose(entry, `${where}, attack "${entry.name}"`);
  checkFields(chosen);
  // The size of the images is not known yet. In Linf no radius depends on it.
  budgetOf(chosen, Number.POSITIVE_INFINITY);
  return entry;
}

function uniqueNames(configs: AttackConfig[], where: string): AttackConfig[] {
  const names = configs.map((c) => c.name);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice === undefined) return configs;
  throw new DynnError("attack/config", `${where}: two attacks are named "${twice}". Give each its own name.`, {
    name: twice,
  });
}

/** A call may hold values that an attack file cannot: half a sample, an unknown norm.
 * @throws DynnError 'attack/config' */
function checkForm(written: AttackConfig): void {
  const parsed = attackConfigSchema.safeParse(written);
  if (parsed.success) return;
  const [issue] = parsed.error.issues;
  throw new DynnError(
    "attack/config",
    `attack "${written.name}"${issue?.path.length ? `, ${issue.path.join(".")}` : ""}: ${issue?.message}. docs/attack-file.md lists the fields.`,
    { name: written.name, issues: parsed.error.issues },
  );
}

/** One entry with its goal and its method. */
interface Chosen {
  readonly config: Readonly<Record<string, Written>> & { readonly name: string };
  readonly where: string;
  readonly goalName: string;
  readonly goal: GoalDef;
  readonly at: string | undefined;
  readonly methodName: MethodName;
  readonly method: MethodDef;
}

/** Complete an attack for a model.
 * @throws DynnError 'attack/config', 'attack/unsupported', 'cli/value' */
export function configureAttack(written: AttackConfig, victim: Victim): ConfiguredAttack {
  const entry = upgraded(written) as AttackConfig;
  checkForm(entry);
  const chosen = choose(entry);
  checkFields(chosen);
  const context = contextOf(chosen, victim);
  const { where, goal, method, at, goalName } = chosen;
  const defaults = method.defaultsFor?.(goalName, chosen.config) ?? {};
  const full = { ...defaults, ...chosen.config };
  const goalValues = valuesOf(goal.parameters, full, where, context);
  const methodValues = valuesOf(method.parameters, full, where, context);
  method.check?.(methodValues, where, context);
  const target = aimOf(chosen, victim);
  const passing = method.access === "gradient" ? passingOf(entry.gates, where, victim, method.surrogates) : undefined;
  const form = formOf(chosen, methodValues);
  const withLoss = (loss: LossForm): Goal => {
    if (goal.takesLoss) checkClasses(loss, where, victim);
    return goal.make({ victim, loss: exitLoss(loss, target !== undefined), target, at }, goalValues);
  };
  return {
    name: chosen.config.name,
    samples: entry.samples === undefined ? undefined : Number(entry.samples),
    goal: withLoss(form),
    withLoss,
    method: bind(chosen.methodName, method, methodValues, { victim, passing }),
    budget: { norm: context.norm, radius: context.radius },
    parameters: {
      ...methodValues,
      ...goalValues,
      ...(goal.takesLoss && method.losses.length > 0 ? { loss: form.kind } : {}),
      ...(entry.target === undefined ? {} : { target: entry.target }),
      ...(passing ? { gates: passing.written } : {}),
    },
  };
}

/** Whether the goal of an attack is about the full network, which has every gate open.
 * @throws DynnError 'attack/config' */
export const readsFull = (written: AttackConfig): boolean => choose(upgraded(written)).goal.readsFull === true;

/** @throws DynnError 'attack/config' when the names are not known or do not fit each other */
function choose(entry: AttackConfig, where = `attack "${entry.name}"`): Chosen {
  const methodName = currentName(
    String(entry.method ?? (currentName(String(entry.goal)) === "early:published" ? "adam-tanh" : "pgd")),
  );
  if (!Object.hasOwn(METHODS, methodName))
    throw new DynnError(
      "attack/config",
      `${where}: "${methodName}" is not the name of a method.${didYouMean(methodName, METHOD_NAMES)} Choose from ${METHOD_NAMES.join(", ")}.`,
      { name: entry.name, methodName },
    );
  const method: MethodDef = METHODS[methodName as MethodName];
  const goalName = currentName(String(entry.goal ?? method.goal ?? "misclassify:final"));
  const { def: goal, at } = goalNamed(goalName, where);
  if (method.aboutClasses && !goal.takesLoss)
    throw new DynnError(
      "attack/config",
      `${where}: ${methodName} asks about single classes, and the goal ${goalName} has a loss of its own. Choose another method.`,
      { name: entry.name, methodName, goalName },
    );
  if (method.goals && !method.goals.includes(goalName))
    throw new DynnError(
      "attack/config",
      `${where}: ${methodName} is made for the goal ${method.goals.join(" or ")}, and the goal here is ${goalName}. Choose another method, or that goal.`,
      { name: entry.name, methodName, goalName },
    );
  return { config: entry, where, goalName, goal, at, methodName: methodName as MethodName, method };
}

/** @throws DynnError 'attack/config' when the norm or the radius does not fit the method */
function contextOf(chosen: Chosen, victim: Victim): Omit<ParameterContext, "before"> {
  const size = sizeOf(victim);
  const budget = budgetOf(chosen, size);
  const { config, where, method, methodName } = chosen;
  if (budget.radius === undefined && method.budget === "radius")
    throw new DynnError(
      "attack/config",
      `${where}: ${methodName} needs a radius. Add one in pixel units, e.g. "radius": "8/255".`,
      { name: config.name },
    );
  return { ...budget, size, victim };
}

/** @param size values of one image, over all channels
 * @throws DynnError 'attack/config' when the method does not work in the norm, or no radius has
 *  this size */
function budgetOf(
  { config, where, method, methodName }: Chosen,
  size: number,
): Pick<ParameterContext, "norm" | "radius"> {
  const norm = (config.norm ?? method.norms[0]) as Norm;
  if (!method.norms.includes(norm))
    throw new DynnError(
      "attack/config",
      `${where}: ${methodName} does not work in ${norm}. It works in ${method.norms.join(", ")}.`,
      { name: config.name, norm },
    );
  const radius =
    config.radius === undefined || config.radius === null
      ? undefined
      : parseQuantity(config.radius as number | string, `${where}, radius`);
  if (radius !== undefined) checkLength(radius, `${where}, radius`, { norm, size });
  return { norm, radius };
}

/** Values of one image, over all channels. Infinity when the model leaves the size open. */
const sizeOf = ({ model }: Victim): number =>
  model.input.shape.slice(1).reduce<number>((n, d) => n * (typeof d === "number" ? d : Number.POSITIVE_INFINITY), 1);

/** Fields under the names that they have in other libraries, without signs between words. */
const NAMED_ELSEWHERE: Readonly<Record<string, string>> = {
  ...{ eps: "radius", epsilon: "radius", epsilons: "radius", maxnorm: "radius" },
  ...{ alpha: "stepSize", epsstep: "stepSize", epsiter: "stepSize", relstepsize: "stepSize" },
  ...{ iterations: "steps", iters: "steps", niter: "steps", nbiter: "steps", maxiter: "steps", numsteps: "steps" },
  ...{ randominit: "randomStart", randstart: "randomStart", nrestarts: "restarts", numrandominit: "restarts" },
  ...{ attack: "method", optimizer: "method", nqueries: "queries", maxqueries: "queries", lr: "stepSize" },
};

/** The field that an unknown one may mean: itself in another spelling, or its name here. */
function meantBy(field: string, known: ReadonlySet<string>): string | undefined {
  const plain = (text: string) => text.replaceAll(/[^a-z]/gi, "").toLowerCase();
  const meant = [...known].find((name) => plain(name) === plain(field)) ?? NAMED_ELSEWHERE[plain(field)];
  return meant !== undefined && known.has(meant) ? meant : undefined;
}

/** @throws DynnError 'attack/config' when the file gives a field that this attack does not use */
function checkFields({ config, where, goalName, goal, method, methodName }: Chosen): void {
  const takesLoss = goal.takesLoss && method.losses.length > 0;
  const known = new Set([
    ...COMMON,
    ...(takesLoss ? ["loss"] : []),
    ...(method.access === "gradient" ? ["gates"] : []),
    ...Object.keys(goal.parameters),
    ...Object.keys(method.parameters),
  ]);
  const unused = Object.keys(config).find((key) => config[key] !== undefined && !known.has(key));
  const meant = unused === undefined ? undefined : meantBy(unused, known);
  if (unused !== undefined)
    throw new DynnError(
      "attack/config",
      `${where}: ${goalName} with ${methodName} has no parameter "${unused}". ${meant === undefined ? "Remove it" : `Write "${meant}" in its place`}; it takes ${[...known].sort().join(", ")}.`,
      { name: config.name, field: unused, meant },
    );
}

/** @throws DynnError 'attack/config' when the goal or the method has no targeted form, or the model
 *  has no such class */
function aimOf({ config, where, goal, goalName, method, methodName }: Chosen, victim: Victim): Goal["target"] {
  const { target } = config;
  if (target === undefined || target === null) return undefined;
  const lacking = goal.targeted ? (method.targeted ? undefined : methodName) : goalName;
  if (lacking !== undefined)
    throw new DynnError("attack/config", `${where}: ${lacking} has no targeted form. Remove "target".`, {
      name: config.name,
    });
  const aim: Aim = AIM_NAMES.find((name) => name === target) ?? Number(target);
  const { classes } = victim.model;
  if (typeof aim === "number" && aim >= classes)
    throw new DynnError(
      "attack/config",
      `${where}, target: got ${aim}, expected a class from 0 to ${classes - 1}. Give one of them, ${AIM_NAMES.join(" or ")}.`,
      { name: config.name, target: aim, classes },
    );
  return targetOf(aim, victim);
}

/** @throws DynnError 'attack/config' when the method does not ascend this loss */
function formOf({ config, where, method, methodName }: Chosen, values: Values<Parameters>): LossForm {
  const kind = (config.loss ?? method.losses[0] ?? "margin") as LossName;
  if (config.loss !== undefined && !method.losses.includes(kind))
    throw new DynnError(
      "attack/config",
      `${where}, loss: ${methodName} does not take "${kind}". It takes ${method.losses.join(", ")}.`,
      { name: config.name, loss: kind },
    );
  return { kind, cap: method.cap?.(kind, values) };
}
