/** @file Training: the recipes by name, what one epoch tells, and the record that the report of a run is drawn from. */
import { z } from "zod";
import { count } from "./numbers.js";
import type { Steadiness } from "./steadiness.js";

/** What a recipe is made of (docs/method.md section 2): which parameters are trained, on which images, with which loss. */
export interface RecipeDefinition {
  /** The backbone stays as it is, statistics too: heads of early exits are trained alone. */
  readonly frozen: boolean;
  /** Early exits learn from the final one as well as from labels. */
  readonly distilled: boolean;
  /** Half of the images of a step are attacked. */
  readonly attacked: boolean;
}

const LABELS = { frozen: false, distilled: false, attacked: false } as const;

/** Every recipe and what it needs. */
export const RECIPE_DEFINITIONS = {
  static: LABELS,
  joint: LABELS,
  "ic-only": { ...LABELS, frozen: true },
  distill: { ...LABELS, distilled: true },
  "ic-distill": { ...LABELS, frozen: true, distilled: true },
  adversarial: { ...LABELS, attacked: true },
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
  imagesPerSecond: z.number(),
  seconds: z.number(),
});
/** What one epoch gave. */
export type EpochReport = Readonly<z.infer<typeof epochReportSchema>>;

/** Right answers of one exit. */
export interface Answers {
  /** Right answers. */
  readonly right: number;
  /** All answers. */
  readonly count: number;
}

/** What the report of a training run shows. */
export interface TrainingRecord {
  /** Name of the network. */
  readonly model: string;
  /** Name of the training data. */
  readonly data: string;
  /** Name of the recipe. */
  readonly recipe: string;
  /** Names of the exits, the final one last. */
  readonly exits: readonly string[];
  /** Epochs that the run will have. */
  readonly planned: number;
  /** At least one. */
  readonly epochs: readonly EpochReport[];
  /** Of the finished model, one entry per exit; undefined while the run goes on, or where there are no test records. */
  readonly test: readonly Answers[] | undefined;
  /** Records that accuracy after each epoch is measured on. */
  readonly validationCount: number;
  /** How steady the machine was when places for exits were timed; left out: they were not. */
  readonly steadiness?: Steadiness | undefined;
  /** Everything needed to run it again, as name and value. */
  readonly settings: readonly (readonly [name: string, value: string])[];
}
