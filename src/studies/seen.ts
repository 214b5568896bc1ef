/** @file Warns of records that a network has learned from. A network is more sure and more often
 *  right on them than on any other records. The model card names them. */
import { DynnError } from "../core/errors.js";
import type { Dataset } from "../data/dataset.js";
import type { DynamicModel } from "../dynamic/model/model.js";
import { RECIPE_DEFINITIONS } from "../schema/training.js";
import { readCard } from "../training/run/card.js";

/** Records of a measurement, and what they are used for: "reported". */
export interface UsedData {
  readonly use: string;
  readonly data: Pick<Dataset, "name">;
}

/** The name of the data that a subset was cut from. */
const wholeName = (name: string): string => name.replace(/#validation$/, "");

/** One sentence per use of records that may be among those that the network was trained on, by the
 * names on its card. A card that cannot be read gives none: `inspect` shows what is wrong. */
export function seenWarnings(
  { metadata, name }: Pick<DynamicModel, "metadata" | "name">,
  used: readonly UsedData[],
): string[] {
  const card = cardOrNone(metadata, name);
  if (!card) return [];
  const { train, validation } = card.data;
  const learner = RECIPE_DEFINITIONS[card.training.recipe].frozen ? "the heads" : "the network";
  const sets = [
    { set: train, did: `${learner} learned from ${train.count} records of it` },
    { set: validation, did: `${validation.count} records of it chose among the states of ${learner}` },
  ];
  return [...groupedByName(used)].flatMap(([whole, uses]) => {
    const known = sets.find(({ set }) => wholeName(set.name) === whole);
    if (!known) return [];
    return [
      `${whole} (${uses.join(" and ")}): by the model card, ${known.did}. On records that a network has learned from, accuracy and savings are better than on others. Give other data.`,
    ];
  });
}

/** The uses of each data set. */
function groupedByName(used: readonly UsedData[]): ReadonlyMap<string, readonly string[]> {
  const uses = new Map<string, readonly string[]>();
  for (const { use, data } of used) {
    const whole = wholeName(data.name);
    uses.set(whole, [...(uses.get(whole) ?? []), use]);
  }
  return uses;
}

function cardOrNone(metadata: ReadonlyMap<string, string>, name: string) {
  try {
    return readCard(metadata, name);
  } catch (error) {
    if (error instanceof DynnError && error.code === "model/metadata") return undefined;
    throw error;
  }
}
