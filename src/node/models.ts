/** @file Opens models by path, or by name from the zoo. */
import { basename } from "node:path";
import { type DynamicModel, dynamicModel, type ModelOptions } from "../dynamic/model/model.js";
import type { OnnxModel } from "../onnx/model.js";
import { loadModel } from "./onnx-files.js";
import { findNetwork } from "./zoo/places.js";

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

/** Read an ONNX model from a path or from the zoo ("zoo:NAME", "zoo:NAME@sha256:HEX").
 * @throws DynnError 'file/missing', 'file/unreadable', and the errors of loadModel and
 *   findNetwork */
export async function openOnnx(spec: string): Promise<OpenedModel> {
  if (!spec.startsWith(ZOO)) return { source: await loadModel(spec), name: basename(spec), path: spec };
  const asked = spec.slice(ZOO.length);
  const { path } = await findNetwork(asked);
  return { source: await loadModel(path), name: asked.replace(/@.*$/, ""), path };
}

/** Read an ONNX model as {@link openOnnx} does, and make a dynamic model of it.
 * @throws DynnError the errors of {@link openOnnx} and dynamicModel */
export async function openModel(spec: string, options: Omit<ModelOptions, "name"> = {}): Promise<DynamicModel> {
  const { source, name } = await openOnnx(spec);
  return dynamicModel(source, { ...options, name });
}
