/** @file Runs tasks one after the other in this process. Networks and records are in memory, and so
 *  are the results: nothing becomes bytes. `audit` and its like run this way, in a browser too. */
import { sha256 } from "../../core/digest.js";
import { present } from "../../core/present.js";
import type { Tensor } from "../../core/tensor.js";
import { type Dataset, subset } from "../../data/dataset.js";
import type { Measured } from "../../dynamic/choose/calibrate.js";
import type { DynamicModel } from "../../dynamic/model/model.js";
import type { Policy } from "../../schema/policy.js";
import { type DataRef, type NetworkRef, recordsOf } from "../../schema/study/references.js";
import type { AnswerRow } from "../../schema/study/tables.js";
import type { Progress } from "../audit/options.js";
import { Bench, type Opened } from "./bench.js";
import type { Content, Table, TaskOutput } from "./content.js";
import { inputsOf } from "./graph.js";
import type { TaskContext, TaskInputs } from "./kind.js";
import { ANSWERS_FILE, LOGITS_FILE, labelsIn, logitsOf } from "./kinds/answers.js";
import { POLICY_FILE, readPolicy } from "./kinds/thresholds.js";
import { type Kinds, perform } from "./perform.js";
import type { CommandPlan } from "./plan.js";
import { canonicalJson, type Task, type TaskKey } from "./task.js";

/** How the tasks of a call run. */
export interface InProcessOptions extends Omit<TaskContext, "network" | "data" | "bench" | "onProgress"> {
  readonly kinds: Kinds;
  readonly onProgress?: ((progress: Progress) => void) | undefined;
  /** Files that only tasks read. They are dropped behind the last task that reads them. */
  readonly passing?: readonly string[] | undefined;
}

/** What every exit answers for some images. */
export interface Answered extends Measured {
  readonly labels: Int32Array;
}

/** Networks, records and results of one call.
 * @example
 * const run = new InProcess({ ...options, kinds: { answers: answersKind } });
 * const network = run.network(model);
 * await run.all(planOf(network, run.data(records)));
 * await run.release(); */
export class InProcess {
  readonly #options: InProcessOptions;
  readonly #networks = new Map<string, DynamicModel>();
  readonly #data = new Map<string, Dataset>();
  readonly #results = new Map<TaskKey, TaskOutput>();
  readonly #context: TaskContext & { readonly bench: Bench };

  constructor(options: InProcessOptions) {
    const { kinds: _kinds, passing: _passing, onProgress: _onProgress, ...rest } = options;
    const opening = {
      backend: options.backend,
      network: async ({ sha256: digest }: NetworkRef) => present(this.#networks.get(digest), "a network in memory"),
      data: async (reference: DataRef) => this.#records(reference),
    };
    this.#options = options;
    this.#context = { ...rest, ...opening, bench: new Bench(opening) };
  }

  /** A name for a network in memory. It is no digest, because no result outlives the call. */
  network(model: DynamicModel): NetworkRef {
    const digest = digestOf("network", this.#networks.size);
    this.#networks.set(digest, model);
    return { name: model.name, sha256: digest };
  }

  /** A name for records in memory. Their numbers are their places. */
  data(data: Dataset): DataRef {
    const digest = digestOf("records", this.#data.size);
    this.#data.set(digest, data);
    return { name: data.name, sha256: digest, records: { from: 0, count: data.count } };
  }

  /** Opens a network and records, and checks them against each other.
   * @throws DynnError as {@link Bench.open} */
  open(network: NetworkRef, data: DataRef): Promise<Opened> {
    return this.#context.bench.open({ network, data });
  }

  #records(reference: DataRef): Dataset {
    const data = present(this.#data.get(reference.sha256), "records in memory");
    const records = recordsOf(reference);
    return records.length === data.count ? data : subset(data, records);
  }

  /** Runs all tasks that have no result.
   * @throws the signal's reason when aborted, and the errors of the kinds */
  async all(plan: CommandPlan): Promise<void> {
    const open = plan.graph.all().filter(({ key }) => !this.#results.has(key));
    for (const [i, { key, task }] of open.entries()) {
      this.#options.signal?.throwIfAborted();
      const context = { ...this.#context, onProgress: this.#progressOf(plan.phaseOf(key)) };
      this.#results.set(key, await perform({ key, task }, this.#inputs(task), context, this.#options.kinds));
      this.#tidy(task, key, open.slice(i + 1));
    }
  }

  #progressOf(named: string | undefined): TaskContext["onProgress"] {
    return (done, total, part) => {
      const phase = part ?? named;
      if (phase !== undefined) this.#options.onProgress?.({ phase, done, total });
    };
  }

  /** Drops what no later task reads. */
  #tidy({ parameters, inputs }: Task, key: TaskKey, later: readonly { readonly task: Task }[]): void {
    const reads = new Set(later.flatMap(({ task }) => inputsOf(task)));
    for (const read of [key, ...inputsOf({ inputs })]) if (!reads.has(read)) this.#drop(read);
    const data = canonicalJson(parameters.data);
    const again = later.some(({ task }) => canonicalJson(task.parameters.data) === data);
    if (parameters.data !== undefined && !again) this.#context.bench.forget(parameters.data as unknown as DataRef);
  }

  #drop(key: TaskKey): void {
    const { files, facts } = present(this.#results.get(key), "a result");
    const kept = Object.entries(files).filter(([name]) => !this.#options.passing?.includes(name));
    this.#results.set(key, { files: Object.fromEntries(kept), facts });
  }

  #inputs({ inputs }: Task): TaskInputs {
    const of = async (name: string, file: string): Promise<Content[]> =>
      (Object.hasOwn(inputs, name) ? inputs[name] : []).map((key) => this.#content(key, file));
    return {
      files: of as TaskInputs["files"],
      arrays: of as TaskInputs["arrays"],
      tables: async (name, file) => (await of(name, file)).map((one) => (one as Table).rows as never),
    };
  }

  #content(key: TaskKey, file: string): Content {
    return present(this.#results.get(key)?.files[file], file);
  }

  bytes(key: TaskKey, file: string): Uint8Array {
    return this.#content(key, file) as Uint8Array;
  }

  array(key: TaskKey, file: string): Tensor {
    return this.#content(key, file) as Tensor;
  }

  rows<Row extends object>(key: TaskKey, file: string): readonly Row[] {
    return (this.#content(key, file) as Table).rows as readonly Row[];
  }

  /** The logits of a task `answers`, and the true classes. */
  measured(key: TaskKey): Answered {
    const labels = Int32Array.from(labelsIn(this.rows<AnswerRow>(key, ANSWERS_FILE)));
    return { logits: logitsOf(this.array(key, LOGITS_FILE)), labels };
  }

  /** The policy of a task. */
  policy(key: TaskKey): Policy {
    return readPolicy(this.bytes(key, POLICY_FILE));
  }

  /** Seconds of work of a task. */
  seconds(key: TaskKey): number {
    return Number(this.#results.get(key)?.facts?.seconds ?? 0);
  }

  /** Releases the memory of all sessions. */
  release(): Promise<void> {
    return this.#context.bench.release();
  }
}

const digestOf = (what: string, place: number): string =>
  sha256(new TextEncoder().encode(`${what} ${place} in memory`));
