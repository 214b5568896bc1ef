/** @file The table of gate mechanisms by name. */
import type { GateMechanism } from "./mechanism.js";
import { policyGate } from "./policy.js";
import { pooledGate } from "./pooled.js";
import { recurrentGate } from "./recurrent.js";

/** Mechanisms whose scores a straight-through gradient trains. */
export const GATES = {
  pooled: { about: "the mean of the block's input, then two layers (ConvNet-AIG, 2018)", mechanism: pooledGate },
  recurrent: {
    about: "the mean of the block's input, then an LSTM that all gates share (SkipNet, 2018)",
    mechanism: recurrentGate,
  },
  policy: { about: "a small ResNet on the image, for all blocks at once (BlockDrop, 2018)", mechanism: policyGate },
} as const satisfies Record<string, { readonly about: string; readonly mechanism: GateMechanism }>;

/** The name of a gate mechanism. */
export type GateName = keyof typeof GATES;

/** Parameters of gates, by their names. */
export const GATE_PARAMETER = /(^|\.)gate\./;
