/** @file What records say of a network's units: its gates, and its kind in words. */
import { z } from "zod";
import { share } from "./numbers.js";

/** The field of a record's model that holds its gates. Absent for a network without gates. */
export const gateFields = {
  gates: z
    .array(
      z.object({
        name: z.string(),
        macs: z.number().min(0).describe("saved when the gate is closed"),
        costFraction: share.describe("the same as a share of the full network's MACs"),
        exit: z.string().describe("the first exit behind the gate"),
      }),
    )
    .optional()
    .describe("the gates in order; absent: the network has none"),
};

const gatesSchema = z.object(gateFields);
export type GateRecords = z.infer<typeof gatesSchema>;

interface Units {
  readonly exits: readonly { readonly name: string }[];
  readonly gates: readonly {
    readonly name: string;
    readonly macs: number;
    readonly costFraction: number;
    readonly exit: number;
  }[];
}

/** The gates of a model as records hold them. */
export const gateRecords = ({ exits, gates }: Units): GateRecords =>
  gates.length === 0
    ? {}
    : {
        gates: gates.map(({ name, macs, costFraction, exit }) => ({
          ...{ name, macs, costFraction },
          exit: exits[exit].name,
        })),
      };

interface Listed {
  readonly exits: readonly unknown[];
  readonly gates?: readonly unknown[] | undefined;
}

/** Whether any unit may change the work: an early exit or a gate. A static network has none, so a
 * policy has nothing to choose for it. */
export const isRoutable = ({ exits, gates = [] }: Listed): boolean => exits.length > 1 || gates.length > 0;

/** The number of exits and gates in words. */
export function showUnits({ exits, gates = [] }: Listed): string {
  const ends = exits.length === 1 ? "one exit" : `${exits.length} exits`;
  return gates.length === 0 ? ends : `${ends} and ${gates.length === 1 ? "one gate" : `${gates.length} gates`}`;
}

/** The kind of a network in words. */
export function showKind(units: Listed): string {
  if (!isRoutable(units)) return "a static network";
  if (units.exits.length === 1) return `a network that skips blocks, ${showUnits(units)}`;
  return `an early-exit network, ${showUnits(units)}`;
}

/** The bits of all gates as text: 1 open, 0 closed, - behind the exit where the work stopped.
 * @example showBits([1, 0, undefined]); // "10-" */
export const showBits = (bits: readonly (0 | 1 | undefined)[]): string => bits.map((bit) => bit ?? "-").join("");
