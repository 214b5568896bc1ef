/** @file Manifests of finished tasks as JSON, for stores outside the process. */
import { z } from "zod";
import { DynnError } from "../../core/errors.js";
import type { Manifest } from "../../studies/tasks/store.js";

const schema = z.object({
  schemaVersion: z.literal(1),
  key: z.string(),
  task: z.object({
    kind: z.string(),
    version: z.number(),
    parameters: z.record(z.string(), z.json()),
    inputs: z.record(z.string(), z.array(z.string())),
  }),
  files: z.record(z.string(), z.object({ sha256: z.string(), bytes: z.number() })),
  facts: z.record(z.string(), z.json()),
});

/** @throws DynnError 'store/damaged' */
export function parseManifest(bytes: Uint8Array, where: string): Manifest {
  try {
    return schema.parse(JSON.parse(new TextDecoder().decode(bytes)));
  } catch (cause) {
    throw damaged(where, "is not a manifest", cause);
  }
}

export const manifestBytes = (manifest: Manifest): Uint8Array =>
  new TextEncoder().encode(`${JSON.stringify(manifest)}\n`);

/** The error of a file in a store that is not what it should be. */
export const damaged = (where: string, what: string, cause?: unknown): DynnError =>
  new DynnError(
    "store/damaged",
    `${where}: ${what}. Remove this file and the manifest of its task, and run the study again: the task is then done again.`,
    { where },
    { cause },
  );

/** What a store says about itself. */
export const ABOUT_FILE = "dynn-store.json";
const FORMAT = 1;

/** The description of a new store.
 * @param id tells the store from others, under whatever path it is reached */
export const aboutStore = (version: string, id: string): Uint8Array =>
  new TextEncoder().encode(`${JSON.stringify({ format: FORMAT, version, id })}\n`);

const aboutSchema = z.object({ format: z.number(), version: z.string(), id: z.string() });

/** Refuses the store of another version, because the bytes of two versions may differ.
 * @returns the id of the store
 * @throws DynnError 'study/version', 'store/damaged' */
export function checkAbout(bytes: Uint8Array, version: string, where: string): string {
  const about = parseAbout(bytes, where);
  if (about.format === FORMAT && about.version === version) return about.id;
  throw new DynnError(
    "study/version",
    `${where}: dynn ${about.version} made this store, and this is dynn ${version}. Results of two versions do not mix: use that version, or give another store.`,
    { got: about.version, expected: version },
  );
}

function parseAbout(bytes: Uint8Array, where: string): z.infer<typeof aboutSchema> {
  try {
    return aboutSchema.parse(JSON.parse(new TextDecoder().decode(bytes)));
  } catch (cause) {
    throw new DynnError(
      "store/damaged",
      `${where}: does not describe a store. Give the store of a study, or another folder.`,
      { where },
      { cause },
    );
  }
}
