import type { ValueName } from "../../../graph/graph.js";
import type { Session, Tensors } from "../../../runtime/backend.js";
import { pick, type Rows, type Ticket } from "./rows.js";

export interface Piece<A> {
  readonly session: Session;
  /** Hidden values that a sample takes along when it goes on. */
  readonly kept: readonly ValueName[];
  /** Note what the results say of a sample.
   * @returns its answer, once an exit fires */
  readonly read: (ticket: Ticket, results: Tensors, row: number) => A | undefined;
}

export interface Parted<A> {
  /** In the order of the rows. */
  readonly answered: readonly { readonly ticket: Ticket; readonly answer: A }[];
  readonly left: Rows | undefined;
}

/** Run a piece.
 * @param rows samples with the values that the piece reads
 * @throws DynnError 'runtime/run' */
export async function runPiece<A>({ session, kept, read }: Piece<A>, rows: Rows): Promise<Parted<A>> {
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
    left: places.length > 0 ? pick(known, kept, places) : undefined,
  };
}
