/** @file A conversion before its first step: the model with new heads, the data, and the run that trains them. */
import { basename } from "node:path";
import { DynnError } from "../core/errors.js";
import { type ConversionPlan, checkPolicyData, conversionConfig, planConversion } from "../training/convert.js";
import type { ConvertFlags } from "./convert-options.js";
import { openOnnx } from "./files.js";
import { normalizationOf } from "./normalization-options.js";
import { openTrainingData } from "./train-data.js";
import { digestOf } from "./train-network.js";
import { choicesOf } from "./train-options.js";
import { type Plan, settled } from "./train-plan.js";

export interface ConvertPlan {
  readonly conversion: ConversionPlan;
  readonly run: Plan;
}

/** Settle a conversion.
 * @throws DynnError what reading model and data and `planConversion` throw; 'cli/usage', 'training/config', 'policy/validation' */
export async function prepareConversion(spec: string, flags: ConvertFlags): Promise<ConvertPlan> {
  const normalization = normalizationOf(flags);
  const { source, name } = await openOnnx(spec);
  const data = await openTrainingData(flags);
  if (flags.policy) checkPolicyData(data.validation);
  const { exits, head, seed } = flags;
  const conversion = planConversion(source, data.train, { name, exits, head, seed, ...normalization });
  const config = conversionConfig(flags.recipe, choicesOf(flags), { name, train: data.train });
  if (config.batch > data.train.count)
    throw new DynnError(
      "training/config",
      `--batch ${config.batch}: there are ${data.train.count} records to train on, expected at least one batch. Give a smaller --batch, or more data.`,
      { batch: config.batch, records: data.train.count },
    );
  const { model } = conversion;
  const network = {
    name: basename(name, ".onnx"),
    model,
    normalization: conversion.normalization,
    digest: digestOf(model.graph),
    note: undefined,
  };
  const origin = { architecture: basename(spec), width: null, init: null };
  return { conversion, run: settled({ flags, origin, data, network, config }) };
}
