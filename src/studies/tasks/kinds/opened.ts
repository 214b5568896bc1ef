/** @file The network and the records of a task, opened and checked against each other. */

import { Images } from "../../../core/images.js";
import { present } from "../../../core/present.js";
import { type Dataset, readImages } from "../../../data/dataset.js";
import { fitData } from "../../../data/fit.js";
import { readNpy } from "../../../data/npy.js";
import type { DynamicModel } from "../../../dynamic/model/model.js";
import { type DataRef, type NetworkRef, recordsOf } from "../../../schema/study/references.js";
import { withCheckedModel } from "../../checked-model.js";
import type { TaskContext, TaskInputs } from "../kind.js";

/** A network with the records that it runs on. */
export interface Opened {
  readonly model: DynamicModel;
  /** The records, in the numbering of the network's classes. */
  readonly data: Dataset;
  /** Record numbers in the data set. */
  readonly records: readonly number[];
}

/** Opens the network and the records of a task.
 * @throws DynnError 'study/changed', 'model/classifier', 'data/shape', 'data/label' */
export async function openNetwork(
  { network, data: reference }: { readonly network: NetworkRef; readonly data: DataRef },
  context: TaskContext,
): Promise<Opened> {
  const found = await context.network(network);
  const data = fitData(found, await context.data(reference));
  const { model } = await withCheckedModel({ model: found, backend: context.backend }, data);
  return { model, data, records: recordsOf(reference) };
}

/** The file of images in the result of an attack: uint8 [n,c,h,w]. */
export const IMAGES_FILE = "images.npy";

/** The images of a task: those of the input "images", or else the clean ones. */
export async function imagesOf({ model, data }: Opened, inputs: TaskInputs): Promise<Images> {
  const [stored] = await inputs.files("images", IMAGES_FILE);
  return stored ? attackedImages(model, stored) : readImages(data);
}

/** Attacked images as the network takes them. */
export function attackedImages(model: DynamicModel, stored: Uint8Array): Images {
  const bytes = readNpy(stored, IMAGES_FILE).data as Uint8Array;
  return Images.for(
    model,
    Float32Array.from(bytes, (byte) => byte / 255),
  );
}

/** The one file of an input that has one task. */
export const only = async (inputs: TaskInputs, name: string, file: string): Promise<Uint8Array> =>
  present((await inputs.files(name, file))[0], `the input "${name}"`);
