/** @file The form in which a network of the zoo is published. Its weights are rounded to the
 *  precision of float16, and stay float32 in the file. Such a file compresses to about 57 % of its
 *  size. Weights that another published file holds are not stored twice. */
import { bytesOf } from "../../core/bytes.js";
import type { Tensor } from "../../core/tensor.js";
import type { Graph } from "../../graph/graph.js";
import { initializerPlaces } from "../../onnx/initializer-places.js";
import { readModel } from "../../onnx/read.js";
import type { WritableModel } from "../../onnx/write.js";
import { parametersOf } from "../step/training-form.js";

/** Running statistics of BatchNormalization. They are learned, but are no parameters. */
const STATISTIC = /\.running_(mean|var)$/;

/** The graph with rounded parameters and running statistics. Other constants, such as the
 * normalisation, keep their bits. */
export function roundedWeights(graph: Graph): Graph {
  const parameters = new Set(parametersOf(graph));
  const learned = (name: string): boolean => parameters.has(name) || STATISTIC.test(name);
  const initializers = new Map(
    [...graph.initializers].map(([name, tensor]) => [name, learned(name) ? rounded(tensor) : tensor]),
  );
  return { ...graph, initializers };
}

const rounded = (tensor: Tensor): Tensor =>
  tensor.dtype === "float32" ? { ...tensor, data: toHalfPrecision(tensor.data as Float32Array) } : tensor;

/** Bits of the significand that float32 has and float16 does not have. */
const DROPPED = 13;

/** Rounds each number to 11 significant bits, as float16 has them. Ties go to even. The range stays
 * that of float32, so no number becomes 0 or infinite. Source: IEEE 754-2019, sections 3.6 and
 * 4.3.1. */
export function toHalfPrecision(values: Float32Array): Float32Array<ArrayBuffer> {
  const result = Float32Array.from(values);
  const bits = new Uint32Array(result.buffer);
  for (let i = 0; i < bits.length; i++) {
    const next = bits[i] + (2 ** (DROPPED - 1) - 1) + ((bits[i] >>> DROPPED) & 1);
    const kept = ((next >>> DROPPED) << DROPPED) >>> 0;
    if (Number.isFinite(result[i]) && (kept & INFINITE) !== INFINITE) bits[i] = kept;
  }
  return result;
}

/** Exponent bits of an infinite float32. */
const INFINITE = 0x7f800000;

/** A published model file that other files can refer to. */
export interface PublishedFile {
  /** The file's name, without its folder. */
  readonly location: string;
  readonly bytes: Uint8Array;
}

/** Smaller tensors are stored again: their place would take as many bytes. */
const LEAST_BYTES = 256;

/** Where the weights of a graph lie in a file that holds the same weights. */
export function sharedWeights(graph: Graph, { location, bytes }: PublishedFile): WritableModel["external"] {
  const theirs = readModel(bytes, { name: location }).graph.initializers;
  const places = initializerPlaces(bytes);
  const shared = [...graph.initializers].flatMap(([name, tensor]) => {
    const [other, place] = [theirs.get(name), places.get(name)];
    const same = other && place && place.length >= LEAST_BYTES && sameTensor(tensor, other);
    return same ? [[name, { location, ...place }] as const] : [];
  });
  return new Map(shared);
}

function sameTensor(a: Tensor, b: Tensor): boolean {
  if (a.dtype !== b.dtype || a.dims.join() !== b.dims.join()) return false;
  const [left, right] = [bytesOf(a.data), bytesOf(b.data)];
  return left.every((byte, i) => byte === right[i]);
}
