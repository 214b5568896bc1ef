/** @file A model that also returns vector-Jacobian products, as plain ONNX. The caller feeds a
 *  cotangent for each chosen output and gets the product with the Jacobian for each chosen
 *  input. The gradient of every scalar function of the outputs is such a product. */
import { GraphBuilder } from "../graph/builder.js";
import type { Graph, ValueName } from "../graph/graph.js";
import { inferShapes } from "../graph/infer.js";
import type { OpTable } from "../graph/op.js";
import { prune } from "../graph/passes/prune.js";
import { simplify } from "../graph/passes/simplify.js";
import { refuseBatchMixing } from "../graph/per-sample.js";
import { floatValues } from "./choose.js";
import { reverse } from "./gradient.js";
import { independent } from "./path-end.js";

/** The outputs that take a cotangent, and the inputs that get a product. */
export interface ModelVjpOptions {
  /** Outputs that take a cotangent. Left out: all float outputs. */
  readonly outputs?: readonly string[] | undefined;
  /** Inputs to differentiate with respect to. Left out: all float inputs. */
  readonly wrt?: readonly string[] | undefined;
}

/** A model that also computes vector-Jacobian products. */
export interface ModelVjp {
  /** Takes the model's inputs and one cotangent per chosen output. Returns the model's outputs
   * and one product per chosen input. */
  readonly graph: Graph;
  /** For each chosen output the name of its cotangent, an input in the shape of the output. */
  readonly cotangents: ReadonlyMap<ValueName, ValueName>;
  /** For each chosen input the name of its product, an output in the shape of the input. */
  readonly products: ReadonlyMap<ValueName, ValueName>;
}

/** The model with the vector-Jacobian product of its outputs. For outputs y, cotangents v and an
 * input x, the product is the sum over y of v' dy/dx. The opset stays, and dynn adds only standard
 * operators.
 * @throws DynnError 'model/classifier' or 'model/input' when an output or input does not exist
 * @throws DynnError 'gradient/none' when an operator in between has no gradient, or no chosen
 *   output depends on an input */
export function modelVjp(source: Graph, ops: OpTable, options: ModelVjpOptions = {}): ModelVjp {
  refuseBatchMixing(source, ops);
  const graph = simplify(inferShapes(source, ops), ops);
  const outputs = floatValues(graph.outputs, options.outputs, "model/classifier", `${source.name}: output`);
  const inputs = floatValues(graph.inputs, options.wrt, "model/input", `${source.name}: input`);
  const b = new GraphBuilder(graph);
  const cotangents = new Map(outputs.map((o) => [o.name, b.input(`cotangent_${o.name}`, o.dtype, o.shape ?? [])]));
  const products = new Map(inputs.map(({ name }) => [name, b.fresh(`product_${name}`)]));
  const wrt = inputs.map(({ name }) => name);
  const reversed = reverse(b, graph, ops, { seeds: cotangents, wrt });
  const of = outputs.map((o) => o.name);
  for (const { name, dtype, shape } of inputs) {
    const product = products.get(name) as ValueName;
    const grad = reversed.grads.get(name);
    if (grad === undefined)
      throw independent(graph, ops, reversed, {
        of,
        wrt: name,
        apart: `${source.name}: the chosen outputs do not depend on "${name}". Choose another input, or more outputs.`,
      });
    b.append({
      opType: "Identity",
      domain: "",
      name: "",
      inputs: [grad],
      outputs: [product],
      attributes: {},
    });
    b.output(product, dtype, shape);
  }
  return { graph: inferShapes(prune(b.build()), ops), cotangents, products };
}
