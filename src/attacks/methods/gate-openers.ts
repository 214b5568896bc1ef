/** @file Published attacks that open the gates of networks that skip blocks: ILFO (Haque et al.,
 *  CVPR 2020), GradAuto (Pan et al., ECCV 2022) and GradMDM (Pan et al., TPAMI 2023), after their
 *  published code. Without a radius they run as published, and nothing bounds the distance. With a
 *  radius, Adam moves the pixels from the clean image, and each step is projected into the ball. */
import { DynnError } from "../../core/errors.js";
import { hasFull, type Victim } from "../goals/victim.js";
import { adjustedOpening, keeping, keepingLogits, opening, powerOpening } from "../losses/gates.js";
import type { Loss } from "../losses/loss.js";
import { amount, choice, count, type Parameters, type Values } from "../parameters.js";
import type { FoundImage, Search } from "../question.js";
import { Adam } from "./adam.js";
import { ballSpace, contrastSpace, type GateSpace, scalesOf } from "./gate-space.js";
import { type MethodDef, method, type Task } from "./method.js";

/** What an attack asks for at each step, and where it goes. */
interface Rule {
  /** The losses of a step. The first one opens gates. */
  readonly losses: (step: number) => readonly Loss[];
  /** The gradient that Adam descends, in the space of the variable.
   * @param gradients of the losses, ascended */
  readonly descent: (gradients: readonly Float64Array[], distance: Float64Array) => Float64Array;
  /** The objective, descended: it says which iterate is the best one.
   * @param losses those of {@link judged} */
  readonly objective: (losses: readonly number[], distance: number) => number;
  /** The losses that the objective reads. Undefined: the first one. */
  readonly judged?: ((losses: readonly Loss[]) => readonly Loss[]) | undefined;
}

const SHARED = {
  keepLogits: amount(0, "weight of the squared distance of the final logits to the clean ones; as published 0 or 1e5"),
  contrast: amount(1, "factor c in image = (tanh(c (u + w)) + 1) / 2, without a radius"),
  iterate: choice(["best", "last"], "best", "which iterate is the result; `best`: of the smallest objective"),
};

interface Steps {
  readonly steps: number;
  readonly stepSize: number;
  readonly contrast: number;
  readonly keepLogits: number;
  readonly iterate: "best" | "last";
}

function* search(task: Task, options: Steps, space: GateSpace, rule: Rule): Search {
  const { goal, sample } = task;
  const adam = new Adam(sample.pixels.length);
  const judged = rule.judged ?? ((losses) => losses.slice(0, 1));
  let kept: { readonly found: FoundImage; readonly objective: number } | undefined;
  for (let step = 0; step <= options.steps; step++) {
    const gradient = step < options.steps;
    const all = rule.losses(step);
    const read = judged(all);
    const replies = yield (gradient ? all : read).map((loss) => ({ image: space.image, loss, gradient, goal }));
    const values = gradient ? read.map((loss) => replies[all.indexOf(loss)].loss) : replies.map(({ loss }) => loss);
    const objective = rule.objective(values, space.distance());
    if (kept === undefined || options.iterate === "last" || objective < kept.objective) {
      const found = { image: Float32Array.from(space.image), success: goal.succeeded(sample, replies[0]) };
      kept = { found, objective };
    }
    if (!gradient) break;
    const gradients = replies.map((reply) => space.inSpace(reply.gradient));
    space.move(adam.steps(rule.descent(gradients, space.inSpace(space.distanceSlope())), options.stepSize));
  }
  return (kept as NonNullable<typeof kept>).found;
}

function spaceOf(task: Task, { contrast }: Steps, { model }: Victim): GateSpace {
  const scales = scalesOf(model.normalization, task.dims);
  return task.budget.radius === undefined
    ? contrastSpace(task.sample.pixels, scales, contrast)
    : ballSpace(task, scales);
}

/** A rule that also keeps the logits, as the option of the published code does. Its loss is the
 * last one of a step. */
function withLogits(rule: Rule, { keepLogits }: Steps, victim: Victim): Rule {
  if (keepLogits === 0) return rule;
  const kept = keepingLogits(victim);
  return {
    losses: (step) => [...rule.losses(step), kept],
    judged: (losses) => [losses[0], kept],
    descent: (gradients, distance) => {
      const [opening, logits] = [rule.descent(gradients.slice(0, -1), distance), gradients[gradients.length - 1]];
      return combined(1, opening, -keepLogits, logits);
    },
    objective: ([loss, away], distance) => rule.objective([loss], distance) - keepLogits * away,
  };
}

/** A published attack. */
const opener = <P extends Parameters>(
  facts: Pick<MethodDef<P>, "about" | "source" | "parameters"> & { readonly surrogates?: MethodDef["surrogates"] },
  ruleOf: (values: Values<P>, victim: Victim, size: number) => Rule,
): MethodDef =>
  method<P>({
    access: "gradient",
    scope: "sample",
    budget: "closest",
    norms: ["l2", "linf"],
    targeted: false,
    losses: [],
    goal: "slowdown",
    goals: ["slowdown"],
    needs: "gates",
    check: (_, where, { victim }) => checkGates(victim, where),
    ...facts,
    start: (task, values, victim) => {
      const options = values as unknown as Steps;
      const rule = ruleOf(values, victim, task.sample.pixels.length);
      return search(task, options, spaceOf(task, options, victim), withLogits(rule, options, victim));
    },
  });

/** @throws DynnError 'attack/unsupported' */
function checkGates(victim: Victim, where: string): void {
  if (hasFull(victim)) return;
  const { name, gates } = victim.model;
  throw new DynnError(
    "attack/unsupported",
    `${where}: ${gates.length === 0 ? `${name} has no gates` : `the policy forces every gate of ${name}`}, and this attack opens gates. Use the goal slowdown with pgd, or another network.`,
    { gates: gates.length },
  );
}

/** a * x + b * y. */
const combined = (a: number, x: Float64Array, b: number, y: Float64Array): Float64Array =>
  x.map((v, i) => a * v + b * y[i]);

export const ilfo = opener(
  {
    about: "Adam on the gate probabilities below 1/2 and the distance; opens gates",
    source: "Haque et al. 2020, ILFO",
    parameters: {
      steps: count(1000, "iterations"),
      stepSize: amount(5e-4, "Adam's learning rate"),
      weight: amount(1e5, "weight of the gates against the squared distance in normalised space"),
      ...SHARED,
    },
  },
  ({ weight }, victim) => {
    const losses = [opening(victim)];
    return {
      losses: () => losses,
      descent: ([gates], distance) => combined(-weight, gates, 1, distance),
      objective: ([loss], distance) => distance - weight * loss,
    };
  },
);

export const gradauto = opener(
  {
    about:
      "Adam on the direction that opens gates, of length 1 and without its part against the gradient that keeps gates open",
    source: "Pan et al. 2022, GradAuto",
    parameters: {
      steps: count(300, "iterations"),
      stepSize: amount(0.01, "Adam's learning rate"),
      weight: amount(1, "factor K of the direction, times the number of values of the image"),
      ...SHARED,
      contrast: amount(0.8, SHARED.contrast.about),
      iterate: choice(["best", "last"], "last", SHARED.iterate.about.split(":")[0]),
    },
  },
  ({ weight }, victim, size) => {
    const losses = [opening(victim), keeping(victim)];
    return {
      losses: () => losses,
      descent: ([open, keep], distance) => combined(-weight * size, ofLengthOne(apart(open, keep)), 1, distance),
      objective: ([loss], distance) => distance - weight * size * loss,
    };
  },
);

const dot = (x: Float64Array, y: Float64Array): number => x.reduce((sum, v, i) => sum + v * y[i], 0);

/** A vector of length 1. Zeros stay zeros. */
function ofLengthOne(x: Float64Array): Float64Array {
  const length = Math.sqrt(dot(x, x)) + 1e-20;
  return x.map((v) => v / length);
}

/** A gradient without its part against another one. */
function apart(gradient: Float64Array, other: Float64Array): Float64Array {
  const direction = ofLengthOne(other);
  return combined(1, gradient, -Math.min(0, dot(gradient, direction)), direction);
}

export const gradmdm = opener(
  {
    about: "Adam on a power of the gate probabilities, with gradients that are adjusted at each gate; opens gates",
    source: "Pan et al. 2023, GradMDM",
    // The adjustment needs values of gates that are 0 or 1.
    surrogates: ["hard", "straight-through"],
    parameters: {
      steps: count(100, "iterations"),
      stepSize: amount(0.01, "Adam's learning rate"),
      weight: amount(1.5e5, "weight of the gates"),
      gamma: amount(100, "weight of the squared distance in normalised space"),
      power: amount(3.5, "power of the probabilities of closed gates", { least: 1 }),
      keepPower: amount(50, "power of what open gates lack", { least: 1 }),
      plainSteps: count(10, "first iterations with the power 1 and plain gradients", { least: 0 }),
      ...SHARED,
      contrast: amount(0.8, SHARED.contrast.about),
      iterate: choice(["best", "last"], "last", SHARED.iterate.about.split(":")[0]),
    },
  },
  ({ weight, gamma, power, keepPower, plainSteps }, victim) => {
    const [plain, adjusted] = [[powerOpening(victim, 1)], [adjustedOpening(victim, power, keepPower)]];
    return {
      losses: (step) => (step < plainSteps ? plain : adjusted),
      descent: ([gates], distance) => combined(-weight, gates, gamma, distance),
      objective: ([loss], distance) => gamma * distance - weight * loss,
    };
  },
);
