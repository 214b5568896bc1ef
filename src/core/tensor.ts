/** @file A tensor: element type, dimensions and one flat typed array in row-major order. Never one object per element. */
import { ARRAY_OF, type ArrayOf, type DType } from "./dtype.js";
import { DynnError } from "./errors.js";
import { type Dims, showShape, sizeOf } from "./shape.js";

export interface Tensor<D extends DType = DType> {
  readonly dtype: D;
  readonly dims: Dims;
  readonly data: ArrayOf<D>;
}

/** Wrap a typed array.
 * @throws DynnError 'shape/mismatch' when the array's length is not the product of `dims` */
export function tensor<D extends DType>(dtype: D, dims: Dims, data: ArrayOf<D>): Tensor<D> {
  if (data.length !== sizeOf(dims))
    throw new DynnError("shape/mismatch", `tensor: ${data.length} elements do not fill shape ${showShape(dims)} (${sizeOf(dims)} elements). Give data and dims that agree.`, { dims, length: data.length });
  return { dtype, dims, data };
}

/** A tensor from plain numbers, each converted to `dtype` (int64 truncates towards zero; beyond 2^63 it saturates). */
export function fromNumbers<D extends DType>(dtype: D, dims: Dims, numbers: ArrayLike<number>): Tensor<D> {
  const data = new ARRAY_OF[dtype](numbers.length) as ArrayOf<D>;
  if (data instanceof BigInt64Array) for (let i = 0; i < numbers.length; i++) data[i] = toInt64(numbers[i] as number);
  else if (data instanceof BigUint64Array) for (let i = 0; i < numbers.length; i++) data[i] = BigInt(Math.trunc(numbers[i] as number));
  else if (dtype === "float16" || dtype === "bfloat16") for (let i = 0; i < numbers.length; i++) data[i] = to16Bits(numbers[i] as number, dtype);
  else (data as Float64Array).set(numbers);
  return tensor(dtype, dims, data);
}

const INT64_MAX = 2n ** 63n - 1n;
const toInt64 = (value: number): bigint => (value >= 2 ** 63 ? INT64_MAX : value <= -(2 ** 63) ? -INT64_MAX - 1n : BigInt(Math.trunc(value)));

/** Every element as a float64 (int64 beyond 2^53 is rounded). Float64 data is returned as it is, not copied. */
export function toNumbers(t: Tensor): Float64Array {
  if (t.data instanceof Float64Array) return t.data;
  if (t.data instanceof BigInt64Array || t.data instanceof BigUint64Array) return Float64Array.from(t.data, Number);
  if (t.dtype === "float16" || t.dtype === "bfloat16") return Float64Array.from(t.data as Uint16Array, (bits) => from16Bits(bits, t.dtype));
  return Float64Array.from(t.data as Float32Array);
}

export const scalar = <D extends DType>(dtype: D, value: number): Tensor<D> => fromNumbers(dtype, [], [value]);
export const int64s = (values: readonly number[]): Tensor<"int64"> => fromNumbers("int64", [values.length], values);

const word = new DataView(new ArrayBuffer(4));

function to16Bits(value: number, dtype: "float16" | "bfloat16"): number {
  word.setFloat32(0, value);
  const bits = word.getUint32(0);
  if (dtype === "bfloat16") return Number.isNaN(value) ? 0x7fc0 : ((bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16) & 0xffff;
  return floatToHalf(value, bits);
}

/** IEEE 754 binary16, rounding half to even. */
function floatToHalf(value: number, bits: number): number {
  const sign = (bits >>> 16) & 0x8000;
  const size = Math.abs(value);
  if (Number.isNaN(value)) return sign | 0x7e00;
  if (size >= 65520) return sign | 0x7c00;
  const exponent = Math.max(-14, Math.floor(Math.log2(size || 2 ** -24)));
  const step = 2 ** (exponent - 10);
  const mantissa = roundHalfEven(size / step);
  if (exponent === -14 && mantissa < 1024) return sign | mantissa;
  return sign | (((exponent + 15) << 10) + mantissa - 1024);
}

function roundHalfEven(x: number): number {
  const low = Math.floor(x);
  const rest = x - low;
  return rest > 0.5 || (rest === 0.5 && low % 2 === 1) ? low + 1 : low;
}

function from16Bits(bits: number, dtype: DType): number {
  if (dtype === "bfloat16") {
    word.setUint32(0, bits << 16);
    return word.getFloat32(0);
  }
  const [sign, exponent, mantissa] = [bits & 0x8000 ? -1 : 1, (bits >>> 10) & 31, bits & 1023];
  if (exponent === 31) return mantissa ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return sign * (exponent === 0 ? mantissa * 2 ** -24 : (1024 + mantissa) * 2 ** (exponent - 25));
}
