/** @file The tables that the tasks of a study write, column by column. docs/studies.md lists
 *  them. */
import type { Columns } from "../columns.js";

/** What one exit of a network answers for one image. */
export interface AnswerRow {
  readonly sample: number;
  readonly exit: number;
  readonly label: number;
  readonly answer: number;
  readonly confidence: number;
  readonly margin: number;
}

/** The table of a task `answers`: one row per image and exit, samples first. */
export const ANSWER_COLUMNS: Columns<AnswerRow> = {
  sample: ["INT32", "record number in the data set"],
  exit: ["INT32", "index of the exit, from 0"],
  label: ["INT32", "true class"],
  answer: ["INT32", "class that the exit answers"],
  confidence: ["DOUBLE", "confidence of the exit, as the rule of the policy computes it"],
  margin: ["DOUBLE", "logit of the true class minus the largest other logit"],
};

/** What one gate of a network does for one image. */
export interface GateRow {
  readonly sample: number;
  readonly gate: number;
  readonly exit: number;
  readonly score: number;
  readonly threshold: number;
  readonly open: boolean;
}

/** The table of the gates of a task `answers`: one row per image and gate, samples first. */
export const GATE_ROW_COLUMNS: Columns<GateRow> = {
  sample: ["INT32", "record number in the data set"],
  gate: ["INT32", "index of the gate, from 0"],
  exit: ["INT32", "index of the first exit behind the gate"],
  score: ["DOUBLE", "score of the gate"],
  threshold: ["DOUBLE", "threshold that the policy gives the gate"],
  open: ["BOOLEAN", "whether the score reaches the threshold, so that the block runs"],
};

/** What an attack did to one sample. */
export interface OutcomeRow {
  readonly sample: number;
  readonly label: number;
  readonly eligible: boolean;
  readonly success: boolean;
  readonly l0: number;
  readonly l1: number;
  readonly l2: number;
  readonly linf: number;
  readonly queries: number;
  readonly gradients: number;
  readonly forwardMacs: number;
  readonly backwardMacs: number;
  readonly macsToSuccess: number | null;
  readonly queriesToSuccess: number | null;
  readonly vanished: boolean;
}

/** The table of a task `craft`: one row per sample. */
export const OUTCOME_COLUMNS: Columns<OutcomeRow> = {
  sample: ["INT32", "record number in the data set"],
  label: ["INT32", "true class"],
  eligible: ["BOOLEAN", "false when the clean image met the goal already; it is then not attacked"],
  success: ["BOOLEAN", "whether the image met the goal on the network that the attack searched on"],
  l0: ["DOUBLE", "elements that changed, after rounding to 8 bits"],
  l1: ["DOUBLE", "sum of the changes in pixel units, after rounding"],
  l2: ["DOUBLE", "Euclidean norm of the change in pixel units, after rounding"],
  linf: ["DOUBLE", "largest change in pixel units, after rounding"],
  queries: ["INT32", "images that the network evaluated"],
  gradients: ["INT32", "gradients among them"],
  forwardMacs: ["DOUBLE", "multiply-accumulates of the forward passes"],
  backwardMacs: ["DOUBLE", "multiply-accumulates of the backward passes"],
  macsToSuccess: ["nullable DOUBLE", "multiply-accumulates up to the first image that met the goal; null: none did"],
  queriesToSuccess: ["nullable INT32", "images evaluated up to that one; null: none met the goal"],
  vanished: ["BOOLEAN", "whether a gradient vanished before a success"],
};

/** One timed run of one image. */
export interface LatencyRow {
  readonly set: number;
  readonly round: number;
  readonly sample: number;
  readonly ms: number;
}

/** The table of a task `latency`. Two runs differ. */
export const LATENCY_COLUMNS: Columns<LatencyRow> = {
  set: ["INT32", "0: clean images; from 1 on: the sets of attacked images, in the order of the inputs"],
  round: ["INT32", "round, from 0; the sets take turns in each round"],
  sample: ["INT32", "record number in the data set"],
  ms: ["DOUBLE", "milliseconds of one image at batch 1"],
};

/** One timed run of a network at one batch size. */
export interface TimesRow {
  readonly contestant: number;
  readonly batch: number;
  readonly request: number | null;
  readonly ms: number;
}

/** The table of a task `times`. Two runs differ. */
export const TIMES_COLUMNS: Columns<TimesRow> = {
  contestant: ["INT32", "index: first the networks that run whole, then the operating points"],
  batch: ["INT32", "images in one run"],
  request: ["nullable INT32", "number of a batch that arrives alone, over all rounds; null: all images at once"],
  ms: ["DOUBLE", "milliseconds of the request; of one image, where all images come at once, one row per round"],
};

/** One timed attack. */
export interface PaceRow {
  readonly contestant: number;
  readonly round: number;
  readonly seconds: number;
  readonly samples: number;
}

/** The table of a task `pace`. Two runs differ. */
export const PACE_COLUMNS: Columns<PaceRow> = {
  contestant: ["INT32", "index of the network and attack among the contestants"],
  round: ["INT32", "round, from 0; the contestants take turns in each round"],
  seconds: ["DOUBLE", "wall time of the attack"],
  samples: ["INT32", "images that were attacked"],
};

/** The gradient of one record beside a finite difference. */
export interface SlopeRow {
  readonly sample: number;
  readonly gradient: number;
  readonly difference: number;
  readonly same: boolean;
}

/** The table of a task `finite-differences`. */
export const SLOPE_COLUMNS: Columns<SlopeRow> = {
  sample: ["INT32", "record number in the data set"],
  gradient: ["DOUBLE", "L2 norm of the gradient of the loss, per pixel unit"],
  difference: ["DOUBLE", "slope of the loss along the gradient, by central differences"],
  same: ["BOOLEAN", "whether the policy stops at the same exit on both sides"],
};

/** What one network answers for one attacked image, with what the attack did. */
export interface RoutedRow {
  readonly data: string;
  readonly surrogate: string;
  readonly exits: string;
  readonly attack: string;
  readonly target: string;
  readonly records: string;
  readonly sample: number;
  readonly label: number;
  readonly cleanAnswer: number;
  readonly answer: number;
  readonly exit: number;
  readonly confidence: number;
  readonly cleanCostFraction: number;
  readonly costFraction: number;
  readonly finalAnswer: number;
  readonly eligible: boolean;
  readonly success: boolean;
  readonly l0: number;
  readonly l1: number;
  readonly l2: number;
  readonly linf: number;
  readonly queries: number;
  readonly gradients: number;
  readonly forwardMacs: number;
  readonly backwardMacs: number;
}

const { eligible, success, l0, l1, l2, linf, queries, gradients, forwardMacs, backwardMacs } = OUTCOME_COLUMNS;

/** The table of `dynn study export`: one row per attacked image and target. */
export const ROUTED_COLUMNS: Columns<RoutedRow> = {
  data: ["STRING", "name of the data set"],
  surrogate: ["STRING", "network that the image was made on"],
  exits: ["STRING", "outputs of the surrogate that were kept, with commas between; empty: all"],
  attack: ["STRING", "name of the attack"],
  target: ["STRING", "network that answers"],
  records: ["STRING", "reported or checks"],
  sample: ["INT32", "record number in the data set"],
  label: ["INT32", "true class"],
  cleanAnswer: ["INT32", "class that the target answers for the clean image under its policy"],
  answer: ["INT32", "class that the target answers for the attacked image under its policy"],
  exit: ["INT32", "index of the exit where the work on the attacked image stops, from 0"],
  confidence: ["DOUBLE", "confidence of the exit that answers"],
  cleanCostFraction: ["DOUBLE", "cost of the clean image, as a share of the target's full cost"],
  costFraction: ["DOUBLE", "cost of the attacked image, as a share of the target's full cost"],
  finalAnswer: ["INT32", "class that the final exit of the target answers for the attacked image"],
  ...{ eligible, success, l0, l1, l2, linf, queries, gradients, forwardMacs, backwardMacs },
};
