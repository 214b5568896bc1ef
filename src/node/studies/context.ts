/** @file What this machine gives to tasks: networks and records by their digests. */
import { cpus } from "node:os";
import { bytesOf } from "../../core/bytes.js";
import { sha256 } from "../../core/digest.js";
import { DynnError } from "../../core/errors.js";
import { present } from "../../core/present.js";
import { counted } from "../../core/units.js";
import { VERSION } from "../../core/version.js";
import { type Dataset, readImages, subset } from "../../data/dataset.js";
import type { TrainingSplit } from "../../data/training-split.js";
import { type DynamicModel, dynamicModel } from "../../dynamic/model/model.js";
import type { OnnxModel } from "../../onnx/model.js";
import { readModel } from "../../onnx/read.js";
import { writeModel } from "../../onnx/write.js";
import type { Backend } from "../../runtime/backend.js";
import { type DataRef, recordsOf, type TrainingRef } from "../../schema/study/references.js";
import type { TaskContext } from "../../studies/tasks/kind.js";
import { NETWORK_FILE } from "../../studies/tasks/kinds/train.js";
import type { TaskList } from "../../studies/tasks/list.js";
import type { TaskStore } from "../../studies/tasks/store.js";
import type { TaskKey } from "../../studies/tasks/task.js";
import { openDataset } from "../data/open.js";
import { openOnnx } from "../models.js";
import { dataFromRoot, fromRoot } from "./paths.js";
import { openStudyTraining, rootedSpecs, trainingDigest } from "./training-data.js";

/** The places of networks and records. */
type Places = Pick<TaskList, "networks" | "data" | "training">;

/** The digest of a network: its graph with all weights, wherever they lie. */
export const networkDigest = ({ graph }: Pick<OnnxModel, "graph">): string => sha256(writeModel({ graph }));

/** The digest of records: shape, numbers, labels and pixels. */
export async function recordsDigest(data: Dataset, records: readonly number[]): Promise<string> {
  const images = await readImages(data, records);
  const labels = records.map((record) => data.labels[record]);
  const head = sha256(new TextEncoder().encode(JSON.stringify([data.shape, records, labels])));
  return sha256(new TextEncoder().encode(`${head}${sha256(bytesOf(images.data))}`));
}

/** How the tasks of a process run. */
export interface ContextOptions {
  /** The places of networks and records. */
  readonly list: Places;
  /** Holds the networks that tasks have trained. */
  readonly store: Pick<TaskStore, "manifest" | "file">;
  readonly backend: Backend;
  /** The folder that relative paths start from. */
  readonly root: string;
}

/** The processor and the runtime, without the name of the machine. */
const MACHINE = `${process.platform} ${process.arch}, ${cpus()[0]?.model ?? "unknown processor"} x ${cpus().length}, node ${process.versions.node}`;

/** Opens networks and records by reference. Each is opened once. */
export function taskContext({ list, store, backend, root }: ContextOptions): TaskContext {
  const sourceModels = new Map<string, Promise<OnnxModel>>();
  const models = new Map<string, Promise<DynamicModel>>();
  const sources = new Map<string, Promise<Dataset>>();
  const records = new Map<string, Promise<Dataset>>();
  const trainings = new Map<string, Promise<TrainingSplit>>();
  const source = (spec: string) => cached(sources, spec, () => openDataset(dataFromRoot(spec, root)));
  return {
    backend,
    now: () => performance.now(),
    version: VERSION,
    machineName: MACHINE,
    network: async ({ name, sha256: digest, task, exits }) => {
      const open = () =>
        task === undefined ? openNetwork(name, digest ?? "", list, root) : openTrained(name, task, store);
      const id = task ?? digest ?? "";
      const kept = async () => keptExits(await cached(sourceModels, id, open), name, exits);
      return cached(models, JSON.stringify([id, name, exits]), kept);
    },
    trainingData: (reference) => cached(trainings, reference.sha256, () => openTraining(reference, list, root)),
    data: (reference) => cached(records, reference.sha256, () => openRecords(reference, list, source)),
  };
}

function cached<T>(known: Map<string, Promise<T>>, key: string, make: () => Promise<T>): Promise<T> {
  const made = known.get(key) ?? make();
  known.set(key, made);
  return made;
}

const keptExits = (source: OnnxModel, name: string, exits: readonly string[] | undefined): DynamicModel =>
  dynamicModel(source, { name, ...(exits && { exits: exits.slice(0, -1), final: exits.at(-1) }) });

async function openNetwork(
  name: string,
  digest: string,
  { networks }: Pick<TaskList, "networks">,
  root: string,
): Promise<OnnxModel> {
  const { spec } = networks[digest] ?? missing(name, digest);
  const { source } = await openOnnx(fromRoot(spec, root));
  const got = networkDigest(source);
  if (got !== digest) throw changed(`network ${name}, ${spec}`, got, digest);
  return source;
}

/** A network that a task has trained. */
async function openTrained(name: string, task: TaskKey, store: ContextOptions["store"]): Promise<OnnxModel> {
  const manifest = present(await store.manifest(task), `the task that trains ${name}`);
  return readModel(await store.file(manifest, NETWORK_FILE), { name });
}

async function openTraining(
  { name, sha256: digest }: TrainingRef,
  { training = {} }: Pick<TaskList, "training">,
  root: string,
): Promise<TrainingSplit> {
  const { spec, test } = training[digest] ?? missing(name, digest);
  const data = await openStudyTraining(rootedSpecs({ spec, test }, root));
  const got = await trainingDigest(data);
  if (got !== digest) throw changed(`records to train on, ${spec}`, got, digest);
  return data;
}

async function openRecords(
  reference: DataRef,
  { data: places }: Pick<TaskList, "data">,
  source: (spec: string) => Promise<Dataset>,
): Promise<Dataset> {
  const { name, sha256: digest } = reference;
  const { spec } = places[digest] ?? missing(name, digest);
  const data = await source(spec);
  const records = recordsOf(reference);
  const beyond = records.find((record) => record >= data.count);
  const got = beyond === undefined ? await recordsDigest(data, records) : `that of ${counted(data.count, "record")}`;
  if (got !== digest) throw changed(`records ${name}, ${spec}`, got, digest);
  return subset(data, records, { name });
}

function missing(name: string, digest: string): never {
  throw new DynnError("study/value", `${name}: the list of tasks does not say where it is. Make the plan again.`, {
    name,
    digest,
  });
}

const changed = (what: string, got: string, expected: string): DynnError =>
  new DynnError(
    "study/changed",
    `${what}: its digest is ${got.slice(0, 16)}, and the plan names ${expected.slice(0, 16)}. Give the file that the plan was made with, or make the plan again.`,
    { got, expected },
  );
