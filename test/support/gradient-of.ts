/** @file The gradient of the sum of one operator's output, for tests of single values (ties, bounds). */
import { gradientGraph } from "../../src/autodiff/gradient.js";
import { type Tensor, toNumbers } from "../../src/core/tensor.js";
import type { Attributes } from "../../src/graph/attributes.js";
import { GraphBuilder } from "../../src/graph/builder.js";
import { inferShapes } from "../../src/graph/infer.js";
import { emptyGraph } from "../../src/graph/op.js";
import { opTable } from "../../src/ops/table.js";
import { runReference } from "../../src/runtime/reference.js";

/** Gradients of every input, flattened, in the order of the inputs. */
export function gradientOf(
  op: string,
  inputs: readonly Tensor[],
  attributes: Attributes = {},
  opset = 17,
): readonly (readonly number[])[] {
  const b = new GraphBuilder(emptyGraph(op, opset));
  const names = inputs.map((t, i) => b.input(`x${i}`, t.dtype, t.dims));
  const y = b.op(op, names, attributes, "y");
  b.output(y, "float64", undefined);
  const graph = inferShapes(b.build(), opTable);
  const grads = names.map((name) => `grad_${name}`);
  const full = gradientGraph(graph, opTable, { loss: y, wrt: names, names: grads, keep: [] });
  const results = runReference(full, Object.fromEntries(names.map((name, i) => [name, inputs[i]])));
  return grads.map((name) => [...toNumbers(results[name])]);
}
