/** @file The format of manifest.json of a bundle: which file holds which exits, which values pass
 *  between the files, and how to choose an exit.
 *  This is the only description of the format in code. docs/deployment.md explains the fields. */

import { z } from "zod";
import { ARRAY_OF, type DType } from "../core/dtype.js";
import { DynnError, reasonOf } from "../core/errors.js";
import { counted } from "../core/units.js";
import { VERSION } from "../core/version.js";
import type { DynamicModel } from "../dynamic/model/model.js";
import { checkPolicy } from "../dynamic/route/policy.js";
import type { ValueInfo } from "../graph/graph.js";
import { isNormalization, normalizationSchema } from "../schema/normalization.js";
import { forcedBit, gateThresholds, type Policy, policyRecord, policySchema } from "../schema/policy.js";
import type { ModelPart } from "./parts.js";

export const BUNDLE_FORMAT = "dynn-bundle";
export const BUNDLE_VERSION = 1;
export const BUNDLE_KINDS = ["staged", "split"] as const;
export type BundleKind = (typeof BUNDLE_KINDS)[number];

const count = z.number().int().min(0);
/** A file in the bundle's own folder. The name has neither separators nor a leading dot, and is not
 * special on any system. */
const fileName = z.string().regex(/^[A-Za-z0-9_][A-Za-z0-9_-]{0,63}\.onnx$/, "is not a plain name of an .onnx file");
const valueSchema = z.strictObject({
  name: z.string().min(1),
  dtype: z.enum(Object.keys(ARRAY_OF) as [DType, ...DType[]]),
  shape: z.tuple([z.literal("n")], count),
});
const partSchema = z.strictObject({
  name: z.string().min(1),
  file: fileName,
  sha256: z.string().regex(/^[0-9a-f]{64}$/, "is not a SHA-256 in hexadecimal"),
  bytes: count,
  exits: z.array(z.strictObject({ exit: count, logits: z.string().min(1) })).min(1),
  inputs: z.array(valueSchema).min(1),
  outputs: z.array(valueSchema).min(1),
  kept: z.array(z.string().min(1)),
  gates: z
    .array(z.strictObject({ gate: count, score: z.string().min(1), threshold: z.number() }))
    .optional()
    .describe("the gates whose scores the part gives; absent: none"),
});

/** Checks and types manifest.json of a bundle. */
export const manifestSchema = z.strictObject({
  format: z.literal(BUNDLE_FORMAT),
  version: z.literal(BUNDLE_VERSION),
  kind: z.enum(BUNDLE_KINDS),
  dynn: z.string(),
  model: z.string(),
  input: valueSchema,
  normalization: normalizationSchema.nullable(),
  classes: z.strictObject({ count: z.number().int().min(2), names: z.array(z.string()).nullable() }),
  exits: z
    .array(z.strictObject({ name: z.string().min(1), macs: z.number().min(0), costFraction: z.number().min(0) }))
    .min(1),
  gates: z
    .array(
      z.strictObject({
        name: z.string().min(1),
        macs: z.number().min(0),
        costFraction: z.number().min(0),
        exit: count.describe("the first exit behind the gate"),
      }),
    )
    .optional()
    .describe("absent: the network has no gates"),
  policy: policySchema,
  parts: z.array(partSchema).min(1),
});

/** manifest.json of a bundle. */
export type Manifest = Readonly<z.infer<typeof manifestSchema>>;
export type ManifestPart = Manifest["parts"][number];
type Value = z.infer<typeof valueSchema>;

/** A part's file. */
export interface PartFile {
  readonly part: ModelPart;
  readonly file: string;
  readonly sha256: string;
  readonly bytes: number;
}

/** The manifest of a model's parts. */
export const manifestOf = (
  model: DynamicModel,
  policy: Policy,
  kind: BundleKind,
  files: readonly PartFile[],
): Manifest => ({
  format: BUNDLE_FORMAT,
  version: BUNDLE_VERSION,
  kind,
  dynn: VERSION,
  model: model.name,
  input: asValue({ ...model.input, dtype: "float32" }),
  normalization: model.normalization
    ? { mean: [...model.normalization.mean], std: [...model.normalization.std] }
    : null,
  classes: { count: model.classes, names: model.classNames ? [...model.classNames] : null },
  exits: model.exits.map(({ name, macs, costFraction }) => ({ name, macs, costFraction })),
  ...(model.gates.length > 0
    ? { gates: model.gates.map(({ name, macs, costFraction, exit }) => ({ name, macs, costFraction, exit })) }
    : {}),
  policy: policyRecord(policy),
  parts: files.map(({ part, file, sha256, bytes }) => ({
    name: part.name,
    file,
    sha256,
    bytes,
    exits: part.exits.map((exit) => ({ ...exit })),
    inputs: part.graph.inputs.map(asValue),
    outputs: part.graph.outputs.map(asValue),
    kept: [...part.kept],
    ...(part.gates.length > 0 ? { gates: part.gates.map((gate) => ({ ...gate })) } : {}),
  })),
});

const asValue = ({ name, dtype, shape }: ValueInfo): Value => ({ name, dtype, shape: shape as Value["shape"] });

/** Read a manifest.
 * @param value parsed JSON
 * @param where the file, as messages name it
 * @throws DynnError 'bundle/format' */
export function readManifest(value: unknown, where: string): Manifest {
  const parsed = manifestSchema.safeParse(value);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw wrong(where, `${issue?.path.length ? `at ${issue.path.join(".")}, ` : ""}${issue?.message}`);
  }
  const fault = faultOf(parsed.data);
  if (fault !== undefined) throw wrong(where, fault);
  return parsed.data;
}

const wrong = (where: string, what: string): DynnError =>
  new DynnError("bundle/format", `${where}: ${what}. Export the model again with this version of dynn.`, { what });

/** The first inconsistency of a manifest, or undefined. */
function faultOf(manifest: Manifest): string | undefined {
  const { kind, exits, parts, policy, classes, input, normalization } = manifest;
  const names = exits.map(({ name }) => name);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) return `two exits are named "${twice}"`;
  const [, channels] = input.shape;
  if (normalization && channels !== undefined && !isNormalization(normalization, channels))
    return `the normalisation has ${normalization.mean.length} means, expected ${channels}, one per channel`;
  const held = parts.flatMap((part) => part.exits.map(({ exit }) => exit));
  if (held.join() !== [...exits.keys()].join())
    return `the parts hold exits ${held.join()}, expected 0 to ${exits.length - 1} in order`;
  if (kind === "split" && parts.length !== 2) return `a split has ${counted(parts.length, "part")}, expected 2`;
  if (new Set(parts.map(({ file }) => file)).size < parts.length) return "two parts name one file";
  const unfit = policyFault(policy, {
    exits: exits.length,
    gates: manifest.gates?.length ?? 0,
    classes: classes.count,
  });
  if (unfit !== undefined) return unfit;
  if (classes.names && classes.names.length !== classes.count)
    return `there are ${classes.names.length} class names, expected ${classes.count}`;
  return gateFault(manifest) ?? flowFault(parts, input, classes.count);
}

/** The first gate whose score no part gives, or that a part names wrongly. */
function gateFault({ gates = [], exits, parts, policy }: Manifest): string | undefined {
  const held = parts.flatMap((part) => part.gates ?? []);
  const thresholds = gateThresholds(policy, gates.length);
  const blind = held.find(({ gate, threshold }) => gate >= gates.length || threshold !== thresholds[gate]);
  if (blind) return `a part gives the score of gate ${blind.gate}, which the policy does not know`;
  const asked = [...gates.keys()].filter((k) => forcedBit(thresholds[k]) === undefined);
  if (
    held
      .map(({ gate }) => gate)
      .sort((a, b) => a - b)
      .join() !== asked.join()
  )
    return `the parts give scores of gates ${held.map(({ gate }) => gate).join()}, expected ${asked.join()}, each once`;
  return gates.some(({ exit }) => exit >= exits.length) ? "a gate lies before an exit that does not exist" : undefined;
}

function policyFault(
  policy: Policy,
  network: { readonly exits: number; readonly gates: number; readonly classes: number },
): string | undefined {
  try {
    checkPolicy(policy, network, counted(network.exits, "exit"));
    return undefined;
  } catch (cause) {
    return `the policy does not fit: ${reasonOf(cause)}`;
  }
}

const scoreOf = (name: string): Value => ({ name, dtype: "float32", shape: ["n"] });
const logitsOf = (name: string, classes: number): Value => ({ name, dtype: "float32", shape: ["n", classes] });

/** The first value that a part reads or keeps but that does not exist by then. The image exists
 * first, then the values made and kept by earlier parts. */
function flowFault(parts: Manifest["parts"], input: Value, classes: number): string | undefined {
  const same = (a: Value, b: Value | undefined) => b?.dtype === a.dtype && b.shape.join() === a.shape.join();
  let available = new Map([[input.name, input]]);
  for (const { name, exits, inputs, outputs, kept, gates = [] } of parts) {
    const missing = inputs.find((value) => !same(value, available.get(value.name)));
    if (missing) return `part "${name}" reads "${missing.name}", but earlier parts do not give it in that form`;
    const known = new Map([...available, ...outputs.map((value) => [value.name, value] as const)]);
    const blind = exits.find(
      ({ logits }) => !outputs.some((value) => value.name === logits && same(logitsOf(logits, classes), value)),
    );
    if (blind) return `part "${name}" does not give logits [n,${classes}] named "${blind.logits}"`;
    const silent = gates.find(({ score }) => !outputs.some((value) => same(scoreOf(score), value)));
    if (silent) return `part "${name}" does not give scores [n] named "${silent.score}"`;
    const lost = kept.find((value) => !known.has(value));
    if (lost !== undefined) return `part "${name}" keeps "${lost}", which does not exist`;
    available = new Map(kept.map((value) => [value, known.get(value) as Value]));
  }
  return undefined;
}
