/** @file Opens a folder of images, with one sub-folder for each class. */
import { basename, join, resolve } from "node:path";
import { DynnError } from "../../core/errors.js";
import { type Dataset, makeDataset, writePixels } from "../../data/dataset.js";
import { cropPlanes, decodeImage, extensionOf, IMAGE_EXTENSIONS, imageSize, type Size } from "./image.js";
import { listFolder, listFolders } from "./read.js";

const AT_ONCE = 8;
const MAX_SIDE = 4096;

/** Open a folder. Files with other extensions than those of images are passed over and counted; a
 * sub-folder without images is
 *  not a class. The data set's notes name both.
 * @param argument DIR, or DIR?size=WIDTHxHEIGHT to stretch every image to one size
 * @throws DynnError 'data/missing', 'data/spec', 'data/shape' (images of several sizes),
 *   'data/format' */
export async function openFolder(argument: string): Promise<Dataset> {
  const { dir, size: wanted } = parseArgument(argument);
  const folders = inOrder(await listFolders(dir));
  const found = await Promise.all(folders.map((name) => findImages(join(dir, name))));
  const unread = [...found, await outsideClasses(dir)];
  const classes = folders.filter((_, i) => found[i].images.length > 0);
  const records = takeTurns(found.map(({ images }) => images).filter((images) => images.length > 0));
  const files = records.map((record) => record.file);
  if (files.length === 0)
    throw new DynnError(
      "data/missing",
      `folder:${dir}: no images in its ${folders.length} sub-folders${inBrackets(passedOver(unread))}. Give a folder with one sub-folder of ${IMAGE_EXTENSIONS.join(" ")} files for each class.`,
      { dir, classes: folders },
    );
  const size = wanted ?? (await commonSize(files));
  const labels = Int32Array.from(records, (record) => record.label);
  const header = {
    name: `folder:${basename(resolve(dir))}`,
    shape: [3, size.height, size.width] as const,
    classes,
    labels,
    notes: notesOf(`folder:${basename(resolve(dir))}`, folders, found, passedOver(unread)),
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

/** The images in a folder, and what else is in it. */
export interface FolderContent {
  /** Paths, by name. */
  readonly images: readonly string[];
  /** Extension of each other file, or "folder". */
  readonly others: readonly string[];
}

/** Look for images in a folder. Hidden files do not count.
 * @throws DynnError 'data/missing', 'file/unreadable' */
export async function findImages(folder: string): Promise<FolderContent> {
  const folders = new Set(await listFolders(folder));
  const names = await listFolder(folder);
  const isImage = (name: string) => !folders.has(name) && IMAGE_EXTENSIONS.includes(extensionOf(name));
  const kindOf = (name: string) => (folders.has(name) ? "folder" : extensionOf(name) || "no extension");
  return {
    images: names.filter(isImage).map((name) => join(folder, name)),
    others: names.filter((name) => !isImage(name)).map(kindOf),
  };
}

/** "35 files passed over: 34 .bmp, 1 .txt", or nothing. */
export function passedOver(found: readonly FolderContent[]): string | undefined {
  const all = found.flatMap(({ others }) => others);
  const [folders, files] = [all.filter((kind) => kind === "folder"), all.filter((kind) => kind !== "folder")];
  const kinds = [...new Set(files)].sort();
  const counts = kinds.map((kind) => (kinds.length === 1 ? kind : `${files.filter((k) => k === kind).length} ${kind}`));
  const parts = [
    ...(files.length > 0 ? [`${counted(files.length, "file")} passed over: ${counts.join(", ")}`] : []),
    ...(folders.length > 0 ? [`${counted(folders.length, "folder")} within classes not read`] : []),
  ];
  return parts.length > 0 ? parts.join("; ") : undefined;
}

const counted = (count: number, what: string): string => `${count} ${what}${count === 1 ? "" : "s"}`;

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
  const { images, others } = await findImages(dir);
  const files = others.filter((kind) => kind !== "folder");
  return { images: [], others: [...images.map((image) => `${extensionOf(image)} outside a class`), ...files] };
}

/** The files in turn, one of each class at a time. */
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
