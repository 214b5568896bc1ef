/** @file Runs one part of a bundle on rows of samples. It answers the samples of which an exit is
 *  confident, and passes on the others.
 *  Device and server each run one part. A staged bundle is a chain of parts. Rows and routing come
 *  from the executor. */
import type { Tensor } from "../../core/tensor.js";
import type { GateBit } from "../../dynamic/model/units.js";
import { forcedBits, type Routed, readingOf, routeReadings, withBits } from "../../dynamic/route/route.js";
import type { Rows, Ticket } from "../../dynamic/run/executor/rows.js";
import { readBits, runStageSession, type StageOutcome } from "../../dynamic/run/executor/stage-session.js";
import type { Backend, Session, Tensors } from "../../runtime/backend.js";
import { gateThresholds } from "../../schema/policy.js";
import type { BundlePart } from "../bundle.js";
import type { Manifest, ManifestPart } from "../manifest.js";

/** A part that is ready to run. */
export interface CompiledPart {
  readonly part: ManifestPart;
  readonly session: Session;
}

/** Compile all parts or none.
 * @throws DynnError 'runtime/load' */
export async function compileParts(parts: readonly BundlePart[], backend: Backend): Promise<CompiledPart[]> {
  const compiled: CompiledPart[] = [];
  try {
    for (const part of parts) compiled.push({ part, session: await backend.compile(part.graph) });
    return compiled;
  } catch (error) {
    await releaseParts(compiled);
    throw error;
  }
}

export const releaseParts = async (parts: readonly CompiledPart[]): Promise<void> => {
  await Promise.all(parts.map(({ session }) => session.release()));
};

/** Run a part.
 * @param rows samples with the values that the part reads, and the readings of all earlier exits
 * @returns the answered samples, in order, and the rows of the others with the values that later
 *   parts read
 * @throws DynnError 'runtime/run' */
export function runPart(
  { part, session }: CompiledPart,
  rows: Rows,
  { policy, exits, gates = [] }: Pick<Manifest, "policy" | "exits" | "gates">,
): Promise<StageOutcome<Routed>> {
  const behind = gates.map(({ exit }) => exit);
  const read = (ticket: Ticket, results: Tensors, row: number): Routed | undefined => {
    readBits(ticket, part.gates ?? [], results, row);
    for (const { exit, logits } of part.exits)
      ticket.readings.push(readingOf(rowOf(results[logits] as Tensor<"float32">, row), policy, exit));
    const routed = routeReadings(ticket.readings, policy, exits.length);
    return routed && withBits(routed, ticket.bits, behind);
  };
  return runStageSession({ session, kept: part.kept, read }, rows);
}

const rowOf = ({ data, dims }: Tensor<"float32">, row: number): Float32Array => {
  const classes = dims[1];
  return data.subarray(row * classes, (row + 1) * classes);
};

/** The bits of a sample before any part has run. */
export const firstBits = ({ policy, gates = [] }: Pick<Manifest, "policy" | "gates">): GateBit[] =>
  forcedBits(gateThresholds(policy, gates.length));
