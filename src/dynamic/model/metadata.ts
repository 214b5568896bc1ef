/** @file Reading and writing the `dynn.*` metadata of a model file. */
import type { z } from "zod";
import { DynnError, type ErrorDetail, reasonOf } from "../../core/errors.js";
import {
  classesSchema,
  exitsSchema,
  gatesSchema,
  METADATA_KEYS as KEYS,
  type ModelMetadata,
} from "../../schema/metadata.js";
import { normalizationSchema } from "../../schema/normalization.js";
import { policySchema } from "../../schema/policy.js";

/** Reads the keys that a file has. A plain ONNX file has none.
 * @throws DynnError 'model/metadata' when the value of a key is wrong
 * @throws DynnError 'model/op' for a conditional export of dynn */
export function readMetadata(metadata: ReadonlyMap<string, string>, where: string): ModelMetadata {
  if (metadata.has(KEYS.conditional))
    throw new DynnError(
      "model/op",
      `${where}: is a conditional export of dynn, which skips its later stages by itself, so exits and costs cannot be read from it. Give the model that it was exported from, or run it with ONNX Runtime.`,
      { key: KEYS.conditional },
    );
  return {
    exits: readEntry(metadata, KEYS.exits, exitsSchema, where),
    gates: readEntry(metadata, KEYS.gates, gatesSchema, where),
    policy: readEntry(metadata, KEYS.policy, policySchema, where),
    normalization: readEntry(metadata, KEYS.normalization, normalizationSchema, where),
    classes: readEntry(metadata, KEYS.classes, classesSchema, where),
  };
}

/** The entries to write into a file. */
export function writeMetadata(model: Partial<ModelMetadata>): Map<string, string> {
  const entries = [
    [KEYS.exits, model.exits],
    [KEYS.gates, model.gates],
    [KEYS.policy, model.policy],
    [KEYS.normalization, model.normalization],
    [KEYS.classes, model.classes],
  ] as const;
  return new Map(entries.flatMap(([key, value]) => (value ? [[key, JSON.stringify(value)] as const] : [])));
}

/** The value of one key. Undefined when the file does not have the key.
 * @throws DynnError 'model/metadata' when the value does not fit `schema` */
export function readEntry<T>(
  metadata: ReadonlyMap<string, string>,
  key: string,
  schema: z.ZodType<T>,
  where: string,
): T | undefined {
  const text = metadata.get(key);
  if (text === undefined) return undefined;
  const wrong = (what: string, detail: ErrorDetail): DynnError =>
    new DynnError(
      "model/metadata",
      `${where}: metadata "${key}" is wrong: ${what}. Write the model again with dynn, or remove the key to read it by convention.`,
      { key, ...detail },
    );
  const parsed = schema.safeParse(parseJson(text, (reason) => wrong(`not JSON (${reason})`, { text })));
  if (parsed.success) return parsed.data;
  const { issues } = parsed.error;
  const at = issues[0]?.path.length ? `at ${issues[0].path.join(".")}, ` : "";
  throw wrong(`${at}${issues[0]?.message}`, { issues });
}

function parseJson(text: string, error: (reason: string) => DynnError): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw error(reasonOf(cause));
  }
}
