/** @file Runs the session of one stage on a batch, and separates answered samples from the rest. */
import type { Tensor } from "../../../core/tensor.js";
import type { ValueName } from "../../../graph/graph.js";
import type { Session, Tensors } from "../../../runtime/backend.js";
import { bitOf } from "../../route/route.js";
import type { StageGate } from "../stages.js";
import { pick, type Rows, type Ticket } from "./rows.js";

export interface StageSession<A> {
  readonly session: Session;
  /** Hidden values that later stages need of a sample that goes on. */
  readonly kept: readonly ValueName[];
  /** Reads the results of a sample.
   * @returns the sample's answer when an exit fires */
  readonly read: (ticket: Ticket, results: Tensors, row: number) => A | undefined;
}

export interface StageOutcome<A> {
  /** In the order of the rows. */
  readonly answered: readonly { readonly ticket: Ticket; readonly answer: A }[];
  readonly remaining: Rows | undefined;
}

/** Reads the bits of gates for one row.
 * @param gates the gates whose scores are among the results */
export function readBits({ bits }: Ticket, gates: readonly StageGate[], results: Tensors, row: number): void {
  for (const { gate, score, threshold } of gates)
    bits[gate] = bitOf((results[score] as Tensor<"float32">).data[row], threshold);
}

/** Runs the session of a stage, or of a part with several exits.
 * @param rows samples with the values that the session reads
 * @throws DynnError 'runtime/run' */
export async function runStageSession<A>(
  { session, kept, read }: StageSession<A>,
  rows: Rows,
): Promise<StageOutcome<A>> {
  const feeds = session.inputs.map((name) => [name, rows.values[name]] as const);
  const results = await session.run(Object.fromEntries(feeds));
  const answers = rows.tickets.map((ticket, row) => read(ticket, results, row));
  const places = [...answers.keys()].filter((row) => answers[row] === undefined);
  const known = { tickets: rows.tickets, values: { ...rows.values, ...results } };
  return {
    answered: rows.tickets.flatMap((ticket, row) => {
      const answer = answers[row];
      return answer === undefined ? [] : [{ ticket, answer }];
    }),
    remaining: places.length > 0 ? pick(known, kept, places) : undefined,
  };
}
