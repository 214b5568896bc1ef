/** @file Opens models by path, or by name from the zoo. */
import { basename } from "node:path";
import { DynnError } from "../core/errors.js";
import { type DynamicModel, dynamicModel, type ModelOptions } from "../dynamic/model/model.js";
import type { OnnxModel } from "../onnx/model.js";
import { loadModel } from "./onnx-files.js";
import { findNetwork, zooGuess } from "./zoo/places.js";

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
  if (!spec.startsWith(ZOO))
    return {
      source: await loadModel(spec).catch((thrown) => withGuess(spec, thrown)),
      name: basename(spec),
      path: spec,
    };
  const asked = spec.slice(ZOO.length);
  const { path } = await findNetwork(asked);
  return { source: await loadModel(path), name: asked.replace(/@.*$/, ""), path };
}

/** A file that is not there may be a network of the zoo without its prefix. */
async function withGuess(spec: string, thrown: unknown): Promise<never> {
  if (!(thrown instanceof DynnError) || thrown.code !== "file/missing") throw thrown;
  const guess = await zooGuess(spec);
  if (guess === "") throw thrown;
  throw new DynnError("file/missing", `${spec}: there is no such file.${guess} Check the path.`, thrown.detail, {
    cause: thrown,
  });
}

/** Read an ONNX model as {@link openOnnx} does, and make a dynamic model of it.
 * @throws DynnError the errors of {@link openOnnx} and dynamicModel */
export async function openModel(spec: string, options: Omit<ModelOptions, "name"> = {}): Promise<DynamicModel> {
  const { source, name } = await openOnnx(spec);
  return dynamicModel(source, { ...options, name });
}
