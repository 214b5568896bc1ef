/** @file Reads and writes model files. External data is read only from the model's own folder,
 *  wherever links point.
 *  Files are written beside their target and then renamed, so a reader never sees half a file. */
import { createHash } from "node:crypto";
import { readFileSync, realpathSync, statSync } from "node:fs";
import { dirname, isAbsolute, resolve, sep, win32 } from "node:path";
import { DynnError, reasonOf } from "../core/errors.js";
import type { OnnxModel } from "../onnx/model.js";
import { readModel } from "../onnx/read.js";
import { type WritableModel, writeModel } from "../onnx/write.js";
import { codeOf, replaceFile } from "./output-files.js";
import { readPlainFile } from "./plain-file.js";

/** Read a model file, and the data files beside it that it names.
 * @throws DynnError 'file/missing', 'file/unreadable', 'model/external', and the errors of
 *   {@link readModel} */
export async function loadModel(path: string): Promise<OnnxModel> {
  const bytes = await readBytes(path);
  const digest = createHash("sha256").update(bytes);
  const external = (location: string): Uint8Array => {
    const beside = readBeside(path, location);
    digest.update(beside);
    return beside;
  };
  const model = readModel(bytes, { name: path, external, owned: true });
  return { ...model, sha256: digest.digest("hex") };
}

/** Write a model file. An existing file is replaced only after the new one is complete.
 * @throws DynnError 'file/unwritable', 'file/full', and the errors of {@link writeModel} */
export async function saveModel(path: string, model: WritableModel): Promise<void> {
  await replaceFile(path, writeModel(model));
}

/** The bytes of a file.
 * @throws DynnError 'file/missing', 'file/unreadable' */
export async function readBytes(path: string): Promise<Uint8Array> {
  try {
    return await readPlainFile(path);
  } catch (cause) {
    if (["ENOENT", "ENOTDIR"].includes(codeOf(cause)))
      throw new DynnError("file/missing", `${path}: there is no such file. Check the path.`, { path }, { cause });
    throw new DynnError(
      "file/unreadable",
      `${path}: cannot be read (${reasonOf(cause)}). Give a file that you may read.`,
      { path },
      { cause },
    );
  }
}

/** The bytes of a data file in the model's own folder. */
function readBeside(model: string, location: string): Uint8Array {
  const refuse = (reason: string, cause?: unknown) =>
    new DynnError(
      "model/external",
      `${model}: external data "${location}" ${reason}. Put the data file into the model's own folder.`,
      { model, location },
      { cause },
    );
  const outside =
    location === "" || isAbsolute(location) || win32.isAbsolute(location) || location.split(/[\\/]/).includes("..");
  if (outside) throw refuse("does not name a file inside the model's folder");
  try {
    const folder = realpathSync(dirname(resolve(model)));
    const file = realpathSync(resolve(folder, location));
    if (!file.startsWith(folder.endsWith(sep) ? folder : folder + sep))
      throw refuse("leads out of the model's folder through a link");
    if (!statSync(file).isFile()) throw refuse("is not a file");
    return readFileSync(file);
  } catch (cause) {
    if (cause instanceof DynnError) throw cause;
    throw refuse(`cannot be read (${reasonOf(cause)})`, cause);
  }
}
