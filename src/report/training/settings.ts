/** @file The settings of a training run as a table in words. A setting without words of its own is
 *  named by its path. */
import { showRadius } from "../../core/units.js";
import type { TrainingRecord } from "../../schema/training.js";
import type { Html } from "../shared/html.js";
import { nameWords, settingsTable, valueWords } from "../shared/settings.js";

/** The words of each path. */
const WORDS: Readonly<Record<string, string>> = {
  architecture: "architecture",
  width: "width, as a factor of channels",
  init: "file of the first weights",
  exits: "outputs that are exits",
  digest: "digest of the graph and its first weights",
  provider: "provider",
  "data.train.name": "training data",
  "data.train.count": "training records",
  "data.validation.name": "validation data",
  "data.validation.count": "validation records",
  "data.test.name": "test data",
  "data.test.count": "test records",
  "normalization.mean": "mean that is subtracted, per channel",
  "normalization.std": "deviation that divides, per channel",
  "config.recipe": "recipe",
  "config.epochs": "epochs",
  "config.batch": "images in a step",
  "config.seed": "seed",
  "config.optimizer.kind": "optimizer",
  "config.optimizer.momentum": "momentum",
  "config.optimizer.nesterov": "Nesterov's momentum",
  "config.optimizer.weightDecay": "weight decay",
  "config.optimizer.beta1": "decay of the mean gradient",
  "config.optimizer.beta2": "decay of the mean squared gradient",
  "config.optimizer.epsilon": "added to the root of the mean square",
  "config.decayAll": "weight decay of norms and biases too",
  "config.schedule.kind": "schedule of the learning rate",
  "config.schedule.peak": "highest learning rate",
  "config.schedule.warmup": "share of steps in which it rises",
  "config.schedule.divisor": "highest divided by first learning rate",
  "config.schedule.finalDivisor": "first divided by last learning rate",
  "config.schedule.milestones": "shares of the run after which it falls",
  "config.schedule.factor": "factor of each fall",
  "config.exitWeights": "weight of each exit's loss",
  "config.backboneGradient": "share of the heads' gradient that reaches the backbone",
  "config.labelSmoothing": "share of the label that is spread over all classes",
  "config.clipNorm": "largest norm of all gradients together",
  "config.ema": "decay of the running average of weights",
  "config.statisticsMomentum": "weight of new values in running statistics",
  "config.distill.temperature": "distillation: temperature",
  "config.distill.weight": "distillation: share in the loss",
  "config.adversarial.radius": "attacked images: L∞ radius",
  "config.adversarial.stepSize": "attacked images: step size",
  "config.adversarial.steps": "attacked images: steps",
  "config.adversarial.target": "attacked images: loss that is raised",
  "config.adversarial.weight": "attacked images: share in the loss",
  "config.gates.kind": "gates: how they learn",
  "config.gates.target": "gates: share of work to be done",
  "config.gates.weight": "gates: weight of their loss",
  "config.gates.relax": "gates: share of the run in which bounds widen",
  "config.gates.floor": "gates: least share of images that open a gate, or close it",
  "config.gates.quiet": "gates: share of the run without noise",
};

/** Pixel units, which are shown as fractions of 255. */
const PIXELS: ReadonlySet<string> = new Set(["config.adversarial.radius", "config.adversarial.stepSize"]);

/** The words of a setting's name. */
export const settingName = (path: string): string => WORDS[path] ?? nameWords(path.replace(/^config\./, ""));

/** The words of a setting's value. */
export function settingValue(path: string, value: string): string {
  if (PIXELS.has(path)) return showRadius(Number(value));
  return path === "digest" ? value.slice(0, 16) : valueWords(value);
}

/** All settings, in the order of the record. */
export const trainingSettings = (settings: TrainingRecord["settings"]): Html =>
  settingsTable(
    "The same settings on the same data give the same weights.",
    settings.map(([path, value]) => [settingName(path), settingValue(path, value)]),
  );
