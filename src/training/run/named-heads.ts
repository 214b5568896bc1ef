/** @file Early heads of a file that a request for exits names, in place of places for new heads. */
import { readMetadata } from "../../dynamic/model/metadata.js";
import type { ExitSpec } from "../../dynamic/place/exits.js";
import { consumers } from "../../graph/graph.js";
import type { OnnxModel } from "../../onnx/model.js";

/** The early heads that a request names: exits that the file states, or outputs that no node reads.
 * Undefined when the request names anything else, such as places for new heads.
 * @param where what the file is called in errors
 * @throws DynnError 'model/metadata'
 * @example
 * namedHeads(source, parseExits("head1,head2"), "net.onnx"); // ["head1", "head2"] */
export function namedHeads(
  { graph, metadata }: OnnxModel,
  exits: ExitSpec | undefined,
  where: string,
): readonly string[] | undefined {
  if (exits?.kind !== "values") return undefined;
  const readers = consumers(graph);
  const ends = graph.outputs.map(({ name }) => name).filter((name) => !readers.has(name));
  const stated = readMetadata(metadata, where).exits ?? [];
  const heads = new Set([...ends, ...stated.flatMap(({ name, logits }) => [name, logits])]);
  return exits.values.every((name) => heads.has(name)) ? exits.values : undefined;
}
