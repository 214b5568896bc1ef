/** @file The engine with one session for the whole network. The graph itself decides behind each
 *  exit whether to run the rest, and packs the samples that go on. Hidden values stay inside the
 *  session, so it is faster than a session for each stage (docs/decisions/0011). */
import type { Tensor } from "../../../core/tensor.js";
import type { ValueName } from "../../../graph/graph.js";
import type { Session, Tensors } from "../../../runtime/backend.js";
import type { GateBit } from "../../model/units.js";
import { withBits } from "../../route/route.js";
import { CONDITIONAL_OUTPUTS } from "../conditional/index.js";
import { type Rows, type Ticket, takeFirst } from "./rows.js";
import type { Answered, SampleQueue, StageRun } from "./sample-queue.js";

export interface ConditionalOptions {
  readonly input: ValueName;
  readonly stages: number;
  /** The first exit behind each gate. */
  readonly gates: readonly number[];
  readonly batch: number;
  readonly onRun?: ((run: StageRun) => void) | undefined;
}

export class ConditionalQueue implements SampleQueue {
  readonly #session: Session;
  readonly #options: ConditionalOptions;
  readonly #waiting: Rows[] = [];

  constructor(session: Session, options: ConditionalOptions) {
    this.#session = session;
    this.#options = options;
  }

  enter(rows: Rows): void {
    this.#waiting.push(rows);
  }

  get waiting(): number {
    return this.#waiting.reduce((sum, rows) => sum + rows.tickets.length, 0);
  }

  get empty(): boolean {
    return this.#waiting.length === 0;
  }

  async run(): Promise<Answered[]> {
    if (this.empty) return [];
    const { input, stages, gates, batch, onRun } = this.#options;
    const { tickets, values } = takeFirst(this.#waiting, Math.min(batch, this.waiting));
    const results = await this.#session.run({ [input]: values[input] });
    const answers = answersOf(tickets, results, gates);
    if (onRun) tell(onRun, stages, answers);
    return answers;
  }
}

function answersOf(tickets: readonly Ticket[], results: Tensors, gates: readonly number[]): Answered[] {
  const dataOf = (name: ValueName): Tensor["data"] => results[name].data;
  const { logits, exit, label, confidence } = CONDITIONAL_OUTPUTS;
  const [exits, labels, confidences] = [dataOf(exit), dataOf(label), dataOf(confidence)];
  const rows = dataOf(logits) as Float32Array;
  const classes = rows.length / tickets.length;
  return tickets.map(({ index }, row) => {
    const stop = Number(exits[row]);
    const answer = {
      stop,
      answer: stop,
      label: Number(labels[row]),
      confidence: confidences[row] as number,
      logits: rows.slice(row * classes, (row + 1) * classes),
    };
    return { index, answer: withBits(answer, bitsOfRow(results, row, gates.length), gates) };
  });
}

/** The bits that the graph says of a row, one per gate. */
export const bitsOfRow = (results: Tensors, row: number, gates: number): GateBit[] =>
  gates === 0
    ? []
    : Array.from(
        results[CONDITIONAL_OUTPUTS.gates].data.slice(row * gates, (row + 1) * gates) as BigInt64Array,
        (bit) => (bit === 1n ? 1 : 0),
      );

function tell(onRun: (run: StageRun) => void, stages: number, answers: readonly Answered[]): void {
  for (let stage = 0; stage < stages; stage++) {
    const rows = answers.filter(({ answer }) => answer.stop >= stage).length;
    if (rows > 0) onRun({ stage, rows });
  }
}
