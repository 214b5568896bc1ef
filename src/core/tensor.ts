/** @file A tensor: element type, dimensions and one flat typed array in row-major order. Never one object per element. */
import { ARRAY_OF, type ArrayOf, type DType } from "./dtype.js";
import { DynnError } from "./errors.js";
import { type Dims, showShape, sizeOf } from "./shape.js";

/** An array with its type and sizes. */
export interface Tensor<D extends DType = DType> {
  /** Type of the elements. */
  readonly dtype: D;
  /** Sizes, outermost first. */
  readonly dims: Dims;
  /** Elements in row-major order. */
  readonly data: ArrayOf<D>;
}

/** Wrap a typed array.
 * @throws DynnError 'shape/mismatch' when the array's length is not the product of `dims` */
export function tensor<D extends DType>(dtype: D, dims: Dims, data: ArrayOf<D>): Tensor<D> {
  if (data.length !== sizeOf(dims))
    throw new DynnError(
      "shape/mismatch",
      `tensor: ${data.length} elements do not fill shape ${showShape(dims)} (${sizeOf(dims)} elements). Give data and dims that agree.`,
      { dims, length: data.length },
    );
  return { dtype, dims, data };
}

/** A tensor from plain numbers, each converted to `dtype`. 64-bit integers truncate towards zero and saturate at their ends (NaN
 *  gives 0); 16-bit floats round half to even. */
export function fromNumbers<D extends DType>(dtype: D, dims: Dims, numbers: ArrayLike<number>): Tensor<D> {
  const data = new ARRAY_OF[dtype](numbers.length) as ArrayOf<D>;
  const fill = <T>(out: { [i: number]: T }, convert: (value: number) => T) => {
    for (let i = 0; i < numbers.length; i++) out[i] = convert(numbers[i]);
  };
  if (data instanceof BigInt64Array) fill<bigint>(data, (v) => toBig(v, -(2n ** 63n), 2n ** 63n - 1n));
  else if (data instanceof BigUint64Array) fill<bigint>(data, (v) => toBig(v, 0n, 2n ** 64n - 1n));
  else if (isHalf(dtype)) fill<number>(data, (v) => toHalf(v, FORMATS[dtype]));
  else (data as Float64Array).set(numbers);
  return tensor(dtype, dims, data);
}

function toBig(value: number, low: bigint, high: bigint): bigint {
  if (value >= Number(high)) return high;
  if (value <= Number(low)) return low;
  return BigInt(Math.trunc(value) || 0);
}

/** Every element as a float64 (int64 beyond 2^53 is rounded). Float64 data is returned as it is, not copied. */
export function toNumbers(t: Tensor): Float64Array {
  if (t.data instanceof Float64Array) return t.data;
  if (t.data instanceof BigInt64Array || t.data instanceof BigUint64Array) return Float64Array.from(t.data, Number);
  const { dtype } = t;
  if (isHalf(dtype)) return Float64Array.from(t.data as Uint16Array, (bits) => fromHalf(bits, FORMATS[dtype]));
  return Float64Array.from(t.data as Float32Array);
}

/** Rows of equal length, one after the other, as a float32 tensor.
 * @param dims dimensions of one row; the number of rows is put before them */
export function stackRows(rows: readonly Float32Array[], dims: Dims = [rows[0]?.length ?? 0]): Tensor<"float32"> {
  const each = sizeOf(dims);
  const data = new Float32Array(rows.length * each);
  rows.forEach((row, i) => data.set(row, i * each));
  return tensor("float32", [rows.length, ...dims], data);
}

export const scalar = <D extends DType>(dtype: D, value: number): Tensor<D> => fromNumbers(dtype, [], [value]);
export const int64s = (values: readonly number[]): Tensor<"int64"> => fromNumbers("int64", [values.length], values);

/** The two 16-bit floats: bits of the fraction, and the exponent's bias. */
const FORMATS = { float16: { fraction: 10, bias: 15 }, bfloat16: { fraction: 7, bias: 127 } } as const;
type HalfFloat = keyof typeof FORMATS;

const isHalf = (dtype: DType): dtype is HalfFloat => dtype in FORMATS;

/** The bits of a number as IEEE 754 has them, rounding half to even. Subnormals need no case of their own: their exponent is
 *  the smallest there is, and the steps fill the fraction alone. */
function toHalf(value: number, { fraction, bias }: (typeof FORMATS)[HalfFloat]): number {
  const infinity = (2 * bias + 1) << fraction;
  if (Number.isNaN(value)) return infinity | (1 << (fraction - 1));
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  const size = Math.abs(value);
  if (size >= 2 ** (bias + 1)) return sign | infinity;
  const exponent = Math.max(1 - bias, Math.floor(Math.log2(size)));
  const steps = roundHalfEven(size / 2 ** (exponent - fraction));
  return sign | (((exponent + bias - 1) << fraction) + steps);
}

function roundHalfEven(x: number): number {
  const low = Math.floor(x);
  const rest = x - low;
  return rest > 0.5 || (rest === 0.5 && low % 2 === 1) ? low + 1 : low;
}

function fromHalf(bits: number, { fraction, bias }: (typeof FORMATS)[HalfFloat]): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits & 0x7fff) >>> fraction;
  const rest = bits & ((1 << fraction) - 1);
  if (exponent === 2 * bias + 1) return rest ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  const steps = exponent === 0 ? rest : rest + (1 << fraction);
  return sign * steps * 2 ** (Math.max(exponent, 1) - bias - fraction);
}
