/** @file A folder of images with one sub-folder per class; images are decoded when they are read.
 *  Classes are numbered by name. Records take turns: the first file of each class, then the second of each, and so on,
 *  so that the first N records are as balanced over the classes as the folder allows. */
import { basename, extname, join, resolve } from "node:path";
import { DynnError } from "../../core/errors.js";
import { type Dataset, makeDataset, writePixels } from "../../data/dataset.js";
import { cropPlanes, decodeImage, imageSize, type Size } from "./image.js";
import { listFolder, listFolders } from "./read.js";

const EXTENSIONS = [".png", ".jpg", ".jpeg", ".webp", ".gif", ".tif", ".tiff", ".avif"];
const AT_ONCE = 8;
const MAX_SIDE = 4096;

/** Open a folder; files with other extensions than those of images are passed over.
 * @param argument DIR, or DIR?size=WIDTHxHEIGHT to stretch every image to one size
 * @throws DynnError 'data/missing', 'data/spec', 'data/shape' (images of several sizes), 'data/format' */
export async function openFolder(argument: string): Promise<Dataset> {
  const { dir, size: wanted } = parseArgument(argument);
  const classes = inOrder(await listFolders(dir));
  const records = takeTurns(await Promise.all(classes.map((name) => listImages(join(dir, name)))));
  const files = records.map((record) => record.file);
  if (files.length === 0)
    throw new DynnError(
      "data/missing",
      `folder:${dir}: no images in its ${classes.length} sub-folders. Give a folder with one sub-folder of ${EXTENSIONS.join(" ")} files for each class.`,
      { dir, classes },
    );
  const size = wanted ?? (await commonSize(files));
  const labels = Int32Array.from(records, (record) => record.label);
  const header = {
    name: `folder:${basename(resolve(dir))}`,
    shape: [3, size.height, size.width] as const,
    classes,
    labels,
  };
  return makeDataset(header, (indices, out, length) =>
    eachOf(indices.length, async (row) => {
      const file = files[indices[row]];
      const image = await decodeImage(file, wanted);
      checkSize(file, image, size);
      writePixels(cropPlanes(image, size), out, row * length);
    }),
  );
}

function parseArgument(argument: string): { dir: string; size?: Size } {
  const [dir, ...options] = argument.split("?") as [string, ...string[]];
  if (options.length === 0) return { dir };
  const [width, height] = (/^size=(\d+)x(\d+)$/.exec(options.join("?")) ?? []).slice(1).map(Number) as [
    number?,
    number?,
  ];
  if (width && height && Math.max(width, height) <= MAX_SIDE) return { dir, size: { width, height } };
  throw new DynnError(
    "data/spec",
    `folder:${argument}: got the option "${options.join("?")}", expected size=WIDTHxHEIGHT with sides from 1 to ${MAX_SIDE}. Write folder:${dir}?size=32x32.`,
    { options },
  );
}

/** Paths of the images in a folder, by name.
 * @throws DynnError 'data/missing', 'file/unreadable' */
export async function listImages(folder: string): Promise<string[]> {
  const names = await listFolder(folder);
  return names.filter((name) => EXTENSIONS.includes(extname(name).toLowerCase())).map((name) => join(folder, name));
}

/** Classes that are called by numbers stand in the order of the numbers: 10 comes after 9. */
const inOrder = (names: readonly string[]): readonly string[] =>
  names.every((name) => /^\d+$/.test(name)) ? [...names].sort((a, b) => Number(a) - Number(b)) : names;

/** Round-robin over the classes. */
function takeTurns(filesOf: readonly (readonly string[])[]): { file: string; label: number }[] {
  const turns = filesOf.flatMap((files, label) => files.map((file, turn) => ({ file, label, turn })));
  return turns.sort((a, b) => a.turn - b.turn || a.label - b.label);
}

async function commonSize(files: readonly string[]): Promise<Size> {
  const sizes = new Array<Size>(files.length);
  await eachOf(files.length, async (i) => {
    sizes[i] = await imageSize(files[i]);
  });
  const first = sizes[0];
  files.forEach((file, i) => {
    checkSize(file, sizes[i], first);
  });
  return first;
}

function checkSize(file: string, got: Size, expected: Size): void {
  if (got.width === expected.width && got.height === expected.height) return;
  const [is, others] = [got, expected].map(({ width, height }) => `${width}x${height}`);
  throw new DynnError(
    "data/shape",
    `${file}: got an image of ${is}, expected ${others} like the others. Add ?size=${others} to the folder to resize.`,
    { file, got, expected },
  );
}

/** Call `visit(0..count-1)`, a few at once; after a failure no further call starts. */
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
