/** @file One session for the whole network: the graph itself holds the rest of the work back behind each exit, and packs the samples that go on.
 *  Hidden values never leave the engine, which is what makes it faster than a session for each stage (docs/decisions/0011). */
import type { Tensor } from "../../core/tensor.js";
import type { ValueName } from "../../graph/graph.js";
import type { Session } from "../../runtime/backend.js";
import { CONDITIONAL_OUTPUTS } from "../conditional/index.js";
import type { Answered, Line, StageRun } from "./line.js";
import { type Rows, type Ticket, takeFirst } from "./rows.js";

export interface ConditionalOptions {
  readonly input: ValueName;
  readonly stages: number;
  readonly batch: number;
  readonly onRun?: ((run: StageRun) => void) | undefined;
}

export class ConditionalLine implements Line {
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
    const { input, stages, batch, onRun } = this.#options;
    const { tickets, values } = takeFirst(this.#waiting, Math.min(batch, this.waiting));
    const results = await this.#session.run({ [input]: values[input] as Tensor });
    const { logits, exit, label, confidence } = CONDITIONAL_OUTPUTS;
    const numbers = (name: ValueName): number[] => Array.from((results[name] as Tensor).data, Number);
    const [stops, labels, confidences] = [numbers(exit), numbers(label), numbers(confidence)];
    const rows = (results[logits] as Tensor<"float32">).data;
    const classes = rows.length / tickets.length;
    for (let stage = 0; onRun && stage < stages; stage++) {
      const count = stops.filter((stop) => stop >= stage).length;
      if (count > 0) onRun({ stage, rows: count });
    }
    return tickets.map(({ index }: Ticket, row) => ({
      index,
      answer: {
        stop: stops[row] as number,
        answer: stops[row] as number,
        label: labels[row] as number,
        confidence: confidences[row] as number,
        logits: rows.slice(row * classes, (row + 1) * classes),
      },
    }));
  }
}
