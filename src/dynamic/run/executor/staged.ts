/** @file The engine with one session for each stage. Samples of a stream wait between the stages.
 *  The deepest stage with a full batch runs next, so that samples finish early and batches stay
 *  full. When no batch is full, the first stage with samples runs next. */
import type { Tensor } from "../../../core/tensor.js";
import type { Session, Tensors } from "../../../runtime/backend.js";
import type { Policy } from "../../../schema/policy.js";
import { readingOf, routeReadings } from "../../route/route.js";
import type { Stage } from "../stages.js";
import { type Rows, type Ticket, takeFirst } from "./rows.js";
import type { Answered, SampleQueue, StageAnswer, StageRun } from "./sample-queue.js";
import { readBits, runStageSession } from "./stage-session.js";

/** A stage that is ready to run. */
export interface CompiledStage extends Stage {
  readonly session: Session;
}

export class StagedQueue implements SampleQueue {
  readonly #stages: readonly CompiledStage[];
  readonly #policy: Policy;
  readonly #batch: number;
  readonly #waiting: Rows[][];
  readonly #onRun: ((run: StageRun) => void) | undefined;

  constructor(stages: readonly CompiledStage[], policy: Policy, batch: number, onRun?: (run: StageRun) => void) {
    this.#stages = stages;
    this.#policy = policy;
    this.#batch = batch;
    this.#waiting = stages.map(() => []);
    this.#onRun = onRun;
  }

  /** Adds samples before the first stage. */
  enter(rows: Rows): void {
    this.#waiting[0]?.push(rows);
  }

  get waiting(): number {
    return this.#count(0);
  }

  get empty(): boolean {
    return this.#next() === undefined;
  }

  /** Number of samples that wait for a stage. */
  #count(stage: number): number {
    return this.#waiting[stage].reduce((sum, rows) => sum + rows.tickets.length, 0);
  }

  /** The stage to run. Undefined when the queue is empty. */
  #next(): number | undefined {
    const full = this.#waiting.findLastIndex((_, stage) => this.#count(stage) >= this.#batch);
    const at = full >= 0 ? full : this.#waiting.findIndex((blocks) => blocks.length > 0);
    return at < 0 ? undefined : at;
  }

  /** Runs the next stage on the samples that have waited longest.
   * @returns the samples that this run answers */
  async run(): Promise<Answered[]> {
    const at = this.#next();
    if (at === undefined) return [];
    const stage = this.#stages[at];
    const rows = takeFirst(this.#waiting[at], Math.min(this.#batch, this.#count(at)));
    const read = (ticket: Ticket, results: Tensors, row: number) => {
      readBits(ticket, stage.gates, results, row);
      return this.#read(ticket, at, rowOf(results[stage.logits] as Tensor<"float32">, row));
    };
    const { answered, remaining } = await runStageSession({ session: stage.session, kept: stage.kept, read }, rows);
    this.#onRun?.({ stage: at, rows: rows.tickets.length });
    if (remaining) this.#waiting[at + 1]?.push(remaining);
    return answered.map(({ ticket, answer }) => ({ index: ticket.index, answer }));
  }

  /** The answer when an exit fires. */
  #read({ readings, logits, bits }: Ticket, exit: number, row: Float32Array): StageAnswer | undefined {
    readings.push(readingOf(row, this.#policy, exit));
    logits.push(row);
    const routed = routeReadings(readings, this.#policy, this.#stages.length);
    return routed && { ...routed, ...(bits.length > 0 ? { gates: bits } : {}), logits: logits[routed.answer] };
  }
}

/** Copies a row, so that the memory of its batch can be freed. */
const rowOf = ({ data, dims }: Tensor<"float32">, row: number): Float32Array => {
  const classes = dims[1];
  return data.slice(row * classes, (row + 1) * classes);
};
