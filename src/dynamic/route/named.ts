/** @file The names and the cost of an answer: executors and devices give them alike. */
import { costShareOf, type Path, type Units } from "../model/units.js";
import type { Routed } from "./route.js";

/** What an answer says in words, beside its numbers. */
export interface Named {
  /** Name of the answered class. Undefined when the model has no names. */
  readonly className: string | undefined;
  /** Name of the exit whose label is the answer. */
  readonly exitName: string;
  /** The work for this image as a share of the work of the full network. */
  readonly costFraction: number;
}

/** What names and costs are read from. */
export interface NamingModel extends Units {
  readonly exits: readonly (Units["exits"][number] & { readonly name: string })[];
  readonly classNames: readonly string[] | null | undefined;
}

/** An answer with its names and its cost. */
export const named = <T extends Path & Pick<Routed, "answer" | "label">>(model: NamingModel, answer: T): T & Named => ({
  ...answer,
  className: model.classNames?.[answer.label],
  exitName: model.exits[answer.answer].name,
  costFraction: costShareOf(model, answer),
});
