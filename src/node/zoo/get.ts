/** @file Copies a network of the zoo into the cache. */
import { mkdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { RECIPE_DEFINITIONS } from "../../schema/training.js";
import { cachedZoo } from "../cache.js";
import { readBytes } from "../onnx-files.js";
import { replaceFile } from "../output-files.js";
import { indexOf, ownIndex, recordNetwork } from "./index-file.js";
import { findNetwork, type ZooFile } from "./places.js";

/** Finds a network, and copies it into the cache when it lies in a folder that DYNN_ZOO names. The
 * file that holds a frozen backbone comes with it.
 * @throws DynnError the errors of {@link findNetwork}; 'file/unwritable', 'file/full' */
export async function keepNetwork(spec: string): Promise<ZooFile> {
  const found = await findNetwork(spec);
  if (found.kind !== "mirror") return found;
  const own = await ownIndex();
  const index = (await indexOf(dirname(found.path))) ?? own;
  const network = own.networks[found.name]?.result ? own.networks[found.name] : index.networks[found.name];
  if (network?.init && RECIPE_DEFINITIONS[network.recipe].frozen) await keepNetwork(network.init);
  const path = join(cachedZoo(), `${found.name}.onnx`);
  await mkdir(cachedZoo(), { recursive: true });
  await replaceFile(path, await readBytes(found.path));
  if (network) await recordNetwork(cachedZoo(), [found.name, network], index);
  return { ...found, path, kind: "cache" };
}
