/** @file Exports for deployment: stage files, a device/server split, one conditional file.
 *  Each export runs on images and is compared with its model before it is put in its place. */
import { basename } from "node:path";
import { sha256 } from "../../core/digest.js";
import { Images, imageDims } from "../../core/images.js";
import { uniform } from "../../core/rng.js";
import { sizeOf } from "../../core/shape.js";
import { type BundleKind, manifestOf } from "../../deploy/manifest.js";
import { type ModelPart, smallestSplit, splitParts, stagedParts } from "../../deploy/parts.js";
import { type Batches, runBundle, runConditional } from "../../deploy/run.js";
import { type FoundAnswer, type Verification, verify } from "../../deploy/verify.js";
import type { DynamicModel } from "../../dynamic/model/model.js";
import { requireOpenBatch } from "../../dynamic/model/open-batch.js";
import { underPolicy } from "../../dynamic/model/under-policy.js";
import { conditionalModel } from "../../dynamic/run/conditional/index.js";
import { policyOf } from "../../dynamic/run/executor/index.js";
import { Forward } from "../../dynamic/run/forward.js";
import { checkOutputs } from "../../dynamic/run/outputs.js";
import { writeModel } from "../../onnx/write.js";
import type { Backend } from "../../runtime/backend.js";
import type { Policy } from "../../schema/policy.js";
import { batchOf } from "../../studies/batch.js";
import { loadModel } from "../onnx-files.js";
import { MANIFEST, openBundle } from "./bundle.js";
import { checkReplaceable, type OutputFile, publishFile, publishFolder } from "./files.js";

/** How an export is made and verified. */
export interface ExportOptions {
  /** Runs the model and the export for the comparison. */
  readonly backend: Backend;
  /** When to stop. Default: the policy of the model. */
  readonly policy?: Policy | undefined;
  /** Images for the comparison, float32 [n*c*h*w] in [0,1]. Default: 64 random images. */
  readonly images?: Float32Array | undefined;
  /** The most images in one run. It changes time and memory, not the result. Left out: as many as
   * the memory allows, at most 64. */
  readonly batch?: number | undefined;
  /** Ends the export with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** Called with the number of images that have run, counted over the model and the export
   * together. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

/** Where a split cuts, and how it is verified. */
export interface SplitOptions extends ExportOptions {
  /** The last exit on the device, by its number. Default: {@link smallestSplit}. */
  readonly at?: number | undefined;
}

/** What an export wrote. */
export interface Exported {
  /** The file or folder that was written. */
  readonly out: string;
  /** The files with their sizes in bytes. */
  readonly files: readonly { readonly name: string; readonly bytes: number }[];
  /** The policy by which the export chooses exits. */
  readonly policy: Policy;
  /** How the export compares with the model. */
  readonly verification: Verification;
}

const RANDOM_IMAGES = 64;

/** Write a bundle with one file per exit (stage0.onnx ...). A host runs the stages one after the
 * other and decides when to stop.
 * @param out a new folder, an empty folder, or a bundle, which is replaced
 * @throws DynnError 'policy/value', 'shape/unknown', 'data/shape', 'data/value', 'export/mismatch',
 *   'file/unwritable', 'file/full', 'model/batch' for a model that runs one image at a time, or the
 *   signal's reason; then nothing is written */
export const exportStaged = (model: DynamicModel, out: string, options: ExportOptions): Promise<Exported> =>
  exportBundle(model, out, "staged", stagedParts, options);

/** Write a bundle of two files. device.onnx takes the image and holds the exits up to `at`.
 * server.onnx takes the hidden values of the samples that continue, and holds the other exits.
 * @throws as {@link exportStaged}, 'export/unsupported' for a model without early exits,
 *   'cli/value' when `at` does not name an exit */
export const exportSplit = (model: DynamicModel, out: string, options: SplitOptions): Promise<Exported> =>
  exportBundle(model, out, "split", (checked) => splitParts(checked, options.at ?? smallestSplit(checked)), options);

async function exportBundle(
  given: DynamicModel,
  out: string,
  kind: BundleKind,
  cut: (model: DynamicModel) => readonly ModelPart[],
  options: ExportOptions,
): Promise<Exported> {
  imageDims(given);
  const checked = await checkOutputs(given, { backend: options.backend });
  requireOpenBatch(checked, "a bundle");
  await checkReplaceable(out);
  const policy = policyOf(checked, options.policy);
  const model = underPolicy(checked, policy);
  const files = bundleFiles(model, policy, kind, cut(model));
  const verification = await publishFolder(out, files, async (folder) => {
    const bundle = await openBundle(folder);
    return compare(model, policy, options, (batches) => runBundle(bundle, options.backend, batches));
  });
  return { out, files: files.map(({ name, bytes }) => ({ name, bytes: bytes.length })), policy, verification };
}

function bundleFiles(
  model: DynamicModel,
  policy: Policy,
  kind: BundleKind,
  parts: readonly ModelPart[],
): readonly OutputFile[] {
  const files = parts.map((part) => ({ part, name: `${part.name}.onnx`, bytes: writeModel({ graph: part.graph }) }));
  const described = files.map(({ part, name, bytes }) => ({
    part,
    file: name,
    sha256: sha256(bytes),
    bytes: bytes.length,
  }));
  const manifest = `${JSON.stringify(manifestOf(model, policy, kind, described), undefined, 2)}\n`;
  return [...files, { name: MANIFEST, bytes: new TextEncoder().encode(manifest) }];
}

/** Write one ONNX file that stops early by itself in any runtime, at any batch size;
 * see {@link conditionalModel}.
 * @param out path of the file; an existing file is replaced
 * @throws as {@link exportStaged} */
export async function exportConditional(given: DynamicModel, out: string, options: ExportOptions): Promise<Exported> {
  imageDims(given);
  const checked = await checkOutputs(given, { backend: options.backend });
  const policy = policyOf(checked, options.policy);
  const model = underPolicy(checked, policy);
  const bytes = writeModel(conditionalModel(model, policy));
  const verification = await publishFile(out, bytes, async (path) => {
    const { graph } = await loadModel(path);
    return compare(model, policy, options, (batches) => runConditional(graph, model, options.backend, batches));
  });
  return { out, files: [{ name: basename(out), bytes: bytes.length }], policy, verification };
}

/** Run the model and the export on the same images.
 * @throws DynnError 'export/mismatch', 'data/shape', 'data/value', or the signal's reason */
async function compare(
  model: DynamicModel,
  policy: Policy,
  options: ExportOptions,
  run: (batches: Batches) => Promise<FoundAnswer[]>,
): Promise<Verification> {
  const { backend, signal, onProgress } = options;
  const images = Images.for(model, options.images ?? randomPixels(imageDims(model)));
  const { batch } = batchOf({ model, backend, batch: options.batch, images: images.count, sessions: 2 });
  const forward = await Forward.compile(model, { backend });
  const report = (done: number) => {
    signal?.throwIfAborted();
    onProgress?.(done, 2 * images.count);
  };
  try {
    const logits = await forward.logits(images, { batch, signal, onProgress: report });
    const found = await run({ images, batch, onBatch: (done) => report(images.count + done) });
    return verify(model, { policy, logits, found });
  } finally {
    await forward.release();
  }
}

const randomPixels = (dims: readonly number[]): Float32Array =>
  uniform({ seed: 0, sample: 0, purpose: "test", step: 0 }, RANDOM_IMAGES * sizeOf(dims), 0, 1);
