/** @file Pad: constant, reflect, edge or wrap; negative pads cut off. Spec: ONNX Pad-21 (axes since 18, wrap since 19). */
import { type Dim, type Shape, sizeOf, stridesOf } from "../../core/shape.js";
import { attribute } from "../../graph/attributes.js";
import type { Node, ValueName } from "../../graph/graph.js";
import { inputType, mismatch, type NdArray, type OpDef, type VjpContext } from "../../graph/op.js";
import { adjointAlongAxis, checkMatrix, selectionMatrix } from "../support/along-axis.js";
import { padZeros, reduceSum } from "../support/emit.js";
import { axesIn, noGradient, numbers, unknownDim } from "../support/known.js";
import { given } from "../support/nd.js";

const MODES = ["constant", "reflect", "edge", "wrap"] as const;
type Mode = (typeof MODES)[number];

function modeOf(node: Node): Mode {
  const stated = attribute(node, "mode", "string") ?? "constant";
  const mode = MODES.find((m) => m === stated);
  if (mode) return mode;
  throw mismatch(node, `mode "${stated}" is unknown, expected ${MODES.join(", ")}. Export the model again.`);
}

interface Pads {
  readonly before: readonly number[];
  readonly after: readonly number[];
}

/** Pads of every axis. */
function padsOf(node: Node, rank: number, pads: ArrayLike<number>, axes: ArrayLike<number> | undefined): Pads {
  const along = axes ? axesIn(node, Array.from(axes), rank) : Array.from({ length: rank }, (_, i) => i);
  if (pads.length !== 2 * along.length)
    throw mismatch(
      node,
      `${pads.length} pads for ${along.length} axes, expected ${2 * along.length}. Give one before and one after each axis.`,
    );
  const [before, after] = [new Array<number>(rank).fill(0), new Array<number>(rank).fill(0)];
  along.forEach((axis, i) => {
    before[axis] = pads[i];
    after[axis] = pads[i + along.length];
  });
  return { before, after };
}

/** Pads as far as they are known before running. */
function knownPads(ctx: Parameters<typeof numbers>[0], rank: number): Pads | undefined {
  const [pads, axes] = [numbers(ctx, 1), numbers(ctx, 3)];
  return pads && (axes || !ctx.inputs[3]) ? padsOf(ctx.node, rank, pads, axes) : undefined;
}

/** For each element of a padded axis the index it comes from, or -1 for the constant. */
function sources(node: Node, length: number, before: number, after: number): readonly number[] {
  const mode = modeOf(node);
  return Array.from({ length: length + before + after }, (_, i) => source(mode, i - before, length));
}

function source(mode: Mode, at: number, length: number): number {
  if (at >= 0 && at < length) return at;
  if (mode === "constant") return -1;
  if (mode === "edge") return at < 0 ? 0 : length - 1;
  if (mode === "wrap") return ((at % length) + length) % length;
  const period = Math.max(1, 2 * (length - 1));
  const folded = ((at % period) + period) % period;
  return Math.min(folded, period - folded);
}

function pad(node: Node, x: NdArray, { before, after }: Pads, fill: number): NdArray {
  const from = x.dims.map((d, i) => sources(node, d, before[i], after[i]));
  const [dims, strides] = [from.map((f) => f.length), stridesOf(x.dims)];
  const data = new Float64Array(sizeOf(dims));
  for (let i = 0; i < data.length; i++) {
    let [at, rest] = [0, i];
    for (let axis = dims.length - 1; axis >= 0 && at >= 0; axis--) {
      const index = from[axis]?.[rest % dims[axis]];
      at = index < 0 ? -1 : at + index * strides[axis];
      rest = Math.floor(rest / dims[axis]);
    }
    data[i] = at < 0 ? fill : x.data[at];
  }
  return { dims, data };
}

function padded(node: Node, shape: Shape, pads: Pads | undefined): Dim[] {
  return shape.map((d, i) => {
    const more = pads && pads.before[i] + pads.after[i];
    if (more === 0) return d;
    if (more === undefined || typeof d !== "number") return unknownDim(node, i);
    if (d + more < 0)
      throw mismatch(node, `pads of ${more} leave nothing of axis ${i} of length ${d}. Use larger inputs.`, {
        axis: i,
        length: d,
        pads: more,
      });
    return d + more;
  });
}

/** dx. Constant: the padding cut off. Other modes copy elements, axis by axis; their gradients are added up. */
function inputGradient(ctx: VjpContext, dy: ValueName): ValueName {
  const { b, node } = ctx;
  const shape = inputType(ctx, 0).shape;
  const pads = knownPads(ctx, shape.length);
  if (!pads) throw noGradient(node, "the pads are not known before running. Export the model with constant pads");
  if (modeOf(node) === "constant")
    return padZeros(
      b,
      dy,
      [...pads.before, ...pads.after].map((p) => -p),
    );
  return shape.reduce<ValueName>((grad, length, axis) => {
    const [before, after] = [pads.before[axis], pads.after[axis]];
    if (before === 0 && after === 0) return grad;
    if (typeof length !== "number")
      throw noGradient(
        node,
        `axis ${axis} is padded but its length is not known. Export the model with a fixed image size`,
      );
    checkMatrix(node, length, length + before + after);
    const reached = [...shape.slice(0, axis + 1), ...(ctx.outputs[0]?.shape ?? []).slice(axis + 1)];
    return adjointAlongAxis(ctx, grad, reached, axis, selectionMatrix(sources(node, length, before, after), length));
  }, dy);
}

/** The constant's gradient: all of dy that did not come from x. */
function fillGradient(ctx: VjpContext, dy: ValueName, dx: ValueName): ValueName {
  const { b } = ctx;
  const axes = inputType(ctx, 0).shape.map((_, i) => i);
  const fill = b.op("Sub", [reduceSum(b, dy, axes, false), reduceSum(b, dx, axes, false)]);
  const shape = inputType(ctx, 2).shape;
  return shape.length === 0 ? fill : b.op("Reshape", [fill, b.ints([1])]);
}

export const Pad: OpDef = {
  type: "Pad",
  takes: ["T", "index", "T", "index"],
  limit: "the gradient needs constant pads and, but for mode constant, known lengths",
  infer: (ctx) => {
    const { dtype, shape } = inputType(ctx, 0);
    return [{ dtype, shape: padded(ctx.node, shape, knownPads(ctx, shape.length)) }];
  },
  isIdentity: (ctx) => {
    const pads = knownPads(ctx, inputType(ctx, 0).shape.length);
    return pads !== undefined && [...pads.before, ...pads.after].every((p) => p === 0);
  },
  vjp: (ctx) => {
    const dy = ctx.grads[0];
    if (dy === undefined) return [];
    const dx = inputGradient(ctx, dy);
    return [dx, undefined, ctx.needs(2) ? fillGradient(ctx, dy, dx) : undefined];
  },
  run: (inputs, { node }) => {
    const x = given(inputs, 0);
    return [pad(node, x, padsOf(node, x.dims.length, given(inputs, 1).data, inputs[3]?.data), inputs[2]?.data[0] ?? 0)];
  },
};
