/** @file The model card in the metadata of a model file. */
import { readEntry } from "../../dynamic/model/metadata.js";
import { METADATA_KEYS } from "../../schema/metadata.js";
import { type ModelCard, modelCardSchema } from "../../schema/model-card.js";

/** The metadata entry of a card. */
export const cardEntry = (card: ModelCard): readonly [key: string, json: string] => [
  METADATA_KEYS.card,
  JSON.stringify(card),
];

/** The card of a model file. Undefined when the file does not have one.
 * @throws DynnError 'model/metadata' when the entry does not hold a card */
export const readCard = (metadata: ReadonlyMap<string, string>, where: string): ModelCard | undefined =>
  readEntry(metadata, METADATA_KEYS.card, modelCardSchema, where);
