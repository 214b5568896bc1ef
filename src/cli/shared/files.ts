/** @file Files that commands read and write. Outputs are tried before the work starts, so that hours are not lost to a typo. */
import { open, readdir, rm, stat } from "node:fs/promises";
import { basename, dirname, resolve } from "node:path";
import { DynnError, reasonOf } from "../../core/errors.js";
import { type DynamicModel, dynamicModel, type ModelOptions } from "../../dynamic/model/model.js";
import { packageFile } from "../../node/data/package-root.js";
import { loadModel, readBytes, replaceFile } from "../../node/onnx-files.js";
import type { OnnxModel } from "../../onnx/model.js";

/** Refuse a path that cannot be written. Only files are replaced: not folders, nor devices such as /dev/null.
 * @throws DynnError 'file/unwritable' */
export async function checkWritable(path: string): Promise<void> {
  const probe = resolve(dirname(path), `.dynn-${process.pid}-${Date.now()}.tmp`);
  try {
    const there = await stat(path).catch(() => undefined);
    if (there && !there.isFile()) throw new Error(there.isDirectory() ? "it is a folder" : "it is no plain file");
    await (await open(probe, "wx")).close();
    await rm(probe, { force: true });
  } catch (cause) {
    throw new DynnError(
      "file/unwritable",
      `${path}: cannot be written (${reasonOf(cause)}). Choose a file in a folder that exists and that you may write to.`,
      { path },
      { cause },
    );
  }
}

export const writeText = (path: string, text: string): Promise<void> =>
  replaceFile(path, new TextEncoder().encode(text));

/** Parse a JSON file.
 * @throws DynnError 'file/missing', 'file/unreadable', 'attack/config' */
export async function readJson(path: string): Promise<unknown> {
  const text = new TextDecoder().decode(await readBytes(path));
  try {
    return JSON.parse(text) as unknown;
  } catch (cause) {
    throw new DynnError(
      "attack/config",
      `${path}: is not JSON (${reasonOf(cause)}). Check commas and quotes.`,
      { path },
      { cause },
    );
  }
}

const ZOO = "zoo:";

export interface OpenedModel {
  readonly source: OnnxModel;
  readonly name: string;
  readonly path: string;
}

/** Read an ONNX model from a path or from the bundled zoo ("zoo:NAME"), with the name to call it by.
 * @throws DynnError 'file/missing', 'file/unreadable', and what loadModel throws */
export async function openOnnx(spec: string): Promise<OpenedModel> {
  const [path, name] = spec.startsWith(ZOO) ? await bundled(spec.slice(ZOO.length)) : [spec, basename(spec)];
  return { source: await loadModel(path), name, path };
}

/** The same, read as a dynamic model.
 * @throws DynnError what {@link openOnnx} and dynamicModel throw */
export async function openModel(spec: string, options: Omit<ModelOptions, "name"> = {}): Promise<DynamicModel> {
  const { source, name } = await openOnnx(spec);
  return dynamicModel(source, { ...options, name });
}

async function bundled(name: string): Promise<[path: string, name: string]> {
  const files = await readdir(packageFile("zoo"));
  const names = files.filter((f) => f.endsWith(".onnx")).map((f) => basename(f, ".onnx"));
  if (names.includes(name)) return [packageFile("zoo", `${name}.onnx`), name];
  throw new DynnError(
    "file/missing",
    `${ZOO}${name}: there is no bundled model of that name. Choose from ${names.map((n) => ZOO + n).join(", ")}, or give the path of an ONNX file.`,
    { name, names },
  );
}
