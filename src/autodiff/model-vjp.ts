/** @file A model that also returns vector-Jacobian products, as plain ONNX: the caller feeds a cotangent for each chosen output and gets the
 *  product with the Jacobian for each chosen input. Every gradient of a scalar function of the outputs is one such product. */
import { DynnError } from "../core/errors.js";
import { GraphBuilder } from "../graph/builder.js";
import type { Graph, ValueName } from "../graph/graph.js";
import { inferShapes } from "../graph/infer.js";
import type { OpTable } from "../graph/op.js";
import { prune } from "../graph/passes/prune.js";
import { simplify } from "../graph/passes/simplify.js";
import { refuseBatchMixing } from "../graph/per-sample.js";
import { floatValues } from "./choose.js";
import { appendVjp } from "./gradient.js";

/** Which outputs take a cotangent, and which inputs get a product. */
export interface ModelVjpOptions {
  /** Outputs that take a cotangent; left out: all of float type. */
  readonly outputs?: readonly string[] | undefined;
  /** Inputs to differentiate with respect to; left out: all of float type. */
  readonly wrt?: readonly string[] | undefined;
}

/** A model that computes vector-Jacobian products too. */
export interface ModelVjp {
  /** The model's inputs and one cotangent per chosen output; the model's outputs and one product per chosen input. */
  readonly graph: Graph;
  /** The cotangent that each chosen output takes: an input in the output's shape. */
  readonly cotangents: ReadonlyMap<ValueName, ValueName>;
  /** The product for each chosen input: an output in the input's shape. */
  readonly products: ReadonlyMap<ValueName, ValueName>;
}

/** The model with the vector-Jacobian product of its outputs: for outputs y, cotangents v and an input x, the sum over y of v' dy/dx.
 *  The opset stays, and only standard operators are added.
 * @throws DynnError 'model/classifier' and 'model/input' when there is no such output or input, 'gradient/none' when an operator on the way
 *         has no gradient or no chosen output depends on an input */
export function modelVjp(source: Graph, ops: OpTable, options: ModelVjpOptions = {}): ModelVjp {
  refuseBatchMixing(source, ops);
  const graph = simplify(inferShapes(source, ops), ops);
  const outputs = floatValues(graph.outputs, options.outputs, "model/classifier", `${source.name}: output`);
  const inputs = floatValues(graph.inputs, options.wrt, "model/input", `${source.name}: input`);
  const b = new GraphBuilder(graph);
  const cotangents = new Map(outputs.map((o) => [o.name, b.input(`cotangent_${o.name}`, o.dtype, o.shape ?? [])]));
  const products = new Map(inputs.map(({ name }) => [name, b.fresh(`product_${name}`)]));
  const wrt = inputs.map(({ name }) => name);
  const grads = appendVjp(b, graph, ops, { seeds: cotangents, wrt });
  for (const { name, dtype, shape } of inputs) {
    const product = products.get(name) as ValueName;
    b.append({
      opType: "Identity",
      domain: "",
      name: "",
      inputs: [grads.get(name) ?? lost(name, source.name)],
      outputs: [product],
      attributes: {},
    });
    b.output(product, dtype, shape);
  }
  return { graph: inferShapes(prune(b.build()), ops), cotangents, products };
}

/** @throws DynnError 'gradient/none' */
function lost(input: ValueName, model: string): never {
  throw new DynnError(
    "gradient/none",
    `${model}: none of the chosen outputs depends on "${input}". Choose another input, or more outputs.`,
    { input },
  );
}
