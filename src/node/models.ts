/** @file Opens models by path, or by name from the bundled zoo. */
import { readdir } from "node:fs/promises";
import { basename } from "node:path";
import { DynnError } from "../core/errors.js";
import { type DynamicModel, dynamicModel, type ModelOptions } from "../dynamic/model/model.js";
import type { OnnxModel } from "../onnx/model.js";
import { packageFile } from "./data/package-root.js";
import { loadModel } from "./onnx-files.js";

const ZOO = "zoo:";

/** An ONNX model and where it was found. */
export interface OpenedModel {
  /** The model. */
  readonly source: OnnxModel;
  /** The name of the model. */
  readonly name: string;
  /** The path of its file. */
  readonly path: string;
}

/** Read an ONNX model from a path or from the bundled zoo ("zoo:NAME").
 * @throws DynnError 'file/missing', 'file/unreadable', and the errors of loadModel */
export async function openOnnx(spec: string): Promise<OpenedModel> {
  const [path, name] = spec.startsWith(ZOO) ? await bundled(spec.slice(ZOO.length)) : [spec, basename(spec)];
  return { source: await loadModel(path), name, path };
}

/** Read an ONNX model as {@link openOnnx} does, and make a dynamic model of it.
 * @throws DynnError the errors of {@link openOnnx} and dynamicModel */
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
