/** @file A made-up audit with the shape and size of a real one, and images from formulas. Numbers follow resnet20-sdn loosely. */

import { efficacyStep, efficacyTrapezoid } from "../../src/measures/eec.js";
import { wilson } from "../../src/measures/wilson.js";
import type { AttackRecord, AuditRecord, ExitView, GalleryItem } from "../../src/schema/audit-record.js";

const N = 256;
const COSTS = [0.178, 0.402, 0.623, 0.748, 1];
const NAMES = ["exit0", "exit1", "exit2", "exit3", "final"];
export const CLASSES = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"];

const meanCost = (exitCounts: readonly number[]): number => 1 - efficacyStep(exitCounts, COSTS);

interface Brief {
  readonly name: string;
  readonly goal: string;
  readonly method: string;
  readonly norm: AttackRecord["norm"];
  readonly radius: number | null;
  readonly answer: string;
  readonly robust: number;
  readonly routedRight: number;
  readonly exitCounts: number[];
  readonly perExit: number[];
  readonly parameters: AttackRecord["parameters"];
  readonly early?: AttackRecord["early"];
  readonly l2Mean?: number | null;
}

function attack(brief: Brief): AttackRecord {
  const { name, goal, method, norm, radius, answer, exitCounts, parameters } = brief;
  const eligible = answer === "final" ? 218 : 215;
  return {
    name,
    goal,
    method,
    access: "gradient",
    norm,
    radius,
    answer,
    parameters,
    eligible,
    samples: N,
    robustAccuracy: wilson(brief.robust, N),
    successRate: wilson(Math.max(0, eligible - brief.robust), eligible),
    success8bit: wilson(Math.max(0, eligible - brief.robust - 3), eligible),
    accuracyPerExit: brief.perExit,
    routed: { accuracy: brief.routedRight / N, meanCostFraction: meanCost(exitCounts), exitCounts },
    efficacy: efficacyTrapezoid(exitCounts, COSTS),
    efficacyStep: efficacyStep(exitCounts, COSTS),
    l2Mean: brief.l2Mean === undefined ? 0.2059 : brief.l2Mean,
    linfMax: brief.l2Mean === null ? null : (radius ?? 0.0577),
    ...(brief.early ? { early: brief.early } : {}),
    successes: Math.max(0, eligible - brief.robust),
    normMedian: brief.l2Mean === null ? null : 0.0157,
    normMean: null,
    gradientEvaluations: N * 20,
    queries: N * 21,
    queriesMedian: 7,
    queryQuartiles: [4, 11],
    macs: { forward: N * 21 * 41_283_072, backward: N * 20 * 80_000_000 },
    macsToSuccess: 7 * 121_283_072,
    health: [],
    seconds: 7.43,
  };
}

const CLEAN_COUNTS = [61, 66, 46, 20, 63];

export const record: AuditRecord = {
  schemaVersion: 2,
  tool: { name: "dynn", version: "0.1.0" },
  model: {
    name: "resnet20-sdn",
    classes: CLASSES,
    input: ["n", 3, 32, 32],
    parameters: 283_402,
    exits: NAMES.map((name, i) => ({ name, macs: Math.round(COSTS[i] * 41_283_072), costFraction: COSTS[i] })),
  },
  data: {
    name: "cifar10 sample",
    samples: N,
    seed: 7,
    validation: { name: "cifar10 sample, records 256–499", samples: 244 },
  },
  clean: {
    accuracyPerExit: [171, 194, 210, 215, 218].map((right) => right / N),
    accuracyIntervals: [171, 194, 210, 215, 218].map((right) => wilson(right, N)),
    routed: {
      accuracy: 215 / N,
      meanCostFraction: meanCost(CLEAN_COUNTS),
      exitCounts: CLEAN_COUNTS,
      rule: "max-softmax",
      thresholds: [0.8, 0.8, 0.8, 0.8],
      fallback: "final",
    },
    efficacy: efficacyTrapezoid(CLEAN_COUNTS, COSTS),
    efficacyStep: efficacyStep(CLEAN_COUNTS, COSTS),
    overthinking: { wasteful: 121 / N, destructive: 19 / N },
    underthinking: 11 / N,
    confusion: { right: -0.21, wrong: 0.64 },
  },
  attacks: [
    attack({
      name: "fgsm-linf",
      goal: "misclassify:final",
      method: "fgsm",
      norm: "linf",
      radius: 1 / 255,
      answer: "final",
      robust: 106,
      routedRight: 131,
      exitCounts: [38, 49, 47, 26, 96],
      perExit: [0.52, 0.55, 0.53, 0.49, 0.414],
      parameters: { loss: "ce" },
    }),
    attack({
      name: "pgd-linf",
      goal: "misclassify:final",
      method: "pgd",
      norm: "linf",
      radius: 1 / 255,
      answer: "final",
      robust: 63,
      routedRight: 109,
      exitCounts: [42, 51, 45, 31, 87],
      perExit: [0.5, 0.52, 0.48, 0.39, 0.246],
      parameters: { steps: 20, stepSize: 0.25 / 255, randomStart: false, restarts: 1 },
    }),
    attack({
      name: "pgd-routed",
      goal: "routed",
      method: "pgd",
      norm: "linf",
      radius: 1 / 255,
      answer: "routed",
      robust: 31,
      routedRight: 31,
      exitCounts: [88, 62, 40, 21, 45],
      perExit: [0.29, 0.33, 0.38, 0.41, 0.44],
      parameters: { steps: 20, stepSize: 0.25 / 255, randomStart: false, restarts: 1 },
    }),
    attack({
      name: "slowdown",
      goal: "slowdown",
      method: "pgd",
      norm: "linf",
      radius: 8 / 255,
      answer: "routed",
      robust: 54,
      routedRight: 54,
      exitCounts: [0, 0, 0, 2, 254],
      perExit: [0.21, 0.2, 0.22, 0.2, 0.211],
      parameters: { steps: 30, stepSize: 2 / 255, randomStart: true, restarts: 1 },
    }),
    attack({
      name: "early-published",
      goal: "early:published",
      method: "adam-tanh",
      norm: "l2",
      radius: null,
      answer: "routed",
      robust: 19,
      routedRight: 19,
      exitCounts: [40, 66, 60, 40, 50],
      perExit: [0.02, 0.03, 0.02, 0.04, 0.84],
      parameters: { alpha: 0.1, steps: 1000, stepSize: 0.01 },
      early: { labels: wilson(250, N), firing: wilson(181, N), alreadyDisagree: 11 },
      l2Mean: 1.807,
    }),
  ],
  curves: [
    {
      name: "pgd-linf",
      norm: "linf",
      points: [
        [0, 218],
        [0.25, 184],
        [0.5, 139],
        [1, 63],
        [2, 9],
        [4, 0],
      ].map(([steps, right]) => ({ radius: steps / 255, robustAccuracy: wilson(right, N) })),
    },
    {
      name: "pgd-routed",
      norm: "linf",
      points: [
        [0, 215],
        [0.25, 160],
        [0.5, 102],
        [1, 31],
        [2, 2],
        [4, 0],
      ].map(([steps, right]) => ({ radius: steps / 255, robustAccuracy: wilson(right, N) })),
    },
    {
      name: "pgd-l2",
      norm: "l2",
      points: [
        [0, 218],
        [0.0625, 166],
        [0.125, 81],
        [0.25, 8],
      ].map(([radius, right]) => ({ radius, robustAccuracy: wilson(right, N) })),
    },
  ],
  seconds: 96.2,
};

/** The same network with its final exit only, under one attack. */
export const staticRecord: AuditRecord = {
  ...record,
  model: { ...record.model, name: "resnet20", exits: record.model.exits.slice(-1) },
  clean: {
    accuracyPerExit: [218 / N],
    accuracyIntervals: [wilson(218, N)],
    routed: {
      accuracy: 218 / N,
      meanCostFraction: 1,
      exitCounts: [N],
      rule: "max-softmax",
      thresholds: [],
      fallback: "final",
    },
    efficacy: 0.5,
    efficacyStep: 0,
    overthinking: { wasteful: 0, destructive: 0 },
  },
  attacks: [
    {
      ...record.attacks[1],
      accuracyPerExit: [63 / N],
      routed: { accuracy: 63 / N, meanCostFraction: 1, exitCounts: [N] },
      efficacy: 0.5,
      efficacyStep: 0,
    },
  ],
  curves: [],
};

/** `count` images of `side` x `side` pixels: smooth colour waves, a sign pattern as attack. */
export function galleryOf(count: number, side = 32): GalleryItem[] {
  return Array.from({ length: count }, (_, i) => imageItem(i, side));
}

function imageItem(index: number, side: number): GalleryItem {
  const wave = (k: number): number => 128 + 100 * Math.sin(k / (17 + index)) * Math.cos(k / (29 * side));
  const sign = (k: number): number => (((k * 2654435761) >>> 0) % 3) - 1;
  const original = Uint8Array.from({ length: 3 * side * side }, (_, k) => wave(k));
  const [label, other] = [index % 10, (index + 3) % 10];
  const early = index % 3;
  return {
    attack: record.attacks[index % record.attacks.length].name,
    sample: 11 * index + 3,
    label,
    width: side,
    height: side,
    channels: 3,
    original,
    adversarial: original.map((value, k) => value + sign(k)),
    difference: original.map((_, k) => 128 + 40 * sign(k)),
    magnification: 40,
    l2: 0.2171,
    linf: 1 / 255,
    clean: view([label, label, label, label, label], early, [0.83, 0.91, 0.95, 0.96, 0.99]),
    attacked: view(
      [other, other, label, other, index % 2 ? label : other],
      Math.max(0, early - 1),
      [0.81, 0.85, 0.52, 0.77, 0.64],
    ),
  };
}

const view = (labels: readonly number[], stop: number, confidences: readonly number[]): ExitView => ({
  labels,
  confidences,
  stop,
  answer: labels[stop],
});
