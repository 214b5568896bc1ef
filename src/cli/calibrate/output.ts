/** @file Writes a policy into a model file: `dynn.policy` changes, and also `dynn.exits` when the
 *  caller chose the exits. Every other byte stays. */
import { dirname, resolve } from "node:path";
import { DynnError } from "../../core/errors.js";
import { writeMetadata } from "../../dynamic/model/metadata.js";
import { readBytes } from "../../node/onnx-files.js";
import { replaceFile } from "../../node/output-files.js";
import { patchMetadata } from "../../onnx/patch-metadata.js";
import { readModel } from "../../onnx/read.js";
import type { ModelMetadata } from "../../schema/metadata.js";

/** Refuse a place where the copy would not find its weights.
 * @throws DynnError 'cli/usage' */
export async function checkPolicyOutput(model: string, out: string): Promise<void> {
  if (resolve(dirname(model)) === resolve(dirname(out))) return;
  const bytes = await readBytes(model);
  try {
    readModel(bytes, { name: model });
  } catch (error) {
    if (!(error instanceof DynnError && error.code === "model/external")) throw error;
    throw new DynnError(
      "cli/usage",
      `--out ${out}: ${model} keeps its weights in files beside it. A copy in another folder would not find them. Name a file in the same folder.`,
      { model, out },
    );
  }
}

/** Write a copy of the model with a policy. `out` may be the model itself.
 * @throws DynnError 'file/missing', 'file/unreadable', 'file/unwritable', 'file/full' */
export async function writePolicy(
  model: string,
  out: string,
  written: Pick<ModelMetadata, "policy"> & Partial<Pick<ModelMetadata, "exits">>,
): Promise<void> {
  await replaceFile(out, patchMetadata(await readBytes(model), writeMetadata(written)));
}
