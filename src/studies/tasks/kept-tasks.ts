/** @file Results of the tasks of a call that the next call may take. In a call, networks and
 *  records are named by their place. Here they are named by their digests, as in a study. */
import { present } from "../../core/present.js";
import type { Dataset } from "../../data/dataset.js";
import type { DynamicModel } from "../../dynamic/model/model.js";
import type { TaskOutput } from "./content.js";
import type { TaskKind } from "./kind.js";
import type { KeyedTask } from "./schedule.js";
import { type Json, keyOf, type Task, type TaskKey } from "./task.js";

/** Keeps the results of the tasks of one call. */
export type TaskKeeper = (named: Named) => Pick<KeptTasks, "once">;

/** Where results of tasks stay, for example a folder. */
export interface TaskShelf {
  /** The result of an equal task. Undefined when there is none. */
  readonly find: (key: TaskKey) => Promise<TaskOutput | undefined>;
  readonly keep: (named: KeyedTask, output: TaskOutput) => Promise<void>;
  /** The digest of a network: its weights, exits and gates. */
  readonly networkDigest: (model: DynamicModel) => string;
  /** The digest of records: shape, labels and pixels. */
  readonly dataDigest: (data: Dataset) => Promise<string>;
}

/** What the places of a call stand for. */
export interface Named {
  readonly network: (place: string) => DynamicModel | undefined;
  readonly data: (place: string) => Dataset | undefined;
}

/** Names the tasks of one call by digests, finds their results and keeps them. */
export class KeptTasks {
  readonly #digests = new Map<object, Promise<string>>();
  readonly #keys = new Map<TaskKey, TaskKey>();

  constructor(
    private readonly shelf: TaskShelf,
    private readonly named: Named,
  ) {}

  /** Does a task, unless its result is there. Measured times are measured again.
   * @param work does the work */
  async once(kind: TaskKind, { key, task }: KeyedTask, work: () => Promise<TaskOutput>): Promise<TaskOutput> {
    const own = await this.#named(task);
    this.#keys.set(key, own.key);
    if (kind.measuresTime) return work();
    const found = await this.shelf.find(own.key);
    if (found) return found;
    const output = await work();
    await this.shelf.keep(own, output);
    return output;
  }

  async #named({ inputs, parameters, ...rest }: Task): Promise<KeyedTask> {
    const renamed = Object.entries(inputs).map(([name, keys]): [string, TaskKey[]] => [
      name,
      keys.map((key) => present(this.#keys.get(key), "the name of an input")),
    ]);
    const task: Task = {
      ...rest,
      inputs: Object.fromEntries(renamed),
      parameters: (await this.#digested(parameters)) as Task["parameters"],
    };
    return { key: keyOf(task), task };
  }

  /** The same value with digests in place of places. A reference with record numbers is one of
   * records. */
  async #digested(value: Json | undefined): Promise<Json | undefined> {
    if (value === null || typeof value !== "object") return value;
    if (Array.isArray(value)) return Promise.all(value.map((one: Json) => this.#digested(one))) as Promise<Json>;
    const fields = value as { readonly [name: string]: Json | undefined };
    const digest =
      typeof fields.sha256 === "string" ? await this.#digestOf(fields.sha256, "records" in fields) : undefined;
    const entries = Object.entries(fields).map(async ([name, one]) => [name, await this.#digested(one)] as const);
    const same = Object.fromEntries(await Promise.all(entries));
    return digest === undefined ? same : { ...same, sha256: digest, name: digest.slice(0, 12) };
  }

  #digestOf(place: string, isData: boolean): Promise<string> {
    const { shelf, named } = this;
    const data = isData ? named.data(place) : undefined;
    if (data) return this.#once(data, () => shelf.dataDigest(data));
    const model = present(named.network(place), "a network of the call");
    return this.#once(model, async () => shelf.networkDigest(model));
  }

  #once(of: object, make: () => Promise<string>): Promise<string> {
    const made = this.#digests.get(of) ?? make();
    this.#digests.set(of, made);
    return made;
  }
}
