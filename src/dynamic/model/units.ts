/** @file Units: what may change the work for an input. An exit ends it, and a gate skips a block.
 *  Both share one account of cost. */
import { counted } from "../../core/units.js";
import type { ValueName } from "../../graph/graph.js";

/** One exit of a model. */
export interface Exit {
  /** The exit's name, which is the name of its output. */
  readonly name: string;
  /** The value that holds its logits, [n, classes]. */
  readonly logits: ValueName;
  /** The output of the file: the logits, or the probabilities that the file computes from them. */
  readonly output: ValueName;
  /** The last value that separates the work for this exit and later exits from the rest of the
   * network. Undefined for the final exit, and where no single value separates them. */
  readonly cut: ValueName | undefined;
  /** MACs of one sample from the input up to and including this exit, with earlier heads and with
   * all gates open. */
  readonly macs: number;
  /** The same with all gates closed. The gates' own networks always run. */
  readonly baseMacs: number;
  /** `macs` divided by the MACs of the final exit. */
  readonly costFraction: number;
}

/** A gate: it decides for each input whether a block runs. The graph multiplies the branch of the
 * block by the gate's value. */
export interface Gate {
  /** The gate's name. */
  readonly name: string;
  /** The gate's score, float32 [n]. The gate is open when the score reaches its threshold. */
  readonly score: ValueName;
  /** 1 where the gate is open and 0 where it is closed, float32 [n,1,1,1]. */
  readonly value: ValueName;
  /** What the value multiplies: the last value of the work that a closed gate saves. */
  readonly branch: ValueName;
  /** MACs that one sample saves when the gate is closed: nodes whose results reach an exit only
   * through the branch. */
  readonly macs: number;
  /** `macs` divided by the MACs of the final exit. */
  readonly costFraction: number;
  /** The first exit behind the gate. A sample that stops at an earlier exit never meets the
   * gate. */
  readonly exit: number;
  /** The threshold that the graph compares the score with: 0, until a policy gives another. */
  readonly threshold: number;
}

/** What may change the work for an input. */
export type Unit = Exit | Gate;

/** The bit of a gate for one sample: 1 open, 0 closed. Undefined for a gate behind the exit where
 * the work stops. */
export type GateBit = 0 | 1 | undefined;

/** The units that ran for one sample. */
export interface Path {
  /** Exit where the work stops. */
  readonly stop: number;
  /** One bit per gate, in order. Absent for a network without gates. */
  readonly gates?: readonly GateBit[] | undefined;
}

/** The units of a model that its cost depends on. */
export interface Units {
  /** The exits by rising cost, the final one last. */
  readonly exits: readonly Pick<Exit, "macs">[];
  readonly gates: readonly Pick<Gate, "macs" | "exit">[];
}

/** MACs of one sample on its path: those of the exit taken with all gates closed, and those of the
 * open gates before it.
 * @example costOf(model, { stop: 2, gates: [1, 0, undefined] }); */
export function costOf({ exits, gates }: Units, { stop, gates: bits = [] }: Path): number {
  if (bits.length !== gates.length)
    throw new Error(`bug: a path has ${bits.length} bits for ${counted(gates.length, "gate")}`);
  const saved = gates.reduce((sum, { macs, exit }, k) => sum + (exit <= stop && bits[k] !== 1 ? macs : 0), 0);
  return (exits[stop] as Exit).macs - saved;
}

/** {@link costOf} as a share of the full network's cost. */
export function costShareOf(units: Units, path: Path): number {
  const full = (units.exits.at(-1) as Exit).macs;
  return full > 0 ? costOf(units, path) / full : 1;
}
