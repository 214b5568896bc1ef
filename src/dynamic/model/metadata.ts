/** @file The `dynn.*` metadata of a model file: exits, policy, normalisation, class names. One JSON value per key. */
import { z } from "zod";
import { DynnError, type ErrorDetail, reasonOf } from "../../core/errors.js";
import { FALLBACKS, type Policy, RULES } from "../route/policy.js";
import type { Normalization } from "./normalization.js";

const exitsSchema = z.array(z.strictObject({ name: z.string().min(1), logits: z.string().min(1) })).min(1);
export const policySchema = z.strictObject({
  rule: z.enum(RULES),
  thresholds: z.array(z.number()),
  fallback: z.enum(FALLBACKS),
  temperatures: z.array(z.number().positive()).optional(),
});
export const normalizationSchema = z.strictObject({
  mean: z.array(z.number()).min(1),
  std: z.array(z.number().positive()).min(1),
});
const classesSchema = z.array(z.string()).min(2);

export interface ModelMetadata {
  readonly exits: z.infer<typeof exitsSchema> | undefined;
  readonly policy: Policy | undefined;
  readonly normalization: Normalization | undefined;
  readonly classes: readonly string[] | undefined;
}

/** The key of a file that routes by itself (`dynn export --format conditional`). */
export const CONDITIONAL_KEY = "dynn.conditional";

/** Read the keys that are there; a plain ONNX file has none.
 * @throws DynnError 'model/metadata' when a key does not hold what it should, 'model/op' for a file that routes by itself */
export function readMetadata(metadata: ReadonlyMap<string, string>, where: string): ModelMetadata {
  if (metadata.has(CONDITIONAL_KEY))
    throw new DynnError(
      "model/op",
      `${where}: is a conditional export of dynn, which skips its later stages by itself, so exits and costs cannot be read from it. Give the model that it was exported from, or run it with ONNX Runtime.`,
      { key: CONDITIONAL_KEY },
    );
  return {
    exits: readEntry(metadata, "dynn.exits", exitsSchema, where),
    policy: readEntry(metadata, "dynn.policy", policySchema, where),
    normalization: readEntry(metadata, "dynn.normalization", normalizationSchema, where),
    classes: readEntry(metadata, "dynn.classes", classesSchema, where),
  };
}

/** The entries to write into a file. */
export function writeMetadata(model: Partial<ModelMetadata>): Map<string, string> {
  const entries = [
    ["dynn.exits", model.exits],
    ["dynn.policy", model.policy],
    ["dynn.normalization", model.normalization],
    ["dynn.classes", model.classes],
  ] as const;
  return new Map(entries.flatMap(([key, value]) => (value ? [[key, JSON.stringify(value)] as const] : [])));
}

/** What one key holds; undefined where it is not there.
 * @throws DynnError 'model/metadata' when it does not hold what `schema` asks for */
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
