/** @file The form in which a trained network is published: rounded weights, the thresholds of the
 *  first goal, and a card with the measured answers. */
import { writeMetadata } from "../../dynamic/model/metadata.js";
import type { OnnxModel } from "../../onnx/model.js";
import { METADATA_KEYS } from "../../schema/metadata.js";
import { type ModelCard, modelCardSchema } from "../../schema/model-card.js";
import type { ZooResult } from "../../schema/zoo.js";
import { roundedWeights } from "../../training/zoo/publication.js";
import { type MeasuredNetwork, measureNetwork, type ZooMeasurement } from "./measure.js";

/** A network in its published form, with what was measured on it. */
export interface PublishedNetwork {
  readonly model: OnnxModel;
  readonly measured: MeasuredNetwork;
}

/** Makes the published form of a trained network.
 * @throws DynnError as `measureNetwork` */
export async function publishedNetwork(source: OnnxModel, measurement: ZooMeasurement): Promise<PublishedNetwork> {
  const graph = roundedWeights(source.graph);
  const measured = await measureNetwork({ graph, metadata: source.metadata }, measurement);
  const { policy } = measured;
  const metadata = new Map([
    ...source.metadata,
    ...writeMetadata(policy ? { policy } : {}),
    ...cardAs(source.metadata, measured),
  ]);
  return { model: { ...source, graph, metadata }, measured };
}

/** The card with the answers of the published file. */
function cardAs(
  metadata: ReadonlyMap<string, string>,
  { exits }: Pick<ZooResult, "exits">,
): ReadonlyMap<string, string> {
  const text = metadata.get(METADATA_KEYS.card);
  if (text === undefined) return new Map();
  const card: ModelCard = modelCardSchema.parse(JSON.parse(text));
  const measured = card.exits.map((exit, k) => ({ ...exit, validation: exits[k]?.validation, test: exits[k]?.test }));
  return new Map([[METADATA_KEYS.card, JSON.stringify({ ...card, exits: measured })]]);
}
