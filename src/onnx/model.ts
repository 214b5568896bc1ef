/** @file What an ONNX file says as a whole, and the versions of ONNX that dynn reads and writes.
 *  Source: ONNX "Versioning" (table of releases: IR version and ai.onnx operator set). */
import type { Graph } from "../graph/graph.js";

/** What an ONNX file holds. */
export interface OnnxModel {
  /** The main graph. */
  readonly graph: Graph;
  /** `metadata_props`; what dynn itself stores there begins with `dynn.`. */
  readonly metadata: ReadonlyMap<string, string>;
  /** Name and version of the tool that wrote the file. */
  readonly producer: { readonly name: string; readonly version: string };
  /** Version of the file format. */
  readonly irVersion: number;
  /** Operator set version of each domain; "" is ai.onnx. */
  readonly opsets: ReadonlyMap<string, number>;
}

/** The IR version of the ONNX release that brought each ai.onnx operator set: the oldest that may hold it. */
export const IR_OF_OPSET: Readonly<Record<number, number>> = {
  11: 6,
  12: 7,
  13: 7,
  14: 7,
  15: 8,
  16: 8,
  17: 8,
  18: 8,
  19: 9,
  20: 9,
  21: 10,
};

/** The opsets that dynn reads. */
export const OPSETS = { oldest: 11, newest: 21 } as const;
export const IR_VERSIONS = { oldest: 3, newest: 14 } as const;

/** "ai.onnx" and "" are two spellings of one domain. */
export const tidyDomain = (domain: string): string => (domain === "ai.onnx" ? "" : domain);
