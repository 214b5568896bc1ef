/** @file Reads and writes model files. External data is read only from the model's own folder,
 *  wherever links point.
 *  Files are written beside their target and then renamed, so a reader never sees half a file. */
import { readFileSync, realpathSync, statSync } from "node:fs";
import { readFile, stat, writeFile } from "node:fs/promises";
import { dirname, isAbsolute, resolve, sep, win32 } from "node:path";
import writeFileAtomic from "write-file-atomic";
import { DynnError, reasonOf } from "../core/errors.js";
import type { OnnxModel } from "../onnx/model.js";
import { readModel } from "../onnx/read.js";
import { type WritableModel, writeModel } from "../onnx/write.js";

/** Read a model file, and the data files beside it that it names.
 * @throws DynnError 'file/missing', 'file/unreadable', 'model/external', and the errors of
 *   {@link readModel} */
export async function loadModel(path: string): Promise<OnnxModel> {
  const bytes = await readBytes(path);
  return readModel(bytes, { name: path, external: (location) => readBeside(path, location), owned: true });
}

/** Write a model file. An existing file is replaced only after the new one is complete.
 * @throws DynnError 'file/unwritable', 'file/full', and the errors of {@link writeModel} */
export async function saveModel(path: string, model: WritableModel): Promise<void> {
  await replaceFile(path, writeModel(model));
}

/** Write `bytes` to `path`, whole or not at all. After Ctrl-C or a failure the temporary file is
 * removed.
 * @throws DynnError 'file/unwritable', 'file/full' */
export async function replaceFile(path: string, bytes: Uint8Array): Promise<void> {
  try {
    // The bytes are written here, because write-file-atomic takes a short write (disk full) for
    // success.
    await writeFileAtomic(path, "", { tmpfileCreated: (temporary) => writeFile(temporary, bytes) });
  } catch (cause) {
    if (["ENOSPC", "EDQUOT", "EFBIG"].includes(codeOf(cause)))
      throw new DynnError(
        "file/full",
        `${path}: the disk is too full for ${bytes.length} bytes (${reasonOf(cause)}). Free some space or choose another place.`,
        { path, bytes: bytes.length },
        { cause },
      );
    throw new DynnError(
      "file/unwritable",
      `${path}: cannot be written (${reasonOf(cause)}). Choose a place that you may write to.`,
      { path },
      { cause },
    );
  }
}

/** The bytes of a file.
 * @throws DynnError 'file/missing', 'file/unreadable' */
export async function readBytes(path: string): Promise<Uint8Array> {
  try {
    if (!(await stat(path)).isFile()) throw new Error("it is not a file");
    return await readFile(path);
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

/** The code of a system error, or "" for any other error. */
const codeOf = (thrown: unknown): string => (thrown instanceof Error && "code" in thrown ? String(thrown.code) : "");

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
