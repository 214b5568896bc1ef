/** @file A bundle in memory: the manifest of an export and its opened parts. */
import { DynnError } from "../core/errors.js";
import type { Graph } from "../graph/graph.js";
import type { Manifest, ManifestPart } from "./manifest.js";

/** One part of a bundle with its graph. */
export interface BundlePart extends ManifestPart {
  /** The graph of the part's file. Any backend can run it. */
  readonly graph: Graph;
}

/** An opened bundle: its manifest and the parts that were read. */
export interface Bundle {
  /** The folder that the bundle was read from. */
  readonly folder: string;
  /** The manifest: which file holds which exits, and how to choose an exit. */
  readonly manifest: Manifest;
  /** The opened parts, in the order in which they run. */
  readonly parts: readonly BundlePart[];
}

/** The two sides of a split: the device runs the first part, the server runs the second. */
export type Side = "device" | "server";

export const sideOf = ({ parts }: Manifest, side: Side | undefined): readonly ManifestPart[] =>
  side === undefined ? parts : side === "device" ? parts.slice(0, 1) : parts.slice(1);

/** The parts that a side runs.
 * @throws DynnError 'serve/config' when the bundle was opened without one of them */
export function partsOf({ folder, manifest, parts }: Bundle, side?: Side): readonly BundlePart[] {
  const wanted = sideOf(manifest, side);
  const closed = wanted.find(({ file }) => !parts.some((part) => part.file === file));
  if (!closed) return parts.filter(({ file }) => wanted.some((part) => part.file === file));
  throw new DynnError(
    "serve/config",
    `${folder}: was opened without part "${closed.name}", but this machine runs that part. Open the bundle for ${side === undefined ? "both sides" : `side "${side}"`}.`,
    { part: closed.name, opened: parts.map(({ name }) => name) },
  );
}
