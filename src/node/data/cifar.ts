/** @file Reads CIFAR-10 and CIFAR-100 from the folder of their unpacked official binary archives.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { DynnError } from "../../core/errors.js";
import { CIFAR10, CIFAR100, type CifarVariant, parseCifar } from "../../data/cifar.js";
import { concat, type Dataset } from "../../data/dataset.js";
import { readBytes } from "./read.js";

interface Archive {
  readonly scheme: string;
  readonly variant: CifarVariant;
  readonly folder: string;
  /** The file of the class names, one name per line. */
  readonly classFile: string;
  readonly test: readonly [string, ...string[]];
  readonly train: readonly [string, ...string[]];
}

export const CIFAR10_ARCHIVE: Archive = {
  scheme: "cifar10",
  variant: CIFAR10,
  folder: "cifar-10-batches-bin",
  classFile: "batches.meta.txt",
  test: ["test_batch.bin"],
  train: ["data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin", "data_batch_5.bin"],
};

export const CIFAR100_ARCHIVE: Archive = {
  scheme: "cifar100",
  variant: CIFAR100,
  folder: "cifar-100-binary",
  classFile: "fine_label_names.txt",
  test: ["test.bin"],
  train: ["train.bin"],
};

/** Open the records of one split in file order.
 * @param argument DIR, DIR#test or DIR#train. DIR is the archive's folder or the folder that holds
 *   it.
 * @throws DynnError 'data/missing', 'data/truncated', 'data/label', 'data/format' (class names) */
export async function openCifar(archive: Archive, argument: string): Promise<Dataset> {
  const [, dir, split] = /^(.*?)(?:#(test|train))?$/s.exec(argument) as unknown as [
    string,
    string,
    "test" | "train" | undefined,
  ];
  const name = `${archive.scheme}:${split ?? "test"}`;
  const files = archive[split ?? "test"];
  const folder = findFolder(archive, dir, files[0]);
  const variant = { ...archive.variant, classes: await readClasses(archive, folder) };
  const parse = async (file: string) =>
    parseCifar(await readBytes(join(folder, file)), variant, { name, file: join(folder, file) });
  const [first, ...rest] = await Promise.all(files.map(parse));
  return concat([first, ...rest], name);
}

function findFolder(archive: Archive, dir: string, file: string): string {
  const folder = [dir, join(dir, archive.folder)].find((candidate) => existsSync(join(candidate, file)));
  if (folder !== undefined) return folder;
  throw new DynnError(
    "data/missing",
    `${archive.scheme}:${dir}: there is no ${file} in this folder or in its ${archive.folder}. Give the folder of the unpacked binary archive.`,
    { dir, file },
  );
}

async function readClasses(archive: Archive, folder: string): Promise<readonly string[]> {
  const file = join(folder, archive.classFile);
  if (!existsSync(file)) return archive.variant.classes;
  const text = new TextDecoder().decode(await readBytes(file));
  const names = text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");
  const expected = archive.variant.classes.length;
  if (names.length === expected) return names;
  throw new DynnError(
    "data/format",
    `${file}: got ${names.length} class names, expected ${expected}, one per line. Restore the file, or remove it to use the standard names.`,
    { file, got: names.length, expected },
  );
}
