/** @file Attacks by name, with parameters that suit a first audit. The audit command reads them. */

import { DynnError } from "../core/errors.js";
import { didYouMean } from "../core/guess.js";
import { has, type Need } from "./goals/goal.js";
import type { MethodDef } from "./methods/method.js";
import { METHOD_NAMES, METHODS } from "./methods/table.js";
import { currentName } from "./names.js";
import type { AttackConfig } from "./spec.js";

/** What named attacks depend on. */
export interface PresetContext {
  /** Linf radius, in pixel units. */
  readonly epsilon: number;
  /** Exits before the final one. */
  readonly earlyExits: number;
  /** Gates of the model. The default is none. */
  readonly gates?: number | undefined;
}

/** A named attack. */
export interface Preset {
  /** One sentence for tables and help texts. */
  readonly about: string;
  /** What the network must have. Undefined: nothing. */
  readonly needs?: Need | undefined;
  /** Its goal, method and budget. */
  readonly config: (ctx: PresetContext) => Omit<AttackConfig, "name">;
}

/** A common L2 radius for 32 x 32 images. */
const L2_RADIUS = "128/255";

const linfPgd =
  (goal: string, steps: number): Preset["config"] =>
  ({ epsilon }) => ({
    goal,
    method: "pgd",
    norm: "linf",
    radius: epsilon,
    steps,
    stepSize: (2.5 * epsilon) / steps,
    randomStart: true,
  });

/** A published attack that opens gates, as published and within a radius. Both take hundreds of
 * steps, so they attack few samples. */
const opening = (method: string, source: string): Readonly<Record<string, Preset>> => ({
  [method]: {
    about: `gates open, without a limit on the distance (${source}), on 48 samples`,
    needs: "gates",
    config: () => ({ goal: "slowdown", method, norm: "l2", samples: 48 }),
  },
  [`${method}-linf`]: {
    about: "the same within the radius",
    needs: "gates",
    config: ({ epsilon }) => ({ goal: "slowdown", method, norm: "linf", radius: epsilon, samples: 48 }),
  },
});

/** Attacks that are more than a method with its defaults, by name. */
const SPECIAL = {
  fgsm: {
    about: "one gradient step on the final exit (Goodfellow et al. 2015)",
    config: ({ epsilon }) => ({ goal: "misclassify:final", method: "fgsm", norm: "linf", radius: epsilon }),
  },
  pgd: {
    about: "20 projected gradient steps on the final exit (Madry et al. 2018)",
    config: linfPgd("misclassify:final", 20),
  },
  "pgd-l2": {
    about: "the same within an L2 ball of 128/255",
    config: () => ({
      goal: "misclassify:final",
      method: "pgd",
      norm: "l2",
      radius: L2_RADIUS,
      steps: 20,
      stepSize: "16/255",
      randomStart: true,
    }),
  },
  cw: {
    about: "the closest misclassified image (Carlini & Wagner 2017)",
    config: () => ({ goal: "misclassify:final", method: "cw", norm: "l2" }),
  },
  routed: {
    about: "PGD on the exit that the deployed network takes at each step",
    needs: "early exits",
    config: linfPgd("routed", 20),
  },
  average: {
    about: "PGD on the mean loss of all exits (Hu et al. 2020)",
    needs: "early exits",
    config: linfPgd("average", 20),
  },
  max: {
    about: "the strongest of one PGD per exit (Hu et al. 2020)",
    needs: "early exits",
    config: linfPgd("max", 20),
  },
  early: {
    about: "the full network keeps its label; an early exit, or the network that skips blocks, answers wrongly",
    needs: "early exits or gates",
    config: linfPgd("early:margin", 40),
  },
  "early-published": {
    about: "the same as the study published it, on 48 samples",
    needs: "early exits or gates",
    config: () => ({
      goal: "early:published",
      method: "adam-tanh",
      norm: "l2",
      steps: 1000,
      alpha: 0.1,
      samples: 48,
    }),
  },
  slowdown: {
    about: "no early exit fires (DeepSloth, Hong et al. 2021), and gates open",
    needs: "early exits or gates",
    config: linfPgd("slowdown", 30),
  },
  "slowdown-l1": {
    about: "the same within an L1 ball of 8, in the pixels of the largest gradients",
    needs: "early exits or gates",
    // The steps and the radius are those of DeepSloth. SLIDE's projection onto the ball replaces
    // its rescaling. At equal radius, PGD with steps along the whole gradient succeeds less often,
    // and Auto-PGD and FMN about as often with two to four times the gradients.
    config: () => ({ goal: "slowdown", method: "slide", norm: "l1", radius: 8, steps: 100, stepSize: 0.5 }),
  },
  ...opening("ilfo", "ILFO, Haque et al. 2020"),
  ...opening("gradauto", "GradAuto, Pan et al. 2022"),
  ...opening("gradmdm", "GradMDM, Pan et al. 2023"),
} as const satisfies Record<string, Preset>;

/** A radius for each norm that suits 32 x 32 images of three channels. L1: Croce & Hein 2021. */
const RADII = { l2: L2_RADIUS, l1: 12, l0: 24 } as const;

/** A method with its defaults, in its first norm. */
const ofMethod = (name: string, { about, source, norms, budget, goal, needs }: MethodDef): Preset => ({
  about: `${about} (${source})`,
  needs,
  config: ({ epsilon }) => ({
    goal: goal ?? "misclassify:final",
    method: name,
    norm: norms[0],
    ...(budget === "closest" ? {} : { radius: norms[0] === "linf" ? epsilon : RADII[norms[0]] }),
  }),
});

/** Attacks with published settings, by name. Every method is one of them. */
export const PRESETS: Readonly<Record<string, Preset>> = {
  ...SPECIAL,
  ...Object.fromEntries(
    METHOD_NAMES.filter((name) => !Object.hasOwn(SPECIAL, name)).map((name) => [name, ofMethod(name, METHODS[name])]),
  ),
};

export type PresetName = string;
export const PRESET_NAMES: readonly string[] = Object.keys(PRESETS);

/** Names of attacks that are more than a method with its defaults. "all" stands for them, because
 * all methods together cost much time. */
export const NAMED_ATTACKS: readonly string[] = Object.keys(SPECIAL);

/** The attacks of an audit whose call names none. `early-published` takes more time than all of
 * them together, so it runs on request. */
export const DEFAULT_PRESETS: readonly PresetName[] = ["fgsm", "pgd", "average", "routed", "early", "slowdown"];

/** The configs of named presets. "all" and "none" are names too.
 * @throws DynnError 'cli/value' for an unknown name
 * @throws DynnError 'attack/unsupported' when a preset needs early exits or gates, and the model
 *   has none */
export function presetConfigs(names: readonly string[], ctx: PresetContext): AttackConfig[] {
  const wanted = new Set(
    names.flatMap((name) => (name === "all" ? usable(NAMED_ATTACKS, ctx) : name === "none" ? [] : currentName(name))),
  );
  return [...wanted].map((name) => {
    const preset: Preset | undefined = Object.hasOwn(PRESETS, name) ? PRESETS[name] : undefined;
    if (!preset)
      throw new DynnError(
        "cli/value",
        `attacks: "${name}" is not the name of an attack.${didYouMean(name, [...NAMED_ATTACKS, "all", "none"])} Choose from ${NAMED_ATTACKS.join(", ")}, all, none, or a method that \`dynn attacks\` lists; or write your own in an attack file.`,
        { name, options: ["attacks", "attackFile"] },
      );
    if (!has(preset.needs, ctx.earlyExits, ctx.gates ?? 0))
      throw new DynnError(
        "attack/unsupported",
        `attack ${name}: the model has ${ctx.earlyExits > 0 ? "no gates" : "a single exit"}, and this attack needs ${NEEDED[preset.needs as Need]}. Use ${usable(NAMED_ATTACKS, ctx).join(", ")}, or a method that \`dynn attacks\` lists.`,
        { name },
      );
    return { name, ...preset.config(ctx) };
  });
}

/** Needs in words, behind "this attack needs". */
const NEEDED: Readonly<Record<Need, string>> = {
  "early exits": "early ones",
  "early exits or gates": "early ones or gates",
  gates: "gates",
};

/** The names of the presets that work on a model with this number of early exits and gates. */
export const usable = (names: readonly PresetName[], ctx: Pick<PresetContext, "earlyExits" | "gates">): PresetName[] =>
  names.filter((name) => has(PRESETS[name].needs, ctx.earlyExits, ctx.gates ?? 0));
