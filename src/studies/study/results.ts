/** @file Reads the results of tasks: answers of every exit, outcomes of attacks, policies. */
import { present } from "../../core/present.js";
import { readParquet } from "../../data/parquet.js";
import type { GateBit } from "../../dynamic/model/units.js";
import { type Routed, routeReadings, withBits } from "../../dynamic/route/route.js";
import type { Policy } from "../../schema/policy.js";
import { singleExitPolicy } from "../../schema/policy.js";
import {
  ANSWER_COLUMNS,
  type AnswerRow,
  GATE_ROW_COLUMNS,
  type GateRow,
  LATENCY_COLUMNS,
  type LatencyRow,
  OUTCOME_COLUMNS,
  type OutcomeRow,
  PACE_COLUMNS,
  type PaceRow,
  SLOPE_COLUMNS,
  type SlopeRow,
} from "../../schema/study/tables.js";
import { ANSWERS_FILE, GATE_ROWS_FILE } from "../tasks/kinds/answers.js";
import { SLOPES_FILE } from "../tasks/kinds/finite-differences.js";
import { LATENCY_FILE } from "../tasks/kinds/latency.js";
import { OUTCOMES_FILE } from "../tasks/kinds/opened.js";
import { PACE_FILE } from "../tasks/kinds/pace.js";
import { POLICY_FILE, readPolicy } from "../tasks/kinds/policy.js";
import { TRAINING_FILE, type Trained, trainedSchema } from "../tasks/kinds/train.js";
import type { Manifest, TaskStore } from "../tasks/store.js";
import type { TaskKey } from "../tasks/task.js";

/** The answers of every exit of a network for some images. */
export interface Answers {
  /** Record numbers, one per image. */
  readonly samples: readonly number[];
  /** True classes, one per image. */
  readonly labels: readonly number[];
  /** The answered class: one list per image, one entry per exit. */
  readonly answers: readonly (readonly number[])[];
  /** The confidence, in the same form. */
  readonly confidences: readonly (readonly number[])[];
  /** The margin of the true class, in the same form. */
  readonly margins: readonly (readonly number[])[];
  /** The gates of the network. Undefined for a network without gates. */
  readonly gates?: GateAnswers | undefined;
}

/** What the gates of a network do for some images. */
export interface GateAnswers {
  /** The first exit behind each gate. */
  readonly exits: readonly number[];
  /** One list per image, one bit per gate. */
  readonly bits: readonly (readonly GateBit[])[];
}

/** Reads results from a store. Each file is read once. */
export class StudyResults {
  readonly #store: TaskStore;
  readonly #read = new Map<string, Promise<unknown>>();

  constructor(store: TaskStore) {
    this.#store = store;
  }

  /** @throws Error, as a bug of dynn, when the task is not done */
  async manifest(key: TaskKey): Promise<Manifest> {
    return present(await this.#store.manifest(key), `the result of task ${key}`);
  }

  answers(key: TaskKey): Promise<Answers> {
    return this.#once(key, ANSWERS_FILE, async (bytes) => {
      const answers = answersOf(await readParquet(bytes, ANSWER_COLUMNS, ANSWERS_FILE));
      return { ...answers, gates: await this.#gates(key, answers.samples.length) };
    });
  }

  async #gates(key: TaskKey, images: number): Promise<GateAnswers | undefined> {
    if (!Object.hasOwn((await this.manifest(key)).files, GATE_ROWS_FILE)) return undefined;
    return this.#once(key, GATE_ROWS_FILE, async (bytes) =>
      gatesOf(await readParquet(bytes, GATE_ROW_COLUMNS, GATE_ROWS_FILE), images),
    );
  }

  outcomes(key: TaskKey): Promise<OutcomeRow[]> {
    return this.#once(key, OUTCOMES_FILE, (bytes) => readParquet(bytes, OUTCOME_COLUMNS, OUTCOMES_FILE));
  }

  latency(key: TaskKey): Promise<LatencyRow[]> {
    return this.#once(key, LATENCY_FILE, (bytes) => readParquet(bytes, LATENCY_COLUMNS, LATENCY_FILE));
  }

  slopes(key: TaskKey): Promise<SlopeRow[]> {
    return this.#once(key, SLOPES_FILE, (bytes) => readParquet(bytes, SLOPE_COLUMNS, SLOPES_FILE));
  }

  pace(key: TaskKey): Promise<PaceRow[]> {
    return this.#once(key, PACE_FILE, (bytes) => readParquet(bytes, PACE_COLUMNS, PACE_FILE));
  }

  trained(key: TaskKey): Promise<Trained> {
    return this.#once(key, TRAINING_FILE, async (bytes) =>
      trainedSchema.parse(JSON.parse(new TextDecoder().decode(bytes))),
    );
  }

  /** @param key undefined: that of a network with one exit */
  policy(key: TaskKey | undefined): Promise<Policy> {
    if (key === undefined) return Promise.resolve(singleExitPolicy());
    return this.#once(key, POLICY_FILE, async (bytes) => readPolicy(bytes));
  }

  #once<T>(key: TaskKey, file: string, parse: (bytes: Uint8Array) => Promise<T>): Promise<T> {
    const name = `${key}/${file}`;
    const read = this.#read.get(name) ?? this.manifest(key).then(async (m) => parse(await this.#store.file(m, file)));
    this.#read.set(name, read);
    return read as Promise<T>;
  }
}

/** Rows come samples first, each with all exits in order. */
export function answersOf(rows: readonly AnswerRow[]): Answers {
  const exits = 1 + rows.reduce((most, { exit }) => Math.max(most, exit), 0);
  const count = rows.length / exits;
  const at = (i: number): AnswerRow => present(rows[i * exits], `row of image ${i}`);
  const field = (name: "answer" | "confidence" | "margin"): number[][] =>
    Array.from({ length: count }, (_, i) => rows.slice(i * exits, (i + 1) * exits).map((row) => row[name]));
  const images = Array.from({ length: count }, (_, i) => at(i));
  return {
    samples: images.map(({ sample }) => sample),
    labels: images.map(({ label }) => label),
    answers: field("answer"),
    confidences: field("confidence"),
    margins: field("margin"),
  };
}

/** Rows come samples first, each with all gates in order. */
function gatesOf(rows: readonly GateRow[], images: number): GateAnswers {
  const each = rows.length / images;
  const bits = Array.from({ length: images }, (_, i) =>
    rows.slice(i * each, (i + 1) * each).map(({ open }): GateBit => (open ? 1 : 0)),
  );
  return { exits: rows.slice(0, each).map(({ exit }) => exit), bits };
}

/** Where each image stops under a policy, and what is answered.
 * @param exits the exits that are kept, the last one as the final exit. Undefined: all. `stop` and
 *  `answer` are places among them */
export function routedAnswers(
  { answers, confidences, gates }: Pick<Answers, "answers" | "confidences" | "gates">,
  policy: Policy,
  exits?: readonly number[],
): Routed[] {
  return answers.map((row, i) => {
    const kept = exits ?? row.map((_, k) => k);
    const readings = kept.map((k) => ({ label: row[k], confidence: confidences[i][k] }));
    const routed = present(routeReadings(readings, policy, kept.length), "the routed answer");
    return gates ? withBits(routed, gates.bits[i], gates.exits) : routed;
  });
}
