/** @file The gates of a network as its metadata state them. */
import type { StatedGates } from "../../dynamic/model/gates.js";
import { readMetadata } from "../../dynamic/model/metadata.js";
import type { TrainedGate } from "./attach.js";

/** Gates in training, as the metadata of a file state them. Undefined without gates. */
export const statedGates = (gates: readonly TrainedGate[] = []): StatedGates | undefined =>
  gates.length === 0 ? undefined : gates.map(({ name, score, value, branch }) => ({ name, score, value, branch }));

/** The gates that a file has. Their values keep their names while the network is trained, and while
 * exits are attached. Undefined without gates.
 * @throws DynnError 'model/metadata' */
export const gatesOf = (metadata: ReadonlyMap<string, string>, where: string): StatedGates | undefined =>
  readMetadata(metadata, where).gates;
