/** @file The entry `dynn.gates` of a model file. */
import type { TrainedGate } from "./attach.js";

const KEY = "dynn.gates";

/** The entry of a file that has gates already. Its values keep their names while the network is
 * trained, and while exits are attached. */
export const statedGates = (metadata: ReadonlyMap<string, string>): readonly (readonly [key: string, json: string])[] =>
  [...metadata].filter(([key]) => key === KEY);

/** The metadata that state gates: their names, scores, values and branches. None without gates. */
export const gateEntries = (gates: readonly TrainedGate[]): readonly (readonly [key: string, json: string])[] =>
  gates.length === 0
    ? []
    : [[KEY, JSON.stringify(gates.map(({ name, score, value, branch }) => ({ name, score, value, branch })))]];
