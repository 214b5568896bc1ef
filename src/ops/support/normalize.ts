/** @file Normalization to mean 0 and variance 1 over axes: kernel and gradient of
 *  LayerNormalization, InstanceNormalization and GroupNormalization. xhat = (x - mean) * inv,
 *  inv = 1 / sqrt(variance + epsilon). Source: Ioffe & Szegedy 2015, section 3 (chain rule
 *  through mean and variance). */
import type { DType } from "../../core/dtype.js";
import type { GraphBuilder } from "../../graph/builder.js";
import type { ValueName } from "../../graph/graph.js";
import type { NdArray } from "../../graph/op.js";
import { reduce } from "./emit.js";
import { linesOver } from "./lines.js";
import { broadcastOffsets, ndZeros } from "./nd.js";

export interface Normalized {
  readonly xhat: NdArray;
  /** One number per line. */
  readonly mean: Float64Array;
  readonly inv: Float64Array;
}

export function normalizeOver(x: NdArray, axes: readonly number[], epsilon: number): Normalized {
  const { starts, steps } = linesOver(x.dims, axes);
  const xhat = ndZeros(x.dims);
  const [mean, inv] = [new Float64Array(starts.length), new Float64Array(starts.length)];
  starts.forEach((start, line) => {
    const values = Float64Array.from(steps, (step) => x.data[start + step]);
    const centre = values.reduce((a, b) => a + b, 0) / values.length;
    const variance = values.reduce((sum, v) => sum + (v - centre) ** 2, 0) / values.length;
    mean[line] = centre;
    inv[line] = 1 / Math.sqrt(variance + epsilon);
    steps.forEach((step, k) => {
      xhat.data[start + step] = (values[k] - centre) * inv[line];
    });
  });
  return { xhat, mean, inv };
}

/** x * scale + shift, both broadcast to x. */
export function scaleAndShift(x: NdArray, scale: NdArray, shift: NdArray | undefined): NdArray {
  const scaleAt = broadcastOffsets(scale.dims, x.dims);
  const shiftAt = shift && broadcastOffsets(shift.dims, x.dims);
  const at = (values: NdArray | undefined, offsets: Int32Array | undefined, i: number): number =>
    values?.data[offsets?.[i] as number] ?? 0;
  return { dims: x.dims, data: x.data.map((v, i) => v * at(scale, scaleAt, i) + at(shift, shiftAt, i)) };
}

/** A per-channel vector [c] as [c, 1, ...], which broadcasts along axis 1 of a tensor of this
 * rank. */
export const ndPerChannel = (v: NdArray, rank: number): NdArray => ({
  dims: [...v.dims, ...new Array<number>(Math.max(0, rank - 2)).fill(1)],
  data: v.data,
});

/** Values of the gradient graph. */
export interface NormalizedNames {
  readonly xhat: ValueName;
  readonly inv: ValueName;
}

/** Nodes that normalize x over `axes`. */
export function emitNormalized(
  b: GraphBuilder,
  x: ValueName,
  axes: readonly number[],
  epsilon: number,
  dtype: DType,
): NormalizedNames {
  const centred = b.op("Sub", [x, reduce(b, "ReduceMean", x, axes, true)]);
  const variance = reduce(b, "ReduceMean", b.op("Mul", [centred, centred]), axes, true);
  const inv = b.op("Reciprocal", [b.op("Sqrt", [b.op("Add", [variance, b.scalar(epsilon, dtype)])])]);
  return { xhat: b.op("Mul", [centred, inv]), inv };
}

/** The gradient of x from `g`, the gradient of xhat: inv * (g - mean(g) - xhat * mean(g *
 * xhat)). */
export function emitNormalizedGradient(
  b: GraphBuilder,
  { xhat, inv }: NormalizedNames,
  g: ValueName,
  axes: readonly number[],
): ValueName {
  const along = b.op("Mul", [xhat, reduce(b, "ReduceMean", b.op("Mul", [g, xhat]), axes, true)]);
  const centred = b.op("Sub", [g, reduce(b, "ReduceMean", g, axes, true)]);
  return b.op("Mul", [inv, b.op("Sub", [centred, along])], {}, "grad");
}
