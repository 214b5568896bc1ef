/** @file Reads the images of `dynn classify`: image files, folders of them, or a data spec. */

import { stat } from "node:fs/promises";
import { basename, resolve } from "node:path";
import { DynnError } from "../../core/errors.js";
import { didYouMean } from "../../core/guess.js";
import type { ImageDims } from "../../core/images.js";
import { counted } from "../../core/units.js";
import { GREY } from "../../data/channels.js";
import type { ClassMatching } from "../../data/classes.js";
import { type Dataset, subset } from "../../data/dataset.js";
import { type FittedModel, fitData } from "../../data/fit.js";
import { findImages, passedOver, resizeNote } from "../../node/data/folder.js";
import { FITS, type Fit, imageSize } from "../../node/data/image.js";
import { DATA_SCHEMES, openDataset } from "../../node/data/open.js";
import { decodeInto } from "../../node/data/read-image.js";

export interface NamedImages {
  /** Where the images come from, in words. */
  readonly from: string;
  /** The name of each image. */
  readonly names: readonly string[];
  /** True classes, when the data have them. */
  readonly labels: Int32Array | undefined;
  /** What to know of them. */
  readonly notes: readonly string[];
  /** The data set, where the images are from one. */
  readonly data: Pick<Dataset, "name" | "classes"> | undefined;
  /** Pixels [to-from, c, h, w] in [0,1]. */
  readonly read: (from: number, to: number) => Promise<Float32Array>;
}

/** The properties that images must have. */
export interface Wanted {
  readonly name: string;
  /** Channels, height, width. */
  readonly dims: ImageDims;
  readonly classes: number;
  /** Names of the classes, when the model has them. */
  readonly classNames: readonly string[] | null;
}

/** Open images.
 * @param samples the number of images to take from the start of a data spec
 * @throws DynnError 'data/spec', 'data/missing', 'data/shape', 'data/label', 'cli/usage' */
export async function openImages(
  given: readonly string[],
  wanted: Wanted,
  samples: number | undefined,
  matching: ClassMatching,
): Promise<NamedImages> {
  const spec = given.find(isSpec);
  if (spec === undefined) return ofFiles(given, wanted);
  if (given.length === 1)
    return ofDataset(fitData(modelOf(wanted), await openDataset(spec), matching), wanted, samples);
  throw new DynnError(
    "cli/usage",
    `${spec}: is a data spec, but the call names ${given.length - 1} more. Name one data spec alone, or files and folders.`,
    { given },
  );
}

const isSpec = (text: string): boolean => Object.hasOwn(DATA_SCHEMES, text.split(":")[0]);

const modelOf = ({ name, dims, classes, classNames }: Wanted): FittedModel => ({
  name,
  classes,
  classNames: classNames ?? undefined,
  input: { shape: ["n", ...dims] },
});

function ofDataset(all: Dataset, { dims }: Wanted, samples = all.count): NamedImages {
  const data = subset(all, [...Array(Math.min(samples, all.count)).keys()]);
  return {
    from: data.name,
    names: Array.from(data.labels, (_, i) => `#${i}`),
    labels: data.labels,
    notes: data.notes ?? [],
    data,
    read: (from, to) => readRows(to - from, dims, (out) => data.read(range(from, to), out)),
  };
}

/** Files and folders, in the given order. The files of a folder are sorted by name. */
async function ofFiles(given: readonly string[], { name, dims }: Wanted): Promise<NamedImages> {
  const found = await Promise.all(given.map(filesAt));
  const files = found.flatMap((one) => one.files);
  const [channels, height, width] = dims;
  const size = channels * height * width;
  return {
    from: given.length === 1 ? basename(resolve(given[0])) : counted(files.length, "file"),
    names: files.map(({ path }) => path),
    labels: undefined,
    notes: [
      ...found.flatMap((one) => one.notes),
      ...(channels === 1 ? [`image files: ${GREY}.`] : []),
      ...(await sizeNotes(files, { height, width })),
    ],
    data: undefined,
    read: (from, to) =>
      readRows(to - from, dims, async (out) => {
        for (const [i, { path, fit }] of files.slice(from, to).entries())
          await decodeInto(path, out.subarray(i * size, (i + 1) * size), { name, dims, fit });
      }),
  };
}

/** What is done to images of another size; nothing where all have the size. */
async function sizeNotes(
  files: readonly NamedFile[],
  size: { readonly height: number; readonly width: number },
): Promise<string[]> {
  const sizes = await Promise.all(files.map(({ path }) => imageSize(path).catch(() => size)));
  const others = files.filter((_, i) => sizes[i].height !== size.height || sizes[i].width !== size.width);
  return FITS.flatMap((fit) => {
    const count = others.filter((file) => file.fit === fit).length;
    return count === 0 ? [] : [`size: ${resizeNote(count, files.length, { ...size, fit })}`];
  });
}

/** A file, and how its image comes to the model's size. */
interface NamedFile {
  readonly path: string;
  readonly fit: Fit;
}

interface FoundFiles {
  readonly files: readonly NamedFile[];
  readonly notes: readonly string[];
}

/** @param given a path, or PATH?fit=crop|pad|stretch
 * @throws DynnError 'data/missing' */
async function filesAt(given: string): Promise<FoundFiles> {
  const [, path, named] = /^(.*?)(?:\?fit=(\w+))?$/s.exec(given) as unknown as [string, string, string | undefined];
  const fit = named === undefined ? "crop" : fitOf(given, named);
  const stats = await stat(path).catch(() => undefined);
  if (stats?.isFile()) return { files: [{ path, fit }], notes: [] };
  const found = stats ? await findImages(path) : undefined;
  const others = found && passedOver([found]);
  if (found && found.images.length > 0)
    return {
      files: found.images.map((image) => ({ path: image, fit })),
      notes: others === undefined ? [] : [`${path}: ${others}`],
    };
  const scheme = stats ? "" : didYouMean(given.split(":")[0], Object.keys(DATA_SCHEMES));
  throw new DynnError(
    "data/missing",
    `${path}: ${stats ? `does not hold images${others === undefined ? "" : ` (${others})`}` : "does not exist"}.${scheme} Give image files, folders of them, or a data spec such as sample or cifar10:DIR.`,
    { path },
  );
}

/** @throws DynnError 'data/spec' */
function fitOf(given: string, named: string): Fit {
  const fit = FITS.find((one) => one === named);
  if (fit) return fit;
  throw new DynnError("data/spec", `${given}: got fit=${named}, expected fit=${FITS.join("|")}. Write one of them.`, {
    given,
  });
}

const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i);

async function readRows(
  count: number,
  [channels, height, width]: Wanted["dims"],
  fill: (out: Float32Array) => Promise<void>,
): Promise<Float32Array> {
  const out = new Float32Array(count * channels * height * width);
  await fill(out);
  return out;
}
