/** @file Writes a policy into a model file: `dynn.policy` changes, every other byte stays. */
import { dirname, resolve } from "node:path";
import { DynnError } from "../../core/errors.js";
import { writeMetadata } from "../../dynamic/model/metadata.js";
import { readBytes, replaceFile } from "../../node/onnx-files.js";
import { patchMetadata } from "../../onnx/patch-metadata.js";
import { readModel } from "../../onnx/read.js";
import type { Policy } from "../../schema/policy.js";

/** @param outputs the path of each option; options without a path are ignored
 * @throws DynnError 'cli/usage' when two options name one file */
export function checkDistinct(outputs: Readonly<Record<string, string | undefined>>): void {
  const given = Object.entries(outputs).flatMap(([name, path]) =>
    path === undefined || path === "-" ? [] : [{ name, path, full: resolve(path) }],
  );
  for (const [i, one] of given.entries())
    for (const other of given.slice(i + 1))
      if (one.full === other.full)
        throw new DynnError(
          "cli/usage",
          `${one.name} and ${other.name}: both are ${one.path}. Give each its own file.`,
          { path: one.path },
        );
}

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
export async function writePolicy(model: string, out: string, policy: Policy): Promise<void> {
  await replaceFile(out, patchMetadata(await readBytes(model), writeMetadata({ policy })));
}
