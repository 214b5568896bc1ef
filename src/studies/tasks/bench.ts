/** @file What tasks of one process share: opened networks with their records, and sessions. */
import { Evaluator } from "../../attacks/oracle/evaluator.js";
import type { SessionRoom } from "../../attacks/oracle/sessions.js";
import type { Images } from "../../core/images.js";
import { present } from "../../core/present.js";
import { type Tensor, tensor } from "../../core/tensor.js";
import { type Dataset, readImages } from "../../data/dataset.js";
import { fitData } from "../../data/fit.js";
import type { DynamicModel } from "../../dynamic/model/model.js";
import { openGates } from "../../dynamic/model/open-gates.js";
import { underPolicy } from "../../dynamic/model/under-policy.js";
import { Forward, type ForwardOptions } from "../../dynamic/run/forward.js";
import { GatedRuns } from "../../dynamic/run/gated-runs.js";
import type { Backend } from "../../runtime/backend.js";
import { gateThresholds, type Policy } from "../../schema/policy.js";
import { type DataRef, type NetworkRef, recordsOf } from "../../schema/study/references.js";
import { withCheckedModel } from "../checked-model.js";
import { canonicalJson, type Json } from "./task.js";

/** How networks and records are opened. */
export interface Opening {
  readonly backend: Backend;
  /** Opens a network and compares its bytes with the reference.
   * @throws DynnError 'study/changed' when the file is another one than the plan names */
  readonly network: (reference: NetworkRef) => Promise<DynamicModel>;
  /** Opens records and compares them with the reference. Record i of the result is record
   * `records[i]` of the data set.
   * @throws DynnError 'study/changed' */
  readonly data: (reference: DataRef) => Promise<Dataset>;
}

/** A network with the records that it runs on. */
export interface Opened {
  readonly model: DynamicModel;
  /** The records, in the numbering of the network's classes. */
  readonly data: Dataset;
  /** Record numbers in the data set. */
  readonly records: readonly number[];
  /** Reads the pixels, once for all networks. */
  readonly images: () => Promise<Images>;
  /** The pixels of each image, always the same views. */
  readonly pixels: () => Promise<readonly Float32Array[]>;
}

interface Pixels {
  readonly images: Images;
  readonly rows: readonly Float32Array[];
}

async function pixelsOf(data: Dataset): Promise<Pixels> {
  const images = await readImages(data);
  return { images, rows: Array.from({ length: images.count }, (_, i) => images.row(i)) };
}

/** Opens each network, each set of records and each session once. Attacks keep the sessions of one
 * network at a time.
 * @example
 * const bench = new Bench(context);
 * const { model, images } = await bench.open({ network, data });
 * const forward = await bench.forward(model);
 * await bench.release(); */
export class Bench {
  readonly #context: Opening;
  readonly #networks = new Map<string, Promise<DynamicModel>>();
  readonly #opened = new Map<string, Promise<Opened>>();
  /** Pixels by records and number of channels. */
  readonly #pixels = new Map<string, Map<number, Promise<Pixels>>>();
  /** Networks under thresholds of their gates, by network and thresholds. */
  readonly #under = new Map<DynamicModel, Map<string, DynamicModel>>();
  readonly #gated = new Map<DynamicModel, GatedRuns>();
  /** Networks with every gate open. */
  readonly #full = new Map<DynamicModel, DynamicModel>();
  readonly #forwards = new Map<DynamicModel, Promise<Forward>>();
  #attacked: { readonly model: DynamicModel; readonly evaluator: Evaluator } | undefined;

  constructor(context: Opening) {
    this.#context = context;
  }

  /** Opens a network and records, and checks them against each other.
   * @throws DynnError 'study/changed', 'model/classifier', 'data/shape', 'data/label' */
  open({ network, data }: { readonly network: NetworkRef; readonly data: DataRef }): Promise<Opened> {
    const name = nameOf([network, data]);
    return once(this.#opened, name, () => this.#open(network, data));
  }

  async #open(network: NetworkRef, reference: DataRef): Promise<Opened> {
    const found = await this.#context.network(network);
    const data = fitData(found, await this.#context.data(reference));
    const { backend } = this.#context;
    const model = await once(this.#networks, nameOf(network), async () =>
      withCheckedModel({ model: found, backend }, data).then((checked) => checked.model),
    );
    const pixels = (): Promise<Pixels> => {
      const read = this.#pixels.get(nameOf(reference)) ?? new Map<number, Promise<Pixels>>();
      this.#pixels.set(nameOf(reference), read);
      return once(read, data.shape[0], () => pixelsOf(data));
    };
    return {
      ...{ model, data, records: recordsOf(reference) },
      images: async () => (await pixels()).images,
      pixels: async () => (await pixels()).rows,
    };
  }

  /** Drops the pixels of records. They are read again when a task needs them. */
  forget(data: DataRef): void {
    this.#pixels.delete(nameOf(data));
  }

  /** A network under the gates of a policy, the same one for the same thresholds.
   * @throws DynnError as {@link underPolicy} */
  under(model: DynamicModel, policy: Pick<Policy, "gates">): DynamicModel {
    if (model.gates.length === 0) return underPolicy(model, policy);
    const known = this.#under.get(model) ?? new Map<string, DynamicModel>();
    this.#under.set(model, known);
    const name = gateThresholds(policy, model.gates.length).join();
    const moved = known.get(name) ?? underPolicy(model, policy);
    known.set(name, moved);
    return moved;
  }

  /** Runs a network under any thresholds of its gates. */
  gatedRuns(model: DynamicModel): GatedRuns {
    const runs = this.#gated.get(model) ?? new GatedRuns(model, this.#context.backend);
    this.#gated.set(model, runs);
    return runs;
  }

  /** Runs every exit of a network.
   * @throws DynnError 'runtime/load' */
  forward(model: DynamicModel): Promise<Forward> {
    return once(this.#forwards, model, () => Forward.compile(model, { backend: this.#context.backend }));
  }

  /** The logits of the final exit with every gate open that no policy forces closed, float32
   * [n,classes]. Undefined for a network in which no gate asks its score.
   * @throws DynnError as {@link Forward.logits} */
  async full(model: DynamicModel, images: Images, options: ForwardOptions): Promise<Tensor | undefined> {
    const open = this.#full.get(model) ?? openGates(model);
    this.#full.set(model, open);
    if (open === model) return undefined;
    const { exits, count, classes } = await (await this.forward(open)).logits(images, options);
    return tensor("float32", [count, classes], present(exits.at(-1), "the final exit"));
  }

  /** Answers the questions of attacks on a network. Sessions for another network are released
   * first.
   * @param room limits the memory of the sessions */
  async evaluator(model: DynamicModel, room: SessionRoom | undefined): Promise<Evaluator> {
    if (this.#attacked?.model === model) return this.#attacked.evaluator;
    await this.#attacked?.evaluator.release();
    const evaluator = new Evaluator(model, { backend: this.#context.backend, room });
    this.#attacked = { model, evaluator };
    return evaluator;
  }

  /** Releases the memory of all sessions. */
  async release(): Promise<void> {
    await this.#attacked?.evaluator.release();
    for (const runs of this.#gated.values()) await runs.release();
    const compiled = await Promise.allSettled(this.#forwards.values());
    this.#forwards.clear();
    for (const each of compiled) if (each.status === "fulfilled") await each.value.release();
  }
}

/** Equal references have equal names, whatever the order of their fields. */
const nameOf = (references: object): string => canonicalJson(references as Json);

function once<K, T>(known: Map<K, Promise<T>>, key: K, make: () => Promise<T>): Promise<T> {
  const made = known.get(key) ?? make();
  known.set(key, made);
  return made;
}
