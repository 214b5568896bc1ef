/** @file The gradient model of a file: what dynn changes on reading, the final exit, and the check
 *  of probabilities, as `dynn gradient` has them. */
import { type ModelGradient, type ModelGradientOptions, modelGradient } from "../autodiff/model-gradient.js";
import { DynnError } from "../core/errors.js";
import { adapt, GRADIENT_ADAPTERS } from "../dynamic/adapt/adapt.js";
import { dynamicModel, type ModelOptions, type ModelSource } from "../dynamic/model/model.js";
import { opTable } from "../ops/table.js";
import type { Backend } from "../runtime/backend.js";
import { holdsProbabilities } from "./gradient-output.js";

/** The loss, and what is known of the file. */
export interface FileGradientOptions extends Omit<ModelGradientOptions, "probabilities"> {
  /** Runs the model, to see whether its output holds probabilities. */
  readonly backend: Backend;
  /** What the model is called in errors. Left out: the name of its graph. */
  readonly name?: string | undefined;
  /** Name of the output that is the final exit. It is used where no output is named. */
  readonly final?: string | undefined;
  /** Names of the outputs that are early exits, so not the final one. */
  readonly exits?: readonly string[] | undefined;
}

/** A gradient model, and what a reader must know of it. */
export interface FileGradient extends ModelGradient {
  /** The output that the loss is computed from. Undefined: the last float output of a model that
   * does not classify images. */
  readonly output: string | undefined;
  /** What dynn changed on reading: one sentence each. */
  readonly changes: readonly string[];
}

/** The gradient model of a file. Its inputs are the file's own, with their layout and batch. An
 * input of bytes or of 16-bit or 64-bit floats becomes float32, because gradients are float32.
 * @throws DynnError the errors of `modelGradient`; 'model/input' when an input cannot become
 *   float32; 'model/classifier' when it is not clear which output is the classifier
 * @example
 * ```ts
 * import { fileGradient, loadModel, ortNode } from "dynn/node";
 *
 * const source = await loadModel("model.onnx");
 * const made = await fileGradient(source, { loss: "cross-entropy", backend: ortNode() });
 * console.log(made.output, made.changes);
 * ```
 */
export async function fileGradient(source: ModelSource, options: FileGradientOptions): Promise<FileGradient> {
  const name = options.name ?? source.graph.name;
  const output = options.output ?? finalOutput(source, { name, final: options.final, exits: options.exits });
  const { graph, changes } = adapt(source.graph, { ops: opTable, name, imageSize: undefined }, GRADIENT_ADAPTERS);
  const probabilities =
    options.loss === "cross-entropy" &&
    (await holdsProbabilities({ ...graph, name }, { backend: options.backend, output }));
  const made = modelGradient({ ...graph, name }, opTable, { ...options, output, probabilities });
  return {
    ...made,
    graph: { ...made.graph, name: source.graph.name },
    output,
    changes: [...(source.changes ?? []), ...changes],
  };
}

/** The output of the final exit, the same as in `dynn inspect`. Undefined for a model that does not
 * classify images. The loss then takes the last output.
 * @throws DynnError 'model/classifier' when it is not clear which output is the classifier */
function finalOutput(source: ModelSource, options: ModelOptions): string | undefined {
  try {
    return dynamicModel(source, options).exits.at(-1)?.output;
  } catch (error) {
    const named = options.final !== undefined || options.exits !== undefined;
    if (!named && error instanceof DynnError && error.detail.parallel === undefined) return undefined;
    throw error;
  }
}
