/** @file The recipes of training by name, the report of one epoch, and the record for the report of
 *  a run. */
import { z } from "zod";
import { count } from "./numbers.js";
import type { Steadiness } from "./steadiness.js";

/** The parts of a recipe (docs/method.md section 2): the trained parameters, the images and the
 * loss. */
export interface RecipeDefinition {
  /** Whether the backbone is frozen, statistics too, and only heads of early exits are trained. */
  readonly frozen: boolean;
  /** Whether early exits learn from the final exit and from labels. */
  readonly distilled: boolean;
  /** Whether half of the images in a step are attacked. */
  readonly attacked: boolean;
  /** The gates that the recipe attaches and trains. Left out: none. */
  readonly gates?: "pooled" | "recurrent" | "policy" | "halting";
}

const LABELS = { frozen: false, distilled: false, attacked: false } as const;

/** The definition of every recipe. */
export const RECIPE_DEFINITIONS = {
  static: LABELS,
  joint: LABELS,
  "ic-only": { ...LABELS, frozen: true },
  distill: { ...LABELS, distilled: true },
  "ic-distill": { ...LABELS, frozen: true, distilled: true },
  adversarial: { ...LABELS, attacked: true },
  gates: { ...LABELS, gates: "pooled" },
  skipnet: { ...LABELS, gates: "recurrent" },
  blockdrop: { ...LABELS, gates: "policy" },
  act: { ...LABELS, gates: "halting" },
} as const satisfies Record<string, RecipeDefinition>;

/** The name of a training recipe. */
export type Recipe = keyof typeof RECIPE_DEFINITIONS;
/** The names of all recipes. */
export const RECIPES = Object.keys(RECIPE_DEFINITIONS) as [Recipe, ...Recipe[]];

const numbers = z.array(z.number()).readonly();

/** One line of metrics.jsonl. Losses and accuracies (in [0,1]) have one entry per exit. */
export const epochReportSchema = z.object({
  epoch: count,
  step: count,
  learningRate: z.number(),
  /** Mean total loss over the epoch's steps. */
  loss: z.number(),
  exitLosses: numbers,
  trainAccuracy: numbers,
  validationLosses: numbers,
  validationAccuracy: numbers,
  /** Share of the training samples for which each gate was open. Left out without gates. */
  gateRates: numbers.optional(),
  /** Share of the validation records for which each gate is open as it is deployed. */
  validationGateRates: numbers.optional(),
  imagesPerSecond: z.number(),
  seconds: z.number(),
});
/** The report of one epoch. */
export type EpochReport = Readonly<z.infer<typeof epochReportSchema>>;

/** Counts of the answers of one exit. */
export interface Answers {
  /** Number of right answers. */
  readonly right: number;
  /** Number of all answers. */
  readonly count: number;
}

/** The record of a training run, for its report. */
export interface TrainingRecord {
  /** Name of the network. */
  readonly model: string;
  /** Name of the training data. */
  readonly data: string;
  /** How classes were matched, and what was passed over when the data were read. */
  readonly notes?: readonly string[] | undefined;
  /** Name of the recipe. */
  readonly recipe: string;
  /** Names of the exits, the final exit last. */
  readonly exits: readonly string[];
  /** The gates in order, and the share of the full cost that each saves when it is closed. Left out
   * without gates. */
  readonly gates?: readonly { readonly name: string; readonly costFraction: number }[] | undefined;
  /** Epochs of the whole run. */
  readonly planned: number;
  /** The reports of finished epochs, at least one. */
  readonly epochs: readonly EpochReport[];
  /** Test results of the finished model, one entry per exit. Undefined during the run, and without
   * test records. */
  readonly test: readonly Answers[] | undefined;
  /** Number of validation records, on which accuracy is measured after each epoch. */
  readonly validationCount: number;
  /** How steady the machine was when places for exits were timed. Left out when they were not
   * timed. */
  readonly steadiness?: Steadiness | undefined;
  /** All settings that a repeat of the run needs, as name and value. */
  readonly settings: readonly (readonly [name: string, value: string])[];
}
