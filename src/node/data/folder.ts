/** @file Opens a folder of images, with one sub-folder for each class. */

import { basename, join, resolve } from "node:path";
import { DynnError } from "../../core/errors.js";
import { counted } from "../../core/units.js";
import { type Dataset, type DatasetHeader, makeDataset, withNotes, writePixels } from "../../data/dataset.js";
import {
  cropPlanes,
  decodeImage,
  extensionOf,
  FITS,
  type Fit,
  type FittedSize,
  IMAGE_EXTENSIONS,
  imageSize,
  type Size,
} from "./image.js";
import { listFolder, listFolders } from "./read.js";

const AT_ONCE = 8;
const MAX_SIDE = 4096;

/** Open a folder. Files with other extensions than those of images are passed over and counted; a
 * sub-folder without images is not a class. Folders within a class belong to the class. The data
 * set's notes name what was passed over. Images of several sizes take the commonest size, and
 * `resized` gives all images any other size.
 * @param argument DIR, or DIR?size=WIDTHxHEIGHT for one size, or DIR?fit=crop|pad|stretch, or both
 *  joined by &. The default is crop
 * @throws DynnError 'data/missing', 'data/spec', 'data/format' */
export async function openFolder(argument: string): Promise<Dataset> {
  const { dir, size, fit } = parseArgument(argument);
  const { files, header } = await recordsIn(dir);
  if (size) return photos(files, header, { ...size, fit });
  const sizes = await sizesOf(files);
  const own = commonest(sizes);
  const at = (height: number, width: number): Dataset => {
    const others = sizes.filter((one) => !isSame(one, { height, width })).length;
    return withNotes(
      photos(files, header, { height, width, fit }),
      others === 0 ? [] : [`${header.name}: ${resizeNote(others, files.length, { height, width, fit })}`],
    );
  };
  return { ...at(own.height, own.width), resized: at };
}

/** A data set of files, each decoded when it is read. */
const photos = (files: readonly string[], header: Omit<DatasetHeader, "shape">, size: FittedSize): Dataset =>
  makeDataset({ ...header, shape: [3, size.height, size.width] }, (indices, out, length) =>
    eachOf(indices.length, async (row) => {
      const image = await decodeImage(files[indices[row]], size);
      writePixels(cropPlanes(image, size), out, row * length);
    }),
  );

/** What was done to images of other sizes, for people. */
export function resizeNote(count: number, all: number, { width, height, fit }: FittedSize): string {
  const which =
    all === 1 ? "the image was" : count === all ? `all ${all} images were` : `${count} of ${all} images were`;
  return `${which} brought to ${width}x${height}: ${HOW[fit]}`;
}

const HOW: Readonly<Record<Fit, string>> = {
  crop: "short side resized, centre cut out (?fit=pad or ?fit=stretch keep the edges)",
  pad: "long side resized, black bars added",
  stretch: "stretched",
};

/** The files of the classes, and what is known of them.
 * @throws DynnError 'data/missing' */
async function recordsIn(dir: string): Promise<{ files: string[]; header: Omit<DatasetHeader, "shape"> }> {
  const folders = inOrder(await listFolders(dir));
  const found = await Promise.all(folders.map((name) => findImages(join(dir, name))));
  const unread = passedOver([...found, await outsideClasses(dir)]);
  const classes = folders.filter((_, i) => found[i].images.length > 0);
  const records = takeTurns(found.map(({ images }) => images).filter((images) => images.length > 0));
  if (records.length === 0)
    throw new DynnError(
      "data/missing",
      `folder:${dir}: no images in its ${folders.length} sub-folders${inBrackets(unread)}. Give a folder with one sub-folder of ${IMAGE_EXTENSIONS.join(" ")} files for each class.`,
      { dir, classes: folders },
    );
  const name = `folder:${basename(resolve(dir))}`;
  const labels = Int32Array.from(records, (record) => record.label);
  return {
    files: records.map((record) => record.file),
    header: { name, classes, labels, notes: notesOf(name, folders, found, unread) },
  };
}

const MOST_OPTIONS = /^(?:size=(?<width>\d+)x(?<height>\d+)|fit=(?<fit>\w+))$/;

/** @throws DynnError 'data/spec' */
function parseArgument(argument: string): { dir: string; size?: Size; fit: Fit } {
  const [dir, ...rest] = argument.split("?") as [string, ...string[]];
  const read: { size?: Size; fit?: Fit } = {};
  for (const part of rest.length === 0 ? [] : rest.join("?").split("&")) {
    const { width, height, fit } = MOST_OPTIONS.exec(part)?.groups ?? {};
    const size = { width: Number(width), height: Number(height) };
    const known = FITS.find((one) => one === fit);
    if (size.width > 0 && size.height > 0 && Math.max(size.width, size.height) <= MAX_SIDE) read.size = size;
    else if (known) read.fit = known;
    else
      throw new DynnError(
        "data/spec",
        `folder:${argument}: got the option "${part}", expected size=WIDTHxHEIGHT with sides from 1 to ${MAX_SIDE}, or fit=${FITS.join("|")}. Write folder:${dir}?size=32x32 or folder:${dir}?fit=pad.`,
        { options: part },
      );
  }
  return { dir, fit: "crop", ...read };
}

/** The images in a folder, and what else is in it. */
export interface FolderContent {
  /** Paths, by name; those of folders within come last. */
  readonly images: readonly string[];
  /** Extension of each other file. */
  readonly others: readonly string[];
}

/** Look for images in a folder and in the folders within it. Hidden files do not count.
 * @param deep false: folders within it are not searched
 * @throws DynnError 'data/missing', 'file/unreadable' */
export async function findImages(folder: string, deep = true): Promise<FolderContent> {
  const folders = await listFolders(folder);
  const names = (await listFolder(folder)).filter((name) => !folders.includes(name));
  const isImage = (name: string) => IMAGE_EXTENSIONS.includes(extensionOf(name));
  const within = deep ? await Promise.all(folders.map((name) => findImages(join(folder, name)))) : [];
  return {
    images: [...names.filter(isImage).map((name) => join(folder, name)), ...within.flatMap(({ images }) => images)],
    others: [
      ...names.filter((name) => !isImage(name)).map((name) => extensionOf(name) || "no extension"),
      ...within.flatMap(({ others }) => others),
    ],
  };
}

/** "35 files passed over: 34 .bmp, 1 .txt", or nothing. */
export function passedOver(found: readonly FolderContent[]): string | undefined {
  const files = found.flatMap(({ others }) => others);
  const kinds = [...new Set(files)].sort();
  const counts = kinds.map((kind) => (kinds.length === 1 ? kind : `${files.filter((k) => k === kind).length} ${kind}`));
  return files.length > 0 ? `${counted(files.length, "file")} passed over: ${counts.join(", ")}` : undefined;
}

const inBrackets = (text: string | undefined): string => (text === undefined ? "" : ` (${text})`);

/** What was not read. */
function notesOf(
  name: string,
  folders: readonly string[],
  found: readonly FolderContent[],
  files: string | undefined,
): string[] {
  const empty = folders.filter((_, i) => found[i].images.length === 0);
  return [
    ...(empty.length > 0 ? [`${name}: no class, since without images: ${empty.join(", ")}`] : []),
    ...(files === undefined ? [] : [`${name}: ${files}`]),
  ];
}

/** Classes that are called by numbers stand in the order of the numbers: 10 comes after 9. */
const inOrder = (names: readonly string[]): readonly string[] =>
  names.every((name) => /^\d+$/.test(name)) ? [...names].sort((a, b) => Number(a) - Number(b)) : names;

/** Files beside the classes, whatever they are. */
async function outsideClasses(dir: string): Promise<FolderContent> {
  const { images, others } = await findImages(dir, false);
  return { images: [], others: [...images.map((image) => `${extensionOf(image)} outside a class`), ...others] };
}

/** The files in turn, one of each class at a time. */
function takeTurns(filesOf: readonly (readonly string[])[]): { file: string; label: number }[] {
  const turns = filesOf.flatMap((files, label) => files.map((file, turn) => ({ file, label, turn })));
  return turns.sort((a, b) => a.turn - b.turn || a.label - b.label);
}

async function sizesOf(files: readonly string[]): Promise<Size[]> {
  const sizes = new Array<Size>(files.length);
  await eachOf(files.length, async (i) => {
    sizes[i] = await imageSize(files[i]);
  });
  return sizes;
}

/** The size of most images; the first of equally common ones. */
function commonest(sizes: readonly Size[]): Size {
  const counts = new Map<string, { readonly size: Size; count: number }>();
  for (const size of sizes) {
    const seen = counts.get(`${size.width}x${size.height}`) ?? { size, count: 0 };
    seen.count++;
    counts.set(`${size.width}x${size.height}`, seen);
  }
  return [...counts.values()].reduce((best, one) => (one.count > best.count ? one : best)).size;
}

const isSame = (a: Size, b: Size): boolean => a.width === b.width && a.height === b.height;

/** Call `visit(0..count-1)`, a few calls at once. After a failure no further call starts. */
async function eachOf(count: number, visit: (i: number) => Promise<void>): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < count) await visit(next++);
  };
  const stop = (thrown: unknown): never => {
    next = count;
    throw thrown;
  };
  await Promise.all(Array.from({ length: Math.min(count, AT_ONCE) }, () => worker().catch(stop)));
}
