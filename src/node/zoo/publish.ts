/** @file Publishes a trained network: rounds its weights, measures the result, and writes the file
 *  and its entry in the index. */
import { cpus, totalmem } from "node:os";
import { join } from "node:path";
import { deflateRawSync } from "node:zlib";
import { z } from "zod";
import { sha256 } from "../../core/digest.js";
import { VERSION } from "../../core/version.js";
import type { DynamicModel } from "../../dynamic/model/model.js";
import { writeModel } from "../../onnx/write.js";
import { type EpochReport, epochReportSchema, RECIPE_DEFINITIONS } from "../../schema/training.js";
import type { ZooIndex, ZooNetwork, ZooResult } from "../../schema/zoo.js";
import { robustAccuracy, type ZooMeasurement } from "../../studies/zoo/measure.js";
import { publishedNetwork } from "../../studies/zoo/published.js";
import { type PublishedFile, sharedWeights } from "../../training/zoo/publication.js";
import { load } from "../load.js";
import { loadModel, readBytes } from "../onnx-files.js";
import { replaceFile } from "../output-files.js";
import { recordNetwork } from "./index-file.js";

/** A network to publish. */
export interface Publication {
  readonly name: string;
  readonly network: ZooNetwork;
  /** The trained file. */
  readonly trained: string;
  /** The metrics of every run, in order. */
  readonly metrics: readonly string[];
  /** The folder that gets the file and the entry. */
  readonly folder: string;
  readonly index: Pick<ZooIndex, "data">;
  /** Whether the folder belongs to the repository. */
  readonly inGit: boolean;
  readonly measurement: ZooMeasurement;
}

/** Publishes a trained network. The entry is written last: without it the network counts as not
 * trained.
 * @throws DynnError 'file/missing', 'file/unwritable', 'file/full', and the errors of reading and
 *   measuring */
export async function publishNetwork(publication: Publication): Promise<ZooResult> {
  const { name, network, trained, folder, index, inGit } = publication;
  const measurement = { ...publication.measurement, statics: await staticsOf(network, folder) };
  const { model, measured: answers } = await publishedNetwork(await loadModel(trained), measurement);
  const { policy, ...measured } = answers;
  const robust = await robustAccuracy(model, policy, measurement);
  const backbone = await backboneOf(network, folder);
  const external = backbone ? sharedWeights(model.graph, backbone) : undefined;
  const bytes = writeModel({ ...model, external });
  const epochs = (await Promise.all(publication.metrics.map(readMetrics))).flat();
  await replaceFile(join(folder, `${name}.onnx`), bytes);
  const result: ZooResult = {
    file: { sha256: sha256(bytes), bytes: bytes.length, packedBytes: deflateRawSync(bytes, { level: 9 }).length },
    inGit,
    ...measured,
    robust,
    curve: epochs.map(({ validationAccuracy }) => [...validationAccuracy]),
    training: timeOf(epochs),
    version: VERSION,
  };
  await recordNetwork(folder, [name, { ...network, result }], index);
  return result;
}

/** The static networks that a network with gates is compared with: the one that training began
 * with, and the baseline of the index.
 * @throws DynnError 'file/missing', and the errors of reading */
async function staticsOf({ recipe, init, baseline }: ZooNetwork, folder: string): Promise<DynamicModel[]> {
  if (!("gates" in RECIPE_DEFINITIONS[recipe])) return [];
  const names = [init, baseline].flatMap((name) => name ?? []);
  return Promise.all(names.map(async (name) => load(join(folder, `${name}.onnx`), { name })));
}

/** The published file that holds the frozen backbone. Undefined when the network trains its own.
 * @throws DynnError 'file/missing' */
async function backboneOf({ recipe, init }: ZooNetwork, folder: string): Promise<PublishedFile | undefined> {
  if (init === null || !RECIPE_DEFINITIONS[recipe].frozen) return undefined;
  const location = `${init}.onnx`;
  return { location, bytes: await readBytes(join(folder, location)) };
}

async function readMetrics(path: string): Promise<EpochReport[]> {
  const text = new TextDecoder().decode(await readBytes(path));
  const lines = text.split("\n").filter((line) => line !== "");
  return z.array(epochReportSchema).parse(lines.map((line) => JSON.parse(line) as unknown));
}

const GIB = 2 ** 30;

function timeOf(epochs: readonly EpochReport[]): ZooResult["training"] {
  const seconds = epochs.reduce((sum, epoch) => sum + epoch.seconds, 0);
  const images = epochs.reduce((sum, epoch) => sum + epoch.seconds * epoch.imagesPerSecond, 0);
  const processors = cpus();
  return {
    seconds: Math.round(seconds),
    imagesPerSecond: seconds > 0 ? Math.round(images / seconds) : 0,
    cpu: processors[0]?.model.trim() ?? "unknown",
    cores: processors.length,
    memoryGiB: Math.round((10 * totalmem()) / GIB) / 10,
  };
}

/** Whether the index of a folder has this network, with the file that it describes. */
export async function isPublished(folder: string, name: string, index: ZooIndex | undefined): Promise<boolean> {
  const expected = index?.networks[name]?.result?.file.sha256;
  if (expected === undefined) return false;
  const bytes = await readBytes(join(folder, `${name}.onnx`)).catch(() => undefined);
  return bytes !== undefined && sha256(bytes) === expected;
}
