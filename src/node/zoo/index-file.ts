/** @file Reads and writes the index of a zoo: a folder with networks and their `index.json`. */
import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { DynnError } from "../../core/errors.js";
import { type ZooIndex, type ZooNetwork, zooIndexSchema } from "../../schema/zoo.js";
import { packageFile } from "../data/package-root.js";
import { readJson, writeText } from "../files.js";

/** The name of an index in its folder. */
export const INDEX = "index.json";

/** The index that comes with dynn. */
export const ownIndex = (): Promise<ZooIndex> => readIndex(packageFile("zoo", INDEX));

/** Reads an index.
 * @throws DynnError 'file/missing', 'file/unreadable', 'zoo/index' */
export async function readIndex(path: string): Promise<ZooIndex> {
  return parseIndex(await readJson(path, "zoo/index"), path);
}

/** Checks an index.
 * @throws DynnError 'zoo/index' */
export function parseIndex(json: unknown, where: string): ZooIndex {
  const read = zooIndexSchema.safeParse(json);
  if (read.success) return read.data;
  throw new DynnError(
    "zoo/index",
    `${where}: is not an index of networks: ${z.prettifyError(read.error).replaceAll(/\s*\n\s*/g, "; ")}. Give an index that dynn wrote.`,
    { where },
  );
}

/** The index of a folder. Undefined when the folder has none.
 * @throws DynnError 'file/unreadable', 'zoo/index' */
export async function indexOf(folder: string): Promise<ZooIndex | undefined> {
  const path = join(folder, INDEX);
  return existsSync(path) ? readIndex(path) : undefined;
}

/** Writes the entry of a network into the index of a folder. An index that does not exist yet gets
 * the facts of another one, and the networks that the folder holds.
 * @throws DynnError 'file/unwritable', 'file/full', 'zoo/index' */
export async function recordNetwork(
  folder: string,
  [name, network]: readonly [string, ZooNetwork],
  { data }: Pick<ZooIndex, "data">,
): Promise<void> {
  await mkdir(folder, { recursive: true });
  const before = (await indexOf(folder)) ?? { schemaVersion: 1, data, aliases: {}, networks: {} };
  const networks = { ...before.networks, [name]: network };
  await writeText(join(folder, INDEX), `${JSON.stringify({ ...before, networks }, undefined, 2)}\n`);
}
