/** @file Runs tasks one after the other in this process. Networks and records are in memory, and so
 *  are the results: nothing becomes bytes. `audit` and its like run this way, in a browser too. */
import { present } from "../../core/present.js";
import type { Tensor } from "../../core/tensor.js";
import type { Dataset } from "../../data/dataset.js";
import { checkApart } from "../../data/split.js";
import type { Measured } from "../../dynamic/choose/calibrate.js";
import type { DynamicModel } from "../../dynamic/model/model.js";
import type { Backend } from "../../runtime/backend.js";
import type { Policy } from "../../schema/policy.js";
import type { DataRef, NetworkRef } from "../../schema/study/references.js";
import type { AnswerRow } from "../../schema/study/tables.js";
import type { Progress } from "../audit/options.js";
import type { PolicyChoice } from "../policy.js";
import { Bench, type Opened, type Opening } from "./bench.js";
import type { PlannedPolicy } from "./common.js";
import type { Content, Table, TaskOutput } from "./content.js";
import { inputsOf } from "./graph.js";
import type { TaskKeeper } from "./kept-tasks.js";
import type { TaskContext, TaskInputs } from "./kind.js";
import { ANSWERS_FILE, FULL_FILE, GATES_FILE, LOGITS_FILE, labelsIn, logitsOf } from "./kinds/answers.js";
import { POLICY_FILE, readPolicy } from "./kinds/policy.js";
import { type Kinds, perform } from "./perform.js";
import type { CommandPlan } from "./plan.js";
import type { Json, Task, TaskKey } from "./task.js";

/** How the tasks of a call run. */
export interface InProcessOptions
  extends Omit<TaskContext, keyof Opening | "trainingData" | "keptTraining" | "bench" | "onProgress"> {
  readonly backend: Backend;
  readonly kinds: Kinds;
  readonly onProgress?: ((progress: Progress) => void) | undefined;
  /** Keeps results for the next call. Left out: nothing outlives the call. */
  readonly kept?: TaskKeeper | undefined;
  /** Files that only tasks read. They are dropped behind the last task that reads them. */
  readonly passing?: readonly string[] | undefined;
}

/** A network of a plan with its model. */
export interface PlannedModel extends PlannedPolicy {
  readonly model: DynamicModel;
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
  readonly #kept: ReturnType<TaskKeeper> | undefined;

  constructor(options: InProcessOptions) {
    const { kinds: _kinds, passing: _passing, onProgress: _onProgress, kept, ...rest } = options;
    const opening = {
      backend: options.backend,
      network: async ({ name, sha256: digest = "" }: NetworkRef) => present(this.#networks.get(digest), name),
      data: async ({ sha256: digest }: DataRef) => present(this.#data.get(digest), digest),
    };
    this.#options = options;
    this.#kept = kept?.({ network: (place) => this.#networks.get(place), data: (place) => this.#data.get(place) });
    this.#context = { ...rest, ...opening, trainingData, bench: new Bench(opening) };
  }

  /** A name for a network in memory. Its place stands for a digest, because no result outlives the
   * call. */
  network(model: DynamicModel): NetworkRef {
    const digest = digestOf(this.#networks.size);
    this.#networks.set(digest, model);
    return { name: model.name, sha256: digest };
  }

  /** A name for records in memory. Their numbers are their places. */
  data(data: Dataset): DataRef {
    const digest = digestOf(this.#data.size);
    this.#data.set(digest, data);
    return { name: data.name, sha256: digest, records: { from: 0, count: data.count } };
  }

  /** A network with the choice of its policy, as plans name it. It is opened and checked first.
   * @throws DynnError as {@link Bench.open}, 'policy/validation' when reported records are among
   *  those that thresholds are chosen on */
  async planned(given: DynamicModel, choice: PolicyChoice, data: DataRef): Promise<PlannedModel> {
    const network = this.network(given);
    const { model, data: reported } = await this.open(network, data);
    if (choice.kind === "fixed") return { network, model, choice, reader: choice.policy };
    await checkApart(reported, choice.validation);
    return { network, model, choice, validation: this.data(choice.validation), reader: choice };
  }

  /** Opens a network and records, and checks them against each other.
   * @throws DynnError as {@link Bench.open} */
  open(network: NetworkRef, data: DataRef): Promise<Opened> {
    return this.#context.bench.open({ network, data });
  }

  /** Runs all tasks that have no result.
   * @throws the signal's reason when aborted, and the errors of the kinds */
  async all(plan: CommandPlan): Promise<void> {
    const open = plan.graph.all().filter(({ key }) => !this.#results.has(key));
    for (const [i, { key, task }] of open.entries()) {
      this.#options.signal?.throwIfAborted();
      const context = { ...this.#context, onProgress: this.#progressOf(plan.phaseOf(key)) };
      const kind = present(this.#options.kinds[task.kind], task.kind);
      const work = () => perform(kind, { key, task }, this.#inputs(task), context);
      this.#results.set(key, this.#kept ? await this.#kept.once(kind, { key, task }, work) : await work());
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
    const data = dataOf(parameters);
    if (data && !later.some(({ task }) => dataOf(task.parameters)?.sha256 === data.sha256))
      this.#context.bench.forget(data);
  }

  #drop(key: TaskKey): void {
    const { files, facts } = present(this.#results.get(key), key);
    const kept = Object.entries(files).filter(([name]) => !this.#options.passing?.includes(name));
    this.#results.set(key, { files: Object.fromEntries(kept), facts });
  }

  #inputs({ inputs }: Task): TaskInputs {
    const keysOf = (name: string): readonly TaskKey[] => (Object.hasOwn(inputs, name) ? inputs[name] : []);
    const of = async (name: string, file: string): Promise<Content[]> =>
      keysOf(name).map((key) => this.#content(key, file));
    return {
      files: of as TaskInputs["files"],
      arrays: of as TaskInputs["arrays"],
      optional: async (name, file) => keysOf(name).map((key) => this.#results.get(key)?.files[file]) as never,
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

  /** An array that not every task of a kind has. */
  optional(key: TaskKey, file: string): Tensor | undefined {
    return this.#results.get(key)?.files[file] as Tensor | undefined;
  }

  rows<Row extends object>(key: TaskKey, file: string): readonly Row[] {
    return (this.#content(key, file) as Table).rows as readonly Row[];
  }

  /** The logits of a task `answers`, with the scores of gates, and the true classes. */
  measured(key: TaskKey): Answered {
    const labels = Int32Array.from(labelsIn(this.rows<AnswerRow>(key, ANSWERS_FILE)));
    const [gates, full] = [this.optional(key, GATES_FILE), this.optional(key, FULL_FILE)];
    return { logits: logitsOf(this.array(key, LOGITS_FILE), { gates, full }), labels };
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

const trainingData = (): never => {
  throw new Error("bug: no task of a command trains a network");
};

/** The records that a task works on. */
function dataOf({ data, gated }: Task["parameters"]): DataRef | undefined {
  return (data ?? (gated as { readonly data: Json } | undefined)?.data) as unknown as DataRef | undefined;
}

const digestOf = (place: number): string => String(place).padStart(64, "0");
