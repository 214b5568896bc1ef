/** @file Reads the entries of an attack file, checks them and completes them with defaults. Numbers
 *  can be fractions ("8/255"). Unknown keys are errors. */
import { z } from "zod";
import { DynnError } from "../core/errors.js";
import { parseQuantity } from "../core/units.js";
import type { Objective, Optimizer } from "./attack.js";
import { currentName } from "./names.js";
import { average, max } from "./objectives/combined.js";
import { earlyMargin, earlyMarginDefaults, earlyPublished } from "./objectives/early.js";
import { misclassify } from "./objectives/misclassify.js";
import { routed } from "./objectives/routed.js";
import { slowdown } from "./objectives/slowdown.js";
import type { Victim } from "./objectives/victim.js";
import { adamTanh } from "./optimizers/adam-tanh.js";
import { pgd } from "./optimizers/pgd.js";
import type { Attack } from "./runner.js";

const quantity = z.union([z.number(), z.string()]);
const digits = z.string().regex(/^\d+$/, "expected a whole number").transform(Number);
const counted = (least: number) => z.union([z.number(), digits]).pipe(z.number().int().min(least));
const whole = counted(1);

const OPTIMIZERS = ["fgsm", "pgd", "adam-tanh"] as const;
type OptimizerName = (typeof OPTIMIZERS)[number];

const OBJECTIVE = /^(misclassify:(final|\d+)|average|max|routed|early:(margin|published)|slowdown)$/;

/** One attack of an attack file. Every field except name and objective has a default. */
export const attackConfigSchema = z.strictObject({
  name: z.string().min(1),
  objective: z.string().refine((name) => OBJECTIVE.test(currentName(name)), {
    error: "expected misclassify:final, misclassify:K, average, max, routed, early:published, early:margin or slowdown",
  }),
  optimizer: z.enum(OPTIMIZERS).optional(),
  norm: z.enum(["linf", "l2"]).optional(),
  radius: quantity.nullable().optional(),
  /** Attack only the first N samples. */
  samples: whole.optional(),
  steps: whole.optional(),
  /** For gradient steps: the length of a step in pixel units. For Adam: the learning rate. */
  stepSize: quantity.optional(),
  /** true: a random point of the ball (adam-tanh: w uniform in [0,1)). A number: a random point
   * within that distance. */
  randomStart: z.union([z.boolean(), quantity]).optional(),
  restarts: whole.optional(),
  loss: z.enum(["cross-entropy", "margin"]).optional(),
  kappa: quantity.optional(),
  keep: quantity.optional(),
  weight: quantity.optional(),
  alpha: quantity.optional(),
  c: quantity.optional(),
  searchSteps: whole.optional(),
  checkFrom: counted(0).optional(),
  stopAtSuccess: z.boolean().optional(),
});

/** One entry of an attack file. docs/attack-file.md explains the fields. */
export type AttackConfig = z.infer<typeof attackConfigSchema>;

/** An attack ready to run, with the values of all its parameters. */
export interface ConfiguredAttack extends Attack {
  /** Its name, from the attack file. */
  readonly name: string;
  /** Number of samples to attack. Undefined: all samples. */
  readonly samples: number | undefined;
  /** All parameters of the attack, defaults included. */
  readonly parameters: Readonly<Record<string, number | string | boolean>>;
}

/** Check the parsed JSON of an attack file.
 * @throws DynnError 'attack/config' naming the entry and field */
export function parseAttackFile(json: unknown, where: string): AttackConfig[] {
  const parsed = z.array(attackConfigSchema).min(1).safeParse(json);
  if (parsed.success) return uniqueNames(parsed.data, where);
  const issue = parsed.error.issues[0];
  const at = issue?.path.map((p) => (typeof p === "number" ? `[${p}]` : `.${String(p)}`)).join("") ?? "";
  throw new DynnError(
    "attack/config",
    `${where}${at ? ` at ${at}` : ""}: ${issue?.message ?? "not an attack file"}. Write an array of attacks like [{"name": "pgd", "objective": "misclassify:final", "optimizer": "pgd", "norm": "linf", "radius": "8/255", "steps": 20}].`,
    { where, issues: parsed.error.issues },
  );
}

function uniqueNames(configs: AttackConfig[], where: string): AttackConfig[] {
  const names = configs.map((c) => c.name);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice === undefined) return configs;
  throw new DynnError("attack/config", `${where}: two attacks are named "${twice}". Give each its own name.`, {
    name: twice,
  });
}

/** Reads the numbers of one config. Its errors name the attack. It refuses keys that the attack
 * does not use. */
class Fields {
  readonly #config: AttackConfig;
  readonly #read = new Set<string>(["name", "objective", "optimizer", "norm", "radius", "samples"]);
  readonly used: Record<string, number | string | boolean> = {};

  constructor(config: AttackConfig) {
    this.#config = config;
  }

  number(key: keyof AttackConfig, fallback: number): number {
    const value = this.#config[key];
    const number =
      value === undefined || value === null
        ? fallback
        : parseQuantity(value as number | string, `attack "${this.#config.name}", ${key}`);
    return this.#note(key, number);
  }

  choice<T extends string | boolean>(key: keyof AttackConfig, fallback: T): T {
    return this.#note(key, (this.#config[key] as T | undefined) ?? fallback);
  }

  /** A value that the attack itself fixes. The file cannot change it. */
  fixed<T extends string | boolean>(key: keyof AttackConfig, value: T): T {
    return this.#note(key, value);
  }

  get name(): string {
    return this.#config.name;
  }

  #note<T extends number | string | boolean>(key: string, value: T): T {
    this.#read.add(key);
    this.used[key] = value;
    return value;
  }

  /** @throws DynnError 'attack/config' when the file gives a field that this attack does not use */
  finish(): void {
    const unused = Object.keys(this.#config).find((key) => !this.#read.has(key));
    if (unused !== undefined)
      throw new DynnError(
        "attack/config",
        `attack "${this.#config.name}": ${this.#config.objective} with ${this.#config.optimizer ?? "its default optimizer"} has no parameter "${unused}". Remove it; it takes ${[...this.#read].sort().join(", ")}.`,
        { name: this.#config.name, field: unused },
      );
  }
}

/** Complete an attack for a model.
 * @throws DynnError 'attack/config', 'attack/unsupported', 'cli/value' */
export function configureAttack(written: AttackConfig, victim: Victim): ConfiguredAttack {
  const config = { ...written, objective: currentName(written.objective) };
  const fields = new Fields(config);
  const optimizerName = config.optimizer ?? (config.objective === "early:published" ? "adam-tanh" : "pgd");
  const norm = config.norm ?? (optimizerName === "adam-tanh" ? "l2" : "linf");
  const radius = radiusOf(config, optimizerName);
  const objective = makeObjective(config, victim, fields, optimizerName);
  const optimizer = makeOptimizer(
    optimizerName,
    { norm, radius, published: config.objective === "early:published" },
    fields,
  );
  fields.finish();
  return {
    name: config.name,
    samples: config.samples,
    objective,
    optimizer,
    budget: { norm, radius },
    parameters: fields.used,
  };
}

/** The published early attack has no budget, so it takes no radius. */
function radiusOf(config: AttackConfig, optimizer: OptimizerName): number | undefined {
  const radius =
    config.radius === undefined || config.radius === null || config.objective === "early:published"
      ? undefined
      : parseQuantity(config.radius, `attack "${config.name}", radius`);
  if (radius !== undefined && radius < 0)
    throw new DynnError(
      "attack/config",
      `attack "${config.name}": radius ${config.radius} is negative. Give a radius of 0 or more, in pixel units (8/255).`,
      { name: config.name, radius },
    );
  if (radius === undefined && optimizer !== "adam-tanh")
    throw new DynnError(
      "attack/config",
      `attack "${config.name}": ${optimizer} needs a radius. Add one in pixel units, e.g. "radius": "8/255".`,
      { name: config.name },
    );
  return radius;
}

function makeObjective(config: AttackConfig, victim: Victim, fields: Fields, optimizer: OptimizerName): Objective {
  const [kind, part] = config.objective.split(":") as [string, string | undefined];
  switch (kind) {
    case "misclassify":
      return misclassify(victim, part === "final" ? "final" : Number(part), misclassifyOptions(fields, optimizer));
    case "average":
      return average(victim);
    case "max":
      return max(victim);
    case "routed":
      return routed(victim);
    case "slowdown":
      return slowdown(victim);
    default:
      return part === "published"
        ? earlyPublished(victim, { alpha: fields.number("alpha", 0.1) })
        : makeEarlyMargin(victim, fields);
  }
}

/** The margin of Carlini & Wagner needs a cap where the loss has a distance term. With a budget it
 * needs no cap. */
const misclassifyOptions = (fields: Fields, optimizer: OptimizerName): Parameters<typeof misclassify>[2] => {
  const loss = fields.choice<"cross-entropy" | "margin">(
    "loss",
    optimizer === "adam-tanh" ? "margin" : "cross-entropy",
  );
  return { loss, kappa: loss === "margin" ? fields.number("kappa", optimizer === "adam-tanh" ? 0 : 1e3) : 0 };
};

function makeEarlyMargin(victim: Victim, fields: Fields): Objective {
  const defaults = earlyMarginDefaults(victim);
  return earlyMargin(victim, {
    kappa: fields.number("kappa", defaults.kappa),
    keep: fields.number("keep", defaults.keep),
    weight: fields.number("weight", defaults.weight),
  });
}

interface OptimizerContext {
  readonly norm: "linf" | "l2";
  readonly radius: number | undefined;
  readonly published: boolean;
}

function makeOptimizer(name: OptimizerName, context: OptimizerContext, fields: Fields): Optimizer {
  if (name === "adam-tanh") return adamTanhFrom(context, fields);
  const radius = context.radius as number;
  const steps = fields.number("steps", name === "fgsm" ? 1 : 20);
  const options = {
    steps,
    stepSize: fields.number("stepSize", name === "fgsm" ? radius : (2.5 * radius) / steps),
    start: randomStart(fields, radius),
    restarts: fields.number("restarts", 1),
  };
  if (name === "fgsm" && steps !== 1)
    throw new DynnError(
      "attack/config",
      `attack "${fields.name}": fgsm takes one step, got ${steps}. Use "optimizer": "pgd" for more.`,
      { name: fields.name, steps },
    );
  return pgd(options, name);
}

/** Radius of the random start: 0, that of the ball, or the number in the file. */
function randomStart(fields: Fields, radius: number): number {
  const stated = fields.choice<boolean | string>("randomStart", false);
  return typeof stated === "boolean" ? (stated ? radius : 0) : Math.min(radius, fields.number("randomStart", 0));
}

/** `early:published` is the published loop, and its start is part of the loop. */
function adamTanhFrom({ published }: OptimizerContext, fields: Fields): Optimizer {
  const steps = fields.number("steps", published ? 1000 : 100);
  return adamTanh({
    steps,
    learningRate: fields.number("stepSize", 0.01),
    start: (published ? fields.fixed("randomStart", true) : fields.choice("randomStart", false)) ? "uniform" : "image",
    c: published ? null : fields.number("c", 1),
    searchSteps: published ? 1 : fields.number("searchSteps", 1),
    checkFrom: fields.number("checkFrom", published ? Math.min(200, steps - 1) : 0),
    stopAtSuccess: fields.choice("stopAtSuccess", published),
    restarts: fields.number("restarts", 1),
  });
}
