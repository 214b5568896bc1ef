/** @file Layers over GraphBuilder. Each layer appends standard nodes in inference form, and
 *  parameters with the names that PyTorch would give. Layers compute sizes themselves, because
 *  this room may not use the shape rules of ops/. A parameter is trained when its name ends in
 *  `.weight`, `.bias` or `.mix`. `.running_mean` and `.running_var` are statistics. */
import { type Dims, sizeOf } from "../core/shape.js";
import { int, ints } from "../graph/attributes.js";
import type { GraphBuilder } from "../graph/builder.js";
import type { ValueName } from "../graph/graph.js";
import { filled, heNormal, type Initial, linearUniform, streamOf } from "./init.js";

/** The place of layers: the builder of the graph, and the path that starts their names ("" at
 * the top). */
export interface Scope {
  readonly b: GraphBuilder;
  readonly seed: number;
  readonly path: string;
}

/** A value and its sizes without the batch: [channels, height, width], or [features] when flat. */
export interface Feature {
  readonly value: ValueName;
  readonly dims: Dims;
}

const named = ({ path }: Scope, name: string): string => [path, name].filter(Boolean).join(".");

export const inside = (at: Scope, name: string): Scope => ({ ...at, path: named(at, name) });

/** A new parameter of the scope. */
export function parameter(at: Scope, name: string, dims: Dims, initial: Initial): ValueName {
  const full = named(at, name);
  return at.b.parameter(full, initial(streamOf(full, at.seed), dims));
}

/** Appends a node without parameters. Its output is named after the scope.
 * @param dims sizes of the output without the batch */
export const node = (
  at: Scope,
  name: string,
  opType: string,
  inputs: readonly ValueName[],
  dims: Dims,
  attributes: Parameters<GraphBuilder["op"]>[2] = {},
): Feature => ({ value: at.b.op(opType, inputs, attributes, named(at, name)), dims });

export interface ConvOptions {
  /** Channels of the output. */
  readonly to: number;
  /** Side of the kernel, an odd number. Padding keeps the size of the image at stride 1. */
  readonly kernel: number;
  readonly stride?: number;
  readonly groups?: number;
}

/** Convolution without bias, because a BatchNormalization follows: [c,h,w] -> [to,
 * ceil(h/stride), ceil(w/stride)]. */
export function conv(at: Scope, name: string, x: Feature, options: ConvOptions): Feature {
  const { to, kernel, stride = 1, groups = 1 } = options;
  const [from, ...image] = x.dims as [number, ...number[]];
  const pad = (kernel - 1) / 2;
  const weight = parameter(inside(at, name), "weight", [to, from / groups, kernel, kernel], heNormal(groups));
  return node(at, name, "Conv", [x.value, weight], [to, ...image.map((side) => Math.ceil(side / stride))], {
    kernel_shape: ints([kernel, kernel]),
    pads: ints([pad, pad, pad, pad]),
    strides: ints([stride, stride]),
    group: int(groups),
  });
}

/** BatchNormalization with epsilon 1e-5. It starts as the identity. */
export function batchNorm(at: Scope, name: string, x: Feature): Feature {
  const own = inside(at, name);
  const parameters = [
    ["weight", 1],
    ["bias", 0],
    ["running_mean", 0],
    ["running_var", 1],
  ] as const;
  const inputs = parameters.map(([part, value]) => parameter(own, part, [x.dims[0]], filled(value)));
  return node(at, name, "BatchNormalization", [x.value, ...inputs], x.dims);
}

export const relu = (at: Scope, name: string, x: Feature): Feature => node(at, name, "Relu", [x.value], x.dims);

export const add = (at: Scope, name: string, x: Feature, y: Feature): Feature =>
  node(at, name, "Add", [x.value, y.value], x.dims);

/** Joins the channels of all parts. */
export const concat = (at: Scope, name: string, parts: readonly Feature[]): Feature =>
  node(
    at,
    name,
    "Concat",
    parts.map((part) => part.value),
    [parts.reduce((sum, part) => sum + part.dims[0], 0), ...(parts[0]?.dims.slice(1) ?? [])],
    { axis: int(1) },
  );

/** Pooling without padding. Windows tile the image, and pixels after the last whole window are
 * left out. */
export function pool(
  at: Scope,
  name: string,
  kind: "MaxPool" | "AveragePool",
  x: Feature,
  kernel: readonly [number, number],
): Feature {
  const [channels, ...image] = x.dims as [number, ...number[]];
  const dims = [channels, ...image.map((side, i) => Math.floor(side / kernel[i]))];
  return node(at, name, kind, [x.value], dims, { kernel_shape: ints(kernel), strides: ints(kernel) });
}

/** Mean over the image: [c,h,w] -> [c,1,1]. */
export const globalPool = (at: Scope, name: string, x: Feature): Feature =>
  node(at, name, "GlobalAveragePool", [x.value], [x.dims[0], 1, 1]);

export const flatten = (at: Scope, name: string, x: Feature): Feature =>
  node(at, name, "Flatten", [x.value], [sizeOf(x.dims)], { axis: int(1) });

/** First values of a linear layer. */
export interface LinearOptions {
  readonly weight?: Initial;
  readonly bias?: Initial;
}

/** Linear layer on a flat feature. Its parameters are `weight` [to, from] and `bias` of the
 * scope itself. */
export function linear(at: Scope, output: string, x: Feature, to: number, first: LinearOptions = {}): Feature {
  const from = x.dims[0];
  const weight = parameter(at, "weight", [to, from], first.weight ?? linearUniform(from));
  const bias = parameter(at, "bias", [to], first.bias ?? linearUniform(from));
  return { value: at.b.op("Gemm", [x.value, weight, bias], { transB: int(1) }, output), dims: [to] };
}
