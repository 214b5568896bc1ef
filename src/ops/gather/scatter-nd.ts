/** @file ScatterND: writes (or from opset 16 adds, multiplies ...) slices into the data, each at a tuple of indices.
 *  Where plain writes repeat a tuple the last one wins, as in ONNX Runtime. Spec: ONNX ScatterND-18. */
import { type Dims, sizeOf } from "../../core/shape.js";
import type { Node, ValueName } from "../../graph/graph.js";
import { inputType, mismatch, type OpDef, type VjpContext } from "../../graph/op.js";
import { zerosLike } from "../support/emit.js";
import { given } from "../support/nd.js";
import { slicePositions, tupleLength } from "../support/points.js";
import { addsInto, reduceInto } from "../support/reduce-into.js";
import { symbolicMove } from "../support/symbolic.js";

/** dData loses what was overwritten; dUpdates is what lies at the tuples (no tuple may repeat when writing). */
function gradients(ctx: VjpContext, dy: ValueName): readonly (ValueName | undefined)[] {
  const { b, node } = ctx;
  const adds = addsInto(node);
  const [[, indices, given], updates] = [node.inputs, inputType(ctx, 2)];
  const erased = () => b.op("ScatterND", [dy, indices, zerosLike(b, given, updates.shape, updates.dtype)], {}, "grad");
  return [
    ctx.needs(0) ? (adds ? dy : erased()) : undefined,
    undefined,
    ctx.needs(2) ? b.op("GatherND", [dy, indices], {}, "grad") : undefined,
  ];
}

/** Elements of one slice. */
function sliceSize(node: Node, data: Dims, indices: Dims, updates: Dims): number {
  const slice = data.slice(tupleLength(node, data, indices));
  const expected = [...indices.slice(0, -1), ...slice];
  if (expected.length === updates.length && expected.every((d, i) => d === updates[i])) return sizeOf(slice);
  throw mismatch(
    node,
    `updates have shape [${updates}], expected [${expected}] for data [${data}] and indices [${indices}]. Export the model again.`,
    { updates, expected },
  );
}

const run: OpDef["run"] = (inputs, { node }) => {
  const [x, indices, updates] = [given(inputs, 0), given(inputs, 1), given(inputs, 2)];
  const size = sliceSize(node, x.dims, indices.dims, updates.dims);
  const reduce = reduceInto(node);
  const data = Float64Array.from(x.data);
  slicePositions(node, x.dims, indices).forEach((start, tuple) => {
    for (let k = 0; k < size; k++) data[start + k] = reduce(data[start + k], updates.data[tuple * size + k]);
  });
  return [{ dims: x.dims, data }];
};

export const ScatterND: OpDef = {
  type: "ScatterND",
  takes: ["T", "index", "T"],
  limit: "the reductions mul, min and max have no gradient",
  infer: (ctx) => {
    const { dtype, shape } = inputType(ctx, 0);
    tupleLength(ctx.node, shape, inputType(ctx, 1).shape);
    return [{ dtype, shape }];
  },
  vjp: (ctx) => (ctx.grads[0] === undefined ? [] : gradients(ctx, ctx.grads[0])),
  run,
  propagate: symbolicMove({ run }, (i) => i !== 1),
};
