/** @file Reads CIFAR-10 and CIFAR-100 in the official binary layout. A record has label bytes, then
 *  1024 red, 1024 green and 1024 blue bytes. CIFAR-100 records have a coarse and a fine label, and
 *  the fine label is the class. Source: Krizhevsky, "Learning Multiple Layers of Features from Tiny
 *  Images", 2009; the data set's own page, "Binary version". */
import { DynnError } from "../core/errors.js";
import { checkLabels, type Dataset, inMemory } from "./dataset.js";

const SHAPE = [3, 32, 32] as const;
const PIXELS = 3072;

/** The differences between CIFAR-10 and CIFAR-100. */
export interface CifarVariant {
  /** Number of label bytes in front of the pixels. The last of them is the class. */
  readonly labelBytes: number;
  readonly classes: readonly string[];
}

export const CIFAR10: CifarVariant = {
  labelBytes: 1,
  classes: "airplane automobile bird cat deer dog frog horse ship truck".split(" "),
};

export const CIFAR100: CifarVariant = {
  labelBytes: 2,
  classes: [
    "apple aquarium_fish baby bear beaver bed bee beetle bicycle bottle bowl boy bridge bus butterfly camel can castle",
    "caterpillar cattle chair chimpanzee clock cloud cockroach couch crab crocodile cup dinosaur dolphin elephant flatfish",
    "forest fox girl hamster house kangaroo keyboard lamp lawn_mower leopard lion lizard lobster man maple_tree motorcycle",
    "mountain mouse mushroom oak_tree orange orchid otter palm_tree pear pickup_truck pine_tree plain plate poppy porcupine",
    "possum rabbit raccoon ray road rocket rose sea seal shark shrew skunk skyscraper snail snake spider squirrel streetcar",
    "sunflower sweet_pepper table tank telephone television tiger tractor train trout tulip turtle wardrobe whale willow_tree",
    "wolf woman worm",
  ].flatMap((line) => line.split(" ")),
};

/** A dataset over the bytes of one file.
 * @param bytes whole records. The dataset keeps them without a copy
 * @param source the dataset's name, and the file's name in errors
 * @throws DynnError 'data/truncated' when the last record is incomplete, or the file is empty
 * @throws DynnError 'data/label' when a label is not a class */
export function parseCifar(
  bytes: Uint8Array,
  variant: CifarVariant,
  source: { readonly name: string; readonly file: string },
): Dataset {
  const stride = variant.labelBytes + PIXELS;
  if (bytes.length === 0 || bytes.length % stride !== 0)
    throw new DynnError(
      "data/truncated",
      `${source.file}: got ${bytes.length} bytes, expected a multiple of ${stride} (${variant.labelBytes} for labels, ${PIXELS} for pixels), at least one. Download or unpack the file again.`,
      { file: source.file, bytes: bytes.length, record: stride },
    );
  const count = bytes.length / stride;
  const labels = Int32Array.from({ length: count }, (_, i) => bytes[i * stride + variant.labelBytes - 1]);
  checkLabels({ name: source.file, labels }, variant.classes.length);
  return inMemory(
    { name: source.name, shape: SHAPE, classes: variant.classes, labels },
    bytes,
    variant.labelBytes,
    stride,
  );
}
