/** @file The images that a task works on: clean ones, or those of an attack. */
import { Images } from "../../../core/images.js";
import { present } from "../../../core/present.js";
import type { Tensor } from "../../../core/tensor.js";
import type { DynamicModel } from "../../../dynamic/model/model.js";
import type { OutcomeRow } from "../../../schema/study/tables.js";
import type { Opened } from "../bench.js";
import type { TaskInputs } from "../kind.js";

/** The files in the result of an attack. */
export const IMAGES_FILE = "images.npy";
export const OUTCOMES_FILE = "outcomes.parquet";
/** Whether the loss of each search rose above its first value, int8 [n]: 1 or 0, and -1 where no
 * gradient was asked for. */
export const ROSE_FILE = "rose.npy";
/** Whether the search with each surrogate of hard gates succeeded, int8 [n,surrogates]: 1 or 0, and
 * -1 for samples that were not attacked. Only of attacks that tried all of them. */
export const REACHED_FILE = "reached.npy";

/** Images with what is known of them, one entry per image. */
export interface Shown {
  readonly images: Images;
  /** Record numbers in the data set. */
  readonly records: readonly number[];
  /** True classes, in the numbering of the network. */
  readonly labels: ArrayLike<number>;
}

/** The images of a task: those of the input "images", or else the clean ones. */
export async function shownTo(opened: Opened, inputs?: TaskInputs): Promise<Shown> {
  const [attacked] = inputs ? await attackedSets(opened, inputs) : [];
  const { data, records, images } = opened;
  return attacked ?? { images: await images(), records, labels: data.labels };
}

/** The images of the attacks of the input "images". */
export async function attackedSets({ model, data, records }: Opened, inputs: TaskInputs): Promise<Shown[]> {
  const outcomes = await inputs.tables<OutcomeRow>("images", OUTCOMES_FILE);
  return (await inputs.arrays("images", IMAGES_FILE)).map((stored, set) => {
    const attacked = outcomes[set].map(({ sample }) => sample);
    const places = new Map(records.map((record, i) => [record, i]));
    const labels = attacked.map((record) => data.labels[present(places.get(record), "a record")]);
    return { images: attackedImages(model, stored), records: attacked, labels };
  });
}

/** Attacked images as the network takes them. They are kept as bytes, or exactly. */
export const attackedImages = (model: DynamicModel, { data }: Tensor): Images =>
  Images.for(model, data instanceof Float32Array ? data : unitsOf(data as Uint8Array));

function unitsOf(bytes: Uint8Array): Float32Array {
  const units = new Float32Array(bytes.length);
  for (let i = 0; i < bytes.length; i++) units[i] = bytes[i] / 255;
  return units;
}
