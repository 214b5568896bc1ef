/** @file Mirrors of the zoo: folders and addresses that `DYNN_ZOO` names. Nothing is fetched from
 *  an address that the user did not name. */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { sha256 } from "../../core/digest.js";
import { DynnError, reasonOf } from "../../core/errors.js";
import { RECIPE_DEFINITIONS } from "../../schema/training.js";
import type { ZooIndex, ZooNetwork } from "../../schema/zoo.js";
import { cachedZoo } from "../cache.js";
import { replaceFile } from "../output-files.js";
import { INDEX, parseIndex, recordNetwork } from "./index-file.js";

/** The mirrors in the order of `DYNN_ZOO`, a list with commas. */
export const mirrors = (): string[] =>
  (process.env.DYNN_ZOO ?? "")
    .split(",")
    .map((one) => one.trim())
    .filter((one) => one !== "");

/** Whether a mirror is an address. Other mirrors are folders. */
export const isUrl = (mirror: string): boolean => /^https?:\/\//.test(mirror);

/** Largest index, in bytes. */
const INDEX_BYTES = 16 * 2 ** 20;
/** Longest time for one file, in milliseconds. */
const LIMIT_MS = 10 * 60_000;

/** Fetches a network from an address into the cache, with the file that holds its backbone. Does
 * nothing when the address does not have the network.
 * @throws DynnError 'zoo/download', 'zoo/damaged', 'zoo/index', 'file/unwritable', 'file/full' */
export async function fetchNetwork(mirror: string, name: string, index: ZooIndex): Promise<void> {
  const theirs = parseIndex(await getJson(mirror), mirror);
  const of = (one: string): ZooNetwork | undefined => (index.networks[one]?.result ? index : theirs).networks[one];
  const network = of(name);
  if (!network?.result || !theirs.networks[name]?.result) return;
  const backbone = network.init !== null && RECIPE_DEFINITIONS[network.recipe].frozen ? [network.init] : [];
  for (const one of [...backbone, name]) {
    const entry = of(one);
    if (entry?.result) await fetchFile(mirror, one, entry, theirs);
  }
}

async function fetchFile(mirror: string, name: string, network: ZooNetwork, { data }: ZooIndex): Promise<void> {
  const { file } = network.result ?? {};
  if (!file) return;
  const folder = cachedZoo();
  const bytes = await get(mirror, `${name}.onnx`, file.bytes);
  const got = sha256(bytes);
  if (got !== file.sha256)
    throw new DynnError(
      "zoo/damaged",
      `${mirror}: the SHA-256 of ${name}.onnx is ${got}, expected ${file.sha256}. Use another mirror.`,
      { mirror, name, got, expected: file.sha256 },
    );
  await mkdir(folder, { recursive: true });
  await replaceFile(join(folder, `${name}.onnx`), bytes);
  await recordNetwork(folder, [name, network], { data });
}

/** @throws DynnError 'zoo/download', 'zoo/index' */
async function getJson(mirror: string): Promise<unknown> {
  const text = new TextDecoder().decode(await get(mirror, INDEX, INDEX_BYTES));
  try {
    return JSON.parse(text) as unknown;
  } catch (cause) {
    throw new DynnError(
      "zoo/index",
      `${mirror}: its ${INDEX} is not JSON (${reasonOf(cause)}). Check the address in DYNN_ZOO.`,
      { mirror },
      { cause },
    );
  }
}

/** The bytes of a file of a mirror.
 * @throws DynnError 'zoo/download' */
async function get(mirror: string, file: string, limit: number): Promise<Uint8Array> {
  const url = `${mirror.replace(/\/+$/, "")}/${file}`;
  const refuse = (reason: string, cause?: unknown) =>
    new DynnError(
      "zoo/download",
      `${url}: cannot be fetched (${reason}). Check the address in DYNN_ZOO.`,
      { url },
      { cause },
    );
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(LIMIT_MS) });
    if (!response.ok) throw refuse(`the server answers ${response.status}`);
    return await readLimited(response, limit, () => refuse(`it has more than ${limit} bytes`));
  } catch (cause) {
    throw cause instanceof DynnError ? cause : refuse(reasonOf(cause), cause);
  }
}

async function readLimited(response: Response, limit: number, tooLong: () => DynnError): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const part of response.body ?? []) {
    length += part.length;
    if (length > limit) throw tooLong();
    parts.push(part);
  }
  return new Uint8Array(Buffer.concat(parts));
}
