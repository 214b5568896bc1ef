/** @file The content of an ONNX file, and the versions of ONNX that dynn reads and writes.
 *  Source: ONNX "Versioning" (table of releases: IR version and ai.onnx operator set). */
import type { Graph } from "../graph/graph.js";

/** The content of an ONNX file. */
export interface OnnxModel {
  /** The main graph. */
  readonly graph: Graph;
  /** `metadata_props`. The keys that dynn writes begin with `dynn.`. */
  readonly metadata: ReadonlyMap<string, string>;
  /** Name and version of the tool that wrote the file. */
  readonly producer: { readonly name: string; readonly version: string };
  /** Version of the file format. */
  readonly irVersion: number;
  /** Operator set version of each domain; "" is ai.onnx. */
  readonly opsets: ReadonlyMap<string, number>;
  /** What the reader changed, one sentence each. Left out: nothing. */
  readonly changes?: readonly string[];
  /** SHA-256 of the file, then of its data files in the order in which they were read. Left out: it
   * was read from memory. */
  readonly sha256?: string;
}

/** The IR version of the ONNX release that introduced each ai.onnx operator set. It is the
 * oldest IR version that may hold the operator set. */
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

/** The opsets that dynn computes with and writes. */
export const OPSETS = { oldest: 11, newest: 21 } as const;
/** The opsets that dynn reads. Outside {@link OPSETS}, nodes take the form of the nearest one. */
export const READ_OPSETS = { oldest: 7, newest: 24 } as const;
export const IR_VERSIONS = { oldest: 3, newest: 14 } as const;

/** "ai.onnx" and "" name the same domain. */
export const tidyDomain = (domain: string): string => (domain === "ai.onnx" ? "" : domain);
