/** @file Slice: a range with a step (negative ones too) along some axes. Spec: ONNX Slice-13 (inputs since 10). */
import { type Dim, type Shape, stridesOf } from "../../core/shape.js";
import { int } from "../../graph/attributes.js";
import type { Node, ValueName } from "../../graph/graph.js";
import { inputType, mismatch, type OpDef, type VjpContext } from "../../graph/op.js";
import { padZeros, reshapeTo, slice, unsqueeze, zerosLike } from "../support/emit.js";
import { axesIn, elements, noGradient, numbers, unknown, unknownDim } from "../support/known.js";
import { given, walkOffsets } from "../support/nd.js";
import { symbolicMove } from "../support/symbolic.js";

/** Beyond any length: "to the end". */
const FAR = 2 ** 31 - 1;

/** One sliced axis as the node states it; a bound that is not known is undefined. */
interface Cut {
  readonly axis: number;
  readonly start: Dim | undefined;
  readonly end: Dim | undefined;
  readonly step: number;
}

/** First index and number of elements. */
function range(length: number, start: number, end: number, step: number): { first: number; count: number } {
  const clamp = (v: number, low: number, high: number) => Math.max(low, Math.min(high, v < 0 ? v + length : v));
  const [low, high] = step > 0 ? [0, length] : [-1, length - 1];
  const first = clamp(start, step > 0 ? 0 : Math.min(0, high), high);
  return { first, count: Math.max(0, Math.ceil((clamp(end, low, high) - first) / step)) };
}

interface Lists {
  readonly starts: readonly (Dim | undefined)[];
  readonly ends: readonly (Dim | undefined)[];
  readonly axes: readonly number[] | undefined;
  readonly steps: readonly number[] | undefined;
}

function cutsOf(node: Node, rank: number, { starts, ends, axes, steps }: Lists): readonly Cut[] {
  const along = axesIn(node, axes ?? starts.map((_, i) => i), rank);
  if (
    starts.length !== along.length ||
    ends.length !== along.length ||
    (steps && (steps.length !== along.length || steps.includes(0)))
  )
    throw mismatch(
      node,
      `starts, ends, axes and steps have lengths ${starts.length}, ${ends.length}, ${along.length} and ${steps?.length ?? along.length}, expected equal lengths and no step of 0. Export the model again.`,
    );
  return along.map((axis, i) => ({ axis, start: starts[i], end: ends[i], step: steps?.[i] ?? 1 }));
}

/** The cuts as far as they are known before running. */
function knownCuts(ctx: Parameters<typeof elements>[0]): readonly Cut[] {
  const count = inputType(ctx, 1).shape[0];
  const [axes, steps] = [numbers(ctx, 3), numbers(ctx, 4)];
  if (typeof count !== "number" || count > 64 || (ctx.inputs[3] && !axes) || (ctx.inputs[4] && !steps))
    throw unknown(ctx.node, "the axes and steps of a slice must be known before running");
  const bounds = (i: number) => elements(ctx, i) ?? Array.from({ length: count }, () => undefined);
  return cutsOf(ctx.node, inputType(ctx, 0).shape.length, { starts: bounds(1), ends: bounds(2), axes, steps });
}

/** Whether the cut keeps everything, whatever the length. */
const isWhole = (length: Dim | undefined, { start, end, step }: Cut): boolean =>
  (step === 1 && start === 0 && (end === length || (typeof end === "number" && end >= FAR))) ||
  (step === -1 && start === -1 && typeof end === "number" && end <= -FAR);

function cutLength(node: Node, length: Dim, cut: Cut): Dim {
  const { start, end, step } = cut;
  if (isWhole(length, cut)) return length;
  if (typeof length !== "number" || typeof start !== "number" || typeof end !== "number")
    return unknownDim(node, cut.axis);
  return range(length, start, end, step).count;
}

const run: OpDef["run"] = (inputs, { node }) => {
  const x = given(inputs, 0);
  const list = (i: number) => (inputs[i] ? [...inputs[i].data] : undefined);
  const [dims, steps] = [[...x.dims], stridesOf(x.dims)];
  let origin = 0;
  for (const { axis, start, end, step } of cutsOf(node, dims.length, {
    starts: list(1) ?? [],
    ends: list(2) ?? [],
    axes: list(3),
    steps: list(4),
  })) {
    const { first, count } = range(dims[axis], start as number, end as number, step);
    origin += first * steps[axis];
    dims[axis] = count;
    steps[axis] *= step;
  }
  return [{ dims, data: Float64Array.from(walkOffsets(dims, steps, origin), (at) => x.data[at]) }];
};

/** A cut whose bounds are numbers, run forwards: reversed cuts list their elements from the other end. */
interface Placed {
  readonly axis: number;
  readonly first: number;
  readonly count: number;
  readonly stride: number;
  /** Elements behind the last one's stride; negative when the stride reaches over the end. */
  readonly rest: number;
}

function placed(shape: Shape, { axis, start, end, step }: Cut): Placed | undefined {
  const length = shape[axis];
  if (typeof length !== "number" || typeof start !== "number" || typeof end !== "number") return undefined;
  const { first, count } = range(length, start, end, step);
  const [low, stride] = [step > 0 ? first : first + (count - 1) * step, Math.abs(step)];
  return { axis, first: low, count, stride, rest: length - low - count * stride };
}

/** dx: dy turned back, spread by the steps, with zeros around it. */
function gradient(ctx: VjpContext, dy: ValueName): ValueName {
  const { b, node } = ctx;
  const { shape, dtype } = inputType(ctx, 0);
  const all = knownCuts(ctx);
  const backward = all.filter((cut) => cut.step < 0).map((cut) => cut.axis);
  const turned =
    backward.length === 0
      ? dy
      : slice(b, dy, {
          starts: backward.map(() => -1),
          ends: backward.map(() => -FAR),
          axes: backward,
          steps: backward.map(() => -1),
        });
  const cuts = all.filter((cut) => !isWhole(shape[cut.axis], cut));
  const places = cuts.map((cut) => placed(shape, cut));
  if (!places.every((p) => p !== undefined)) return padAtRunTime(ctx, turned, cuts);
  if (places.some((p) => p.count === 0)) return zerosLike(b, node.inputs[0], shape, dtype);
  const spaced = spread(
    ctx,
    turned,
    places.filter((p) => p.stride > 1),
  );
  const pads = new Array<number>(2 * shape.length).fill(0);
  for (const p of places) [pads[p.axis], pads[p.axis + shape.length]] = [p.first, p.rest];
  return padZeros(b, spaced, pads);
}

/** stride - 1 zeros after each element along the given axes. */
function spread(ctx: VjpContext, dy: ValueName, places: readonly Placed[]): ValueName {
  if (places.length === 0) return dy;
  const { b, node } = ctx;
  const shape = [...(ctx.outputs[0]?.shape ?? [])];
  if (shape.filter((d) => typeof d === "string").length > 1)
    throw noGradient(
      node,
      "a slice with steps needs known lengths, but for the batch. Export the model with a fixed image size",
    );
  const inserted = places.map((p) => p.axis + 1 + places.filter((q) => q.axis < p.axis).length);
  const pads = new Array<number>(2 * (shape.length + places.length)).fill(0);
  places.forEach((p, i) => {
    pads[shape.length + places.length + inserted[i]] = p.stride - 1;
    shape[p.axis] = p.count * p.stride;
  });
  return reshapeTo(b, padZeros(b, unsqueeze(b, dy, inserted), pads), shape);
}

/** Zeros around dy when a length is only known at run time. Where the part starts a known number of elements from the front, so
 *  many lie before it; else its end is known from the back, and before it lies all that is missing (`open`), less what is behind. */
function padAtRunTime(ctx: VjpContext, dy: ValueName, cuts: readonly Cut[]): ValueName {
  const { b, node } = ctx;
  const { shape } = inputType(ctx, 0);
  const [known, open] = [new Array<number>(shape.length).fill(0), new Array<number>(shape.length).fill(0)];
  for (const cut of cuts) {
    const start = placed(shape, cut)?.first ?? cut.start;
    const fromStart = typeof start === "number" && start >= 0;
    if (cut.step !== 1 || !(fromStart || (typeof cut.end === "number" && (cut.end < 0 || cut.end >= FAR))))
      throw noGradient(
        node,
        "the slice takes a part of an axis whose length is not known. Export the model with fixed sizes",
      );
    known[cut.axis] = fromStart ? start : Math.min(0, Number(cut.end));
    open[cut.axis] = fromStart ? 0 : 1;
  }
  const missing = b.op("Sub", [b.op("Shape", [node.inputs[0]]), b.op("Shape", [node.outputs[0]])]);
  const before = b.op("Add", [b.op("Mul", [missing, b.ints(open)]), b.ints(known)]);
  return b.op("Pad", [dy, b.op("Concat", [before, b.op("Sub", [missing, before])], { axis: int(0) })]);
}

export const Slice: OpDef = {
  type: "Slice",
  takes: ["T", "index"],
  limit: "axes and steps must be constant; the gradient of steps needs known lengths",
  infer: (ctx) => {
    const { dtype, shape } = inputType(ctx, 0);
    const cuts = knownCuts(ctx);
    return [
      {
        dtype,
        shape: shape.map((d, axis) =>
          cuts.filter((c) => c.axis === axis).reduce((length, cut) => cutLength(ctx.node, length, cut), d),
        ),
      },
    ];
  },
  vjp: (ctx) => (ctx.grads[0] === undefined ? [] : [gradient(ctx, ctx.grads[0])]),
  run,
  propagate: symbolicMove({ run }),
};
