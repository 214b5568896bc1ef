/** @file Where networks of the zoo are: bundled with dynn, in an installed package, in the cache,
 *  in a mirror. Every file is compared with the SHA-256 in an index before it is used. */

import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";
import { sha256 } from "../../core/digest.js";
import { DynnError } from "../../core/errors.js";
import { didYouMean } from "../../core/guess.js";
import { RECIPE_DEFINITIONS } from "../../schema/training.js";
import type { ZooIndex, ZooNetwork } from "../../schema/zoo.js";
import { cachedZoo } from "../cache.js";
import { packageFile } from "../data/package-root.js";
import { readBytes } from "../onnx-files.js";
import { indexOf, ownIndex } from "./index-file.js";
import { fetchNetwork, isUrl, mirrors } from "./mirrors.js";

/** A kind of place. */
export type PlaceKind = "bundled" | "package" | "cache" | "mirror";

/** A file of the zoo that was found and checked. */
export interface ZooFile {
  /** The name in the index. */
  readonly name: string;
  readonly path: string;
  readonly kind: PlaceKind;
  readonly sha256: string;
}

/** A folder that may hold a network. */
interface Place {
  readonly kind: PlaceKind;
  readonly folder: string;
  /** Whether the folder's own index comes before dynn's. */
  readonly ownFirst: boolean;
}

/** The name in an index, for a name or an earlier name. */
export const canonicalName = ({ aliases }: Pick<ZooIndex, "aliases">, name: string): string =>
  Object.hasOwn(aliases, name) ? aliases[name] : name;

const PIN = /^(.*?)(?:@sha256:([0-9a-f]{64}))?$/s;

/** Finds a network and checks its bytes.
 * @param spec the name, or NAME@sha256:HEX to accept these bytes alone
 * @throws DynnError 'zoo/unknown', 'zoo/missing', 'zoo/damaged', 'zoo/index', 'zoo/download' */
export async function findNetwork(spec: string): Promise<ZooFile> {
  const [, asked = spec, pin] = PIN.exec(spec) ?? [];
  const index = await ownIndex();
  const name = canonicalName(index, asked);
  for (const place of placesOf(name)) {
    const found = await foundIn(place, name, index, pin);
    if (found) return found;
  }
  for (const mirror of mirrors().filter(isUrl)) {
    await fetchNetwork(mirror, name, index);
    const found = await foundIn(CACHE(), name, index, pin);
    if (found) return found;
  }
  throw (await isKnown(name, index)) ? missing(name, index) : unknown(asked, index);
}

/** The names that a word may mean, of networks and of their aliases.
 * @param word a text in the place of a model's path */
export async function zooGuess(word: string): Promise<string> {
  const { networks, aliases } = await ownIndex();
  return didYouMean(
    word.replace(/\.onnx$/, ""),
    [...Object.keys(aliases), ...Object.keys(networks)],
    (one) => `zoo:${one}`,
  );
}

const CACHE = (): Place => ({ kind: "cache", folder: cachedZoo(), ownFirst: true });

/** Folders of this machine, in the order in which they are searched. */
function placesOf(name: string): Place[] {
  const installed = packageOf(name);
  return [
    { kind: "bundled", folder: packageFile("zoo"), ownFirst: true },
    ...(installed === undefined ? [] : [{ kind: "package" as const, folder: installed, ownFirst: false }]),
    CACHE(),
    ...mirrors()
      .filter((mirror) => !isUrl(mirror))
      .map((folder) => ({ kind: "mirror" as const, folder, ownFirst: false })),
  ];
}

/** Which place of this machine has a file of this name. The file is not checked.
 * @param name the name in the index */
export const localPlace = (name: string): PlaceKind | undefined =>
  placesOf(name).find(({ folder }) => existsSync(join(folder, `${name}.onnx`)))?.kind;

/** The folder of the package dynn-zoo-NAME, which the user's project or dynn's may have. */
function packageOf(name: string): string | undefined {
  for (const from of [join(process.cwd(), "package.json"), import.meta.url]) {
    try {
      return dirname(createRequire(from).resolve(`dynn-zoo-${name}/package.json`));
    } catch {
      // The package is not installed there.
    }
  }
  return undefined;
}

async function foundIn(
  { kind, folder, ownFirst }: Place,
  name: string,
  index: ZooIndex,
  pin: string | undefined,
): Promise<ZooFile | undefined> {
  const path = join(folder, `${name}.onnx`);
  if (!existsSync(path)) return undefined;
  const theirs = kind === "bundled" ? undefined : (await indexOf(folder))?.networks[name];
  const known = ownFirst ? [theirs, index.networks[name]] : [index.networks[name], theirs];
  const entry = known.find((network) => network?.result);
  const expected = pin ?? entry?.result?.file.sha256;
  if (expected === undefined) return undefined;
  await checkDigest(path, expected);
  if (entry) await checkBackbone(folder, entry, index);
  return { name, path, kind, sha256: expected };
}

/** The files that were compared, and their digest then. */
const compared = new Map<string, string>();

/** @throws DynnError 'zoo/damaged' */
async function checkDigest(path: string, expected: string): Promise<void> {
  const place = resolve(path);
  const got = compared.get(place) ?? sha256(await readBytes(path));
  compared.set(place, got);
  if (got === expected) return;
  throw new DynnError(
    "zoo/damaged",
    `${path}: its SHA-256 is ${got}, expected ${expected}. Remove the file and get the network again, or name the version that you want.`,
    { path, got, expected },
  );
}

/** A frozen backbone lies in the file of another network. That file is checked too.
 * @throws DynnError 'zoo/damaged' */
async function checkBackbone(folder: string, { recipe, init }: ZooNetwork, index: ZooIndex): Promise<void> {
  if (init === null || !RECIPE_DEFINITIONS[recipe].frozen) return;
  const path = join(folder, `${init}.onnx`);
  const expected = ((await indexOf(folder))?.networks[init] ?? index.networks[init])?.result?.file.sha256;
  if (existsSync(path) && expected !== undefined) await checkDigest(path, expected);
}

async function isKnown(name: string, { networks }: ZooIndex): Promise<boolean> {
  return Object.hasOwn(networks, name) || Object.hasOwn((await indexOf(cachedZoo()))?.networks ?? {}, name);
}

function unknown(name: string, { networks, aliases }: ZooIndex): DynnError {
  const names = [...Object.keys(aliases), ...Object.keys(networks)];
  // The thin networks with seeds are many. The list has them.
  const here = names
    .filter((known) => networks[known]?.tier !== "small")
    .filter((known) => existsSync(packageFile("zoo", `${canonicalName({ aliases }, known)}.onnx`)));
  return new DynnError(
    "zoo/unknown",
    `zoo:${name}: the zoo has no network of this name.${didYouMean(name, names, (one) => `zoo:${one}`)} Choose from ${here.join(", ")}, see \`dynn zoo list\` for all ${Object.keys(networks).length}, or give the path of an ONNX file.`,
    { name, names },
  );
}

function missing(name: string, { networks }: ZooIndex): DynnError {
  const published = networks[name]?.result;
  const state = published ? "this machine does not have the file" : "the network is not trained yet";
  return new DynnError(
    "zoo/missing",
    `zoo:${name}: ${state}. Train it with \`dynn zoo train ${name}\`, install the package dynn-zoo-${name}, put ${name}.onnx with its index.json into ${cachedZoo()}, or name a folder or an address that has both in DYNN_ZOO.`,
    { name, cache: cachedZoo() },
  );
}
