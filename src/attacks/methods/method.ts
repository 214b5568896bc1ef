/** @file What a method of attack is: a search for an image that meets a goal, and the facts about
 *  the method that attack files, help texts and documentation are made from. */

import type { Surrogate } from "../../autodiff/gates.js";
import type { ImageDims } from "../../core/images.js";
import type { StreamKey } from "../../core/rng.js";
import type { Budget } from "../../perturb/norms.js";
import type { Norm } from "../../schema/norm.js";
import type { Goal, Need } from "../goals/goal.js";
import type { Victim } from "../goals/victim.js";
import type { LossForm, LossName } from "../losses/table.js";
import type { ParameterContext, Parameters, Values, Written } from "../parameters.js";
import type { Access, FoundImage, QuerySearch, Search, Shown } from "../question.js";
import type { Sample } from "../sample.js";

/** The attack on one sample: the input of a search. */
export interface Task {
  /** The sample to attack. */
  readonly sample: Sample;
  /** The goal. */
  readonly goal: Goal;
  /** How far the image may move. */
  readonly budget: Budget;
  /** The seed of the random numbers. */
  readonly seed: number;
  /** Channels, height and width of the image. */
  readonly dims: ImageDims;
  /** All samples of the attack. */
  readonly set: readonly Sample[];
  /** The same task with another loss. Goals with a loss of their own keep it. */
  readonly withLoss: (form: LossForm) => Task;
}

/** A sample without what the network gives for it. */
export type SampleShown = Omit<Sample, "clean" | "bits" | "full">;

/** The task of a query method. It holds no loss. */
export interface QueryTask {
  /** The clean image, its label and its target. What the network gives for it is not shown. */
  readonly sample: SampleShown;
  readonly budget: Budget;
  readonly seed: number;
  /** Channels, height and width of the image. */
  readonly dims: ImageDims;
  /** All samples of the attack, with their true classes. */
  readonly set: readonly SampleShown[];
  /** Number of classes. */
  readonly classes: number;
}

/** The key of a stream of random numbers for one sample. Different purposes and steps give
 * independent numbers. */
export const keyOf = (
  { sample, seed }: { readonly sample: { readonly id: number }; readonly seed: number },
  purpose: "attack-start" | "attack-noise" | "attack-choice",
  step: number,
): StreamKey => ({ seed, sample: sample.id, purpose, step });

interface MethodFacts<P extends Parameters> {
  /** What the method does, in one sentence without its subject. */
  readonly about: string;
  /** Paper or repository. */
  readonly source: string;
  /** The norms that it works in. The first is the default. */
  readonly norms: readonly Norm[];
  /** Whether it needs a radius, or searches for the closest image. A closest image can also have a
   * radius, which says which successes count. */
  readonly budget: "radius" | "closest";
  /** Whether it can aim at a class. */
  readonly targeted: boolean;
  /** The goal of an attack that names none. The default is misclassify:final. */
  readonly goal?: string;
  /** The only goals that it can have. Left out: all. */
  readonly goals?: readonly string[] | undefined;
  /** What the network must have. Left out: nothing. */
  readonly needs?: Need | undefined;
  /** The surrogates of hard gates that it works with. Left out: all. */
  readonly surrogates?: readonly Surrogate["kind"][] | undefined;
  /** The losses of one exit that it can ascend. The first is the default. */
  readonly losses: readonly LossName[];
  /** Whether its questions are about single classes. A goal with a loss of its own does not fit. */
  readonly aboutClasses?: boolean;
  /** The cap of the loss, from the values of the parameters. */
  readonly cap?: (loss: LossName, values: Values<P>) => number | undefined;
  readonly parameters: P;
  /** The defaults of a goal that has others than the method, for the fields that a file gives. */
  readonly defaultsFor?: (
    goal: string,
    written: Readonly<Record<string, Written>>,
  ) => Readonly<Record<string, number | string | boolean>>;
  /** Refuses values that do not fit each other.
   * @throws DynnError 'attack/config' */
  readonly check?: (values: Values<P>, where: string, context: Omit<ParameterContext, "before">) => void;
  /** Whether it is a control: a change that follows no gradient and no score. */
  readonly control?: boolean;
  /** Whether a sample is attacked again with losses free of scale after a gradient has vanished. */
  readonly retriesVanished?: boolean;
}

/** A search with full access to each sample. */
export interface GradientMethod<P extends Parameters> extends MethodFacts<P> {
  readonly access: "gradient";
  readonly scope: "sample";
  /** @param victim the attacked model, for a method that runs others */
  readonly start: (task: Task, values: Values<P>, victim: Victim) => Search;
}

/** A search with full access to all samples at once, such as one for a universal perturbation. */
export interface SetMethod<P extends Parameters> extends MethodFacts<P> {
  readonly access: "gradient";
  readonly scope: "set";
  readonly start: (tasks: readonly Task[], values: Values<P>) => Search<readonly FoundImage[]>;
}

/** A search that sees scores, labels or costs. */
export interface QueryMethod<P extends Parameters, A extends keyof Shown> extends MethodFacts<P> {
  readonly access: A;
  readonly scope: "sample";
  readonly start: (task: QueryTask, values: Values<P>) => QuerySearch<A>;
}

/** One entry of the table of methods. */
export type MethodDef<P extends Parameters = Parameters> =
  | GradientMethod<P>
  | SetMethod<P>
  | QueryMethod<P, "scores">
  | QueryMethod<P, "label">
  | QueryMethod<P, "cost">;

/** Types a method by its parameters. */
export const method = <P extends Parameters>(def: MethodDef<P>): MethodDef => def as unknown as MethodDef;

/** A method with its parameters fixed. */
export interface Method {
  readonly name: string;
  readonly access: Access;
  readonly scope: "sample" | "set";
  readonly retriesVanished: boolean;
  /** One search for the tasks of its scope: one task, or all. */
  readonly start: (tasks: readonly Task[]) => Search<readonly FoundImage[]>;
}
