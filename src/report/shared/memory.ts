/** @file Says how many images run together, and what memory they were expected to take. */
import { showBytes } from "../../core/units.js";
import type { BatchMemory } from "../../schema/batch.js";

/** A batch in words: "16, chosen: 47.5 MB an image, 774 MB a run". */
export function batchWords({ batch, chosen, bytesPerSample, bytes }: BatchMemory): string {
  const start = `${batch}, ${chosen ? "chosen" : "given"}`;
  if (bytes === undefined || bytesPerSample === undefined) return `${start}; the memory of a run is not known`;
  return `${start}: ${showBytes(bytesPerSample)} an image, ${showBytes(bytes)} a run`;
}

/** One line with the batch of a record. Empty for records of earlier releases.
 * @param of what runs in this batch, where not all runs do */
export const batchLine = (memory: BatchMemory | undefined, of = ""): string =>
  memory === undefined ? "" : `batch ${batchWords(memory)}${of}\n`;
