/** @file Reads the wire form of a split bundle from its manifest. */

import { sha256 } from "../core/digest.js";
import { DynnError } from "../core/errors.js";
import { confidenceRange } from "../dynamic/route/policy.js";
import type { Manifest } from "./manifest.js";
import type { WireForm } from "./wire.js";

/** The SHA-256 that identifies an export. For a manifest as dynn writes it,
 * `sha256sum manifest.json` prints the same. */
export const fingerprintOf = (manifest: Manifest): string =>
  sha256(new TextEncoder().encode(`${JSON.stringify(manifest, undefined, 2)}\n`));

/** The form of the requests from the device to the server.
 * @throws DynnError 'serve/config' when the bundle is not a split */
export function wireFormOf(manifest: Manifest): WireForm {
  const [device, server] = manifest.parts;
  if (manifest.kind !== "split" || !device || !server)
    throw new DynnError(
      "serve/config",
      `${manifest.model}: is a ${manifest.kind} bundle, expected a split bundle. Make one with \`dynn export --format split\`.`,
      { kind: manifest.kind },
    );
  return {
    fingerprint: fingerprintOf(manifest),
    deviceExits: device.exits.length,
    gates: (device.gates ?? []).map(({ gate }) => gate),
    classes: manifest.classes.count,
    confidences: confidenceRange(manifest.policy.rule, manifest.classes.count),
    values: server.inputs.map(({ name, dtype, shape: [, ...dims] }) => ({ name, dtype, dims })),
  };
}
