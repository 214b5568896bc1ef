/** @file The networks that a call of `dynn zoo` is about. */
import { DynnError } from "../../core/errors.js";
import { cachedZoo } from "../../node/cache.js";
import { indexOf, ownIndex, readIndex } from "../../node/zoo/index-file.js";
import { canonicalName } from "../../node/zoo/places.js";
import type { Tier, ZooIndex, ZooNetwork } from "../../schema/zoo.js";

/** The flags of `dynn zoo train`. */
export interface TrainZooFlags {
  readonly tier?: Tier;
  readonly data: string;
  readonly plan?: boolean;
  readonly index?: string;
  readonly out?: string;
}

/** A network with its name. */
export type Named = readonly [name: string, network: ZooNetwork];

/** The index of a file, or dynn's own with what the cache knows besides.
 * @throws DynnError 'file/missing', 'zoo/index' */
export async function openIndex(path?: string): Promise<ZooIndex> {
  if (path !== undefined) return readIndex(path);
  const [own, cached] = [await ownIndex(), await indexOf(cachedZoo())];
  return { ...own, networks: withResults(own.networks, cached?.networks ?? {}) };
}

/** The networks, with the results of others where they have none. */
export function withResults(own: ZooIndex["networks"], others: ZooIndex["networks"]): ZooIndex["networks"] {
  const known = Object.entries(own).map(([name, network]) => {
    const result = network.result ?? (Object.hasOwn(others, name) ? others[name].result : null);
    return [name, { ...network, result }] as const;
  });
  return { ...others, ...Object.fromEntries(known) };
}

/** The named networks, or all of a tier, in the order of the index.
 * @throws DynnError 'zoo/unknown' */
export function chosen(index: ZooIndex, names: readonly string[], tier?: Tier): Named[] {
  const wanted = names.map((name) => canonicalName(index, name));
  const unknown = wanted.findIndex((name) => !Object.hasOwn(index.networks, name));
  if (unknown >= 0)
    throw new DynnError(
      "zoo/unknown",
      `${names[unknown]}: the index has no network of this name. \`dynn zoo list\` shows all ${Object.keys(index.networks).length}.`,
      { name: names[unknown] },
    );
  return Object.entries(index.networks).filter(
    ([name, network]) =>
      (wanted.length === 0 || wanted.includes(name)) && (tier === undefined || network.tier === tier),
  );
}
