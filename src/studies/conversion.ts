/** @file The record of a conversion, from its plan, its training and its measurements. */
import { showShape } from "../core/shape.js";
import { VERSION } from "../core/version.js";
import { notesOf } from "../data/dataset.js";
import { CONFIDENCE } from "../dynamic/choose/careful.js";
import type { Interval } from "../measures/mean.js";
import { pairedDifference } from "../measures/statistics/index.js";
import { wilson, Z95 } from "../measures/wilson.js";
import {
  CONVERSION_SCHEMA_VERSION,
  type ConversionRecord,
  conversionRecordSchema,
} from "../schema/conversion-record.js";
import { digestRecord, type Made, madeRecord } from "../schema/made.js";
import type { ModelCard } from "../schema/model-card.js";
import { policyRecord } from "../schema/policy.js";
import type { Speeds } from "../schema/speed.js";
import { steadinessOf } from "../schema/steadiness.js";
import type { CalibrationTarget } from "../schema/target.js";
import type { EpochReport } from "../schema/training.js";
import type { ConversionPlan } from "../training/convert/plan.js";
import type { Measurement, Tally } from "../training/convert/policy.js";
import type { TrainingPlan } from "../training/run/plan.js";
import { bestEpoch } from "../training/run/stopping.js";
import { chanceWarnings } from "./chance.js";

/** What a conversion gave. */
export interface FinishedConversion {
  readonly conversion: ConversionPlan;
  readonly plan: TrainingPlan;
  readonly epochs: readonly EpochReport[];
  readonly card: ModelCard;
  readonly measured: Measurement;
  /** Undefined: no policy was asked for. */
  readonly target: CalibrationTarget | undefined;
  readonly speeds: Speeds | undefined;
  /** The SHA-256 of the file that was converted. */
  readonly sha256?: string | undefined;
  /** The run. */
  readonly made?: Made | undefined;
}

/** Makes the record. */
export function conversionRecord(finished: FinishedConversion): ConversionRecord {
  const { conversion, plan, card, measured, target, speeds, made } = finished;
  const { train, validation, test } = plan.data;
  const final = wilson(measured.validation.right.at(-1) ?? 0, measured.validation.count);
  const isLoss = target?.kind === "rad" || target?.kind === "drop";
  return conversionRecordSchema.parse({
    schemaVersion: CONVERSION_SCHEMA_VERSION,
    tool: { name: "dynn", version: VERSION },
    ...madeRecord(made),
    model: {
      name: conversion.name,
      ...digestRecord(finished),
      parameters: card.parameters,
      classes: conversion.classes,
    },
    data: {
      train: card.data.train,
      validation: card.data.validation,
      test: card.data.test,
      notes: notesOf(train, validation, test),
    },
    warnings: chanceWarnings(conversion, validation, final),
    target: target ?? null,
    ...(isLoss ? { confidence: CONFIDENCE } : {}),
    cost: plan.placement?.cost ?? null,
    placesSteadiness: plan.placement?.cost === "time" ? steadinessOf(plan.placement.roundSpread) : undefined,
    places: conversion.places.map(({ shape, ...place }) => ({ ...place, shape: showShape(shape) })),
    training: trainingOf(finished),
    exits: exitsOf(finished),
    policy: measured.policy ? policyRecord(measured.policy) : null,
    outcome: outcomeOf(measured),
    speeds,
  });
}

function trainingOf({ plan, epochs }: FinishedConversion): ConversionRecord["training"] {
  const { recipe, batch, epochs: planned } = plan.config;
  const perEpoch = Math.floor(plan.data.train.count / batch);
  return {
    recipe,
    batch,
    steps: epochs.length * perEpoch,
    planned: planned * perEpoch,
    bestStep: (bestEpoch(epochs) + 1) * perEpoch,
    seconds: epochs.reduce((sum, epoch) => sum + epoch.seconds, 0),
    curve: epochs.map(({ step, trainAccuracy, validationAccuracy }) => ({
      step,
      train: [...trainAccuracy],
      validation: [...validationAccuracy],
    })),
  };
}

function exitsOf({ card, epochs }: FinishedConversion): ConversionRecord["exits"] {
  const learned = epochs[bestEpoch(epochs)]?.trainAccuracy ?? [];
  return card.exits.map(({ name, macs, costFraction, validation, test }, k) => ({
    name,
    macs,
    costFraction,
    train: learned[k] ?? 0,
    validation: wilson(validation.right, validation.count),
    test: test && wilson(test.right, test.count),
  }));
}

/** The result under the policy on records that did not choose it. */
function outcomeOf({ test, held }: Measurement): ConversionRecord["outcome"] {
  const tally = test ?? held;
  if (!tally?.routed) return null;
  const { count, right, routed } = tally;
  return {
    records: test ? "test" : "validation",
    samples: count,
    final: wilson(right.at(-1) ?? 0, count),
    accuracy: wilson(routed.right, count),
    lost: pairedDifference(routed.onlyFinal, routed.onlyRouted, count),
    meanCostFraction: costInterval(routed, count),
  };
}

/** The mean cost with its 95 % interval, mean +- 1.96 standard errors. */
function costInterval({ cost, costSquare }: NonNullable<Tally["routed"]>, count: number): Interval {
  const variance = (Math.max(0, costSquare - cost * cost) * count) / Math.max(1, count - 1);
  const half = Z95 * Math.sqrt(variance / count);
  return { value: cost, low: Math.max(0, cost - half), high: Math.min(1, cost + half) };
}
