/** @file The gradient of a maximum over windows: all of it goes to the element that was taken, which MaxPool names (Indices).
 *  Where windows do not overlap MaxUnpool puts it there. MaxUnpool writes, it does not add, so windows that overlap are added up
 *  by ScatterElements; before opset 16, which cannot add, they are split into classes of windows that do not meet,
 *  ceil(extent / stride) apart (four for 3x3 with stride 2), with a MaxUnpool each. Exact, ties included, in every opset.
 *  ONNX Runtime 1.30 on 2 cores, [16,64,56,56], pool and gradient: 3x3 stride 2 by classes 255 ms, by ScatterElements 166;
 *  2x2 tiles by MaxUnpool 75 ms, by ScatterElements 131. */
import { int, ints, string } from "../../graph/attributes.js";
import type { ValueName } from "../../graph/graph.js";
import { inputType, type VjpContext } from "../../graph/op.js";
import { reshapeTo, shapeOf, zerosLike } from "./emit.js";
import { noGradient } from "./known.js";
import { extent, type Window } from "./window.js";

const FAR = 2 ** 31 - 1;
/** A graph must not grow without end: before opset 16 each class of windows is a node. */
const CLASS_LIMIT = 256;

/** dX of a pool over `window` that took the maximum of each. */
export function maxGradient(ctx: VjpContext, window: Window, dy: ValueName): ValueName {
  const apart = window.kernel.map((k, i) => classesAlong(ctx, window, k, i));
  const add = ctx.b.opset >= 16 && apart.some((n) => n > 1);
  return add ? byScatter(ctx, indicesOf(ctx, window), dy) : byUnpool(ctx, indicesOf(ctx, window), dy, apart);
}

/** Indices count over the whole tensor, so the tensor is scattered into as one line. */
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

/** How many windows overlap one position along spatial axis i: no more than there are windows. */
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

/** Which element each window took: what the node says itself, or a second pool that says it (the first stays fast without). */
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
