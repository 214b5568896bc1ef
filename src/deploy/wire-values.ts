/** @file Encodes hidden values for the wire: float32 unchanged, float16 rounded half to even, int8
 *  with scales. All are little-endian.
 *  The three formats are for float32 values. A value of another dtype is sent unchanged. Pure;
 *  docs/serving.md shows the bytes. */
import { bytesOf, concatBytes } from "../core/bytes.js";
import { ARRAY_OF, byteSize, type DType } from "../core/dtype.js";
import { DynnError } from "../core/errors.js";
import { sizeOf } from "../core/shape.js";
import { fromNumbers, type Tensor, toNumbers } from "../core/tensor.js";

/** The number formats in which float32 values can be sent. */
export const WIRES = ["float32", "float16", "int8"] as const;
/** The number format of float32 values on the wire. */
export type Wire = (typeof WIRES)[number];

/** A hidden value that goes over the wire. */
export interface WireValue {
  /** The value's name. */
  readonly name: string;
  /** The type of the elements in the graph. */
  readonly dtype: DType;
  /** The sizes of one sample's row. */
  readonly dims: readonly number[];
}

type Data = Tensor["data"];

interface Coding {
  /** Bytes of one sample. */
  readonly bytes: (value: WireValue) => number;
  /** Bytes of `count` samples. */
  readonly write: (data: Data, value: WireValue, count: number) => Uint8Array;
  readonly read: (bytes: Uint8Array, value: WireValue, count: number) => Data;
}

const sizeOfRow = ({ dims }: WireValue): number => sizeOf(dims);

/** A copy: the bytes may begin anywhere, but a typed array must be aligned. */
const arrayOf = <D extends DType>(dtype: D, bytes: Uint8Array): InstanceType<(typeof ARRAY_OF)[D]> =>
  new ARRAY_OF[dtype](Uint8Array.from(bytes).buffer) as InstanceType<(typeof ARRAY_OF)[D]>;

const asIs: Coding = {
  bytes: (value) => sizeOfRow(value) * byteSize(value.dtype),
  write: (data) => bytesOf(data),
  read: (bytes, { dtype }) => arrayOf(dtype, bytes) as Data,
};

/** The largest float16. Larger numbers are sent as this one. */
export const LARGEST_HALF = 65504;

/** The number of each of the 65 536 bit patterns, made at first use. */
let halves: Float32Array | undefined;
const makeHalves = (): Float32Array => {
  const data = Uint16Array.from({ length: 0x10000 }, (_, bits) => bits);
  return Float32Array.from(toNumbers({ dtype: "float16", dims: [data.length], data }));
};

const float16: Coding = {
  bytes: (value) => sizeOfRow(value) * 2,
  write: (data) => {
    const clamped = (data as Float32Array).map((v) => Math.max(-LARGEST_HALF, Math.min(LARGEST_HALF, v)));
    return bytesOf(fromNumbers("float16", [clamped.length], clamped).data);
  },
  read: (bytes) => {
    halves ??= makeHalves();
    const bits = arrayOf("float16", bytes);
    const out = new Float32Array(bits.length);
    for (let i = 0; i < out.length; i++) out[i] = halves[bits[i]];
    return out;
  },
};

/** A channel with fewer numbers does not get its own scale (4 bytes). */
const LEAST_CHANNEL = 16;
const STEPS = 127;
/** Just below the largest float32, so that no scale times 127 rounds to infinity. */
const LARGEST = 3.4028e38;

/** The number of scales of a row: one per channel when channels have enough numbers, else one.
 * Channels differ in size by far more than the numbers within one.
 * Each sample has its own scales. So an answer does not depend on the other samples of the request,
 * and scales need no calibration.
 * Zero stays zero. Most outputs of a ReLU are zero. */
export const scalesOf = ({ dims }: WireValue): number => {
  const [channels = 1, ...rest] = dims;
  return sizeOf(rest) >= LEAST_CHANNEL ? channels : 1;
};

const int8: Coding = {
  bytes: (value) => 4 * scalesOf(value) + sizeOfRow(value),
  write: (data, value, count) => {
    const groups = count * scalesOf(value);
    const each = data.length / groups;
    const scales = new Float32Array(groups);
    const steps = new Int8Array(data.length);
    for (let g = 0; g < groups; g++) {
      const from = g * each;
      scales[g] = largestOf(data as Float32Array, from, from + each) / STEPS;
      quantize(data as Float32Array, steps, from, from + each, scales[g]);
    }
    return concatBytes([bytesOf(scales), bytesOf(steps)]);
  },
  read: (bytes, value, count) => {
    const groups = count * scalesOf(value);
    const scales = arrayOf("float32", bytes.subarray(0, 4 * groups));
    const steps = arrayOf("int8", bytes.subarray(4 * groups));
    const each = steps.length / groups;
    const out = new Float32Array(steps.length);
    for (let g = 0, i = 0; g < groups; g++)
      for (const scale = scales[g]; i < (g + 1) * each; i++) out[i] = scale * steps[i];
    return out;
  },
};

function largestOf(data: Float32Array, from: number, to: number): number {
  let largest = 0;
  for (let i = from; i < to; i++) largest = Math.max(largest, Math.abs(data[i]));
  return Math.min(largest, LARGEST);
}

/** Numbers too small for a scale in float32 become zero. */
function quantize(data: Float32Array, steps: Int8Array, from: number, to: number, scale: number): void {
  if (scale === 0) return;
  for (let i = from; i < to; i++) steps[i] = Math.max(-STEPS, Math.min(STEPS, Math.round(data[i] / scale)));
}

const CODINGS: Readonly<Record<Wire, Coding>> = { float32: asIs, float16, int8 };
const codingOf = ({ dtype }: WireValue, wire: Wire): Coding => (dtype === "float32" ? CODINGS[wire] : asIs);

/** Bytes of one sample's row of a value. */
export const rowBytes = (value: WireValue, wire: Wire): number => codingOf(value, wire).bytes(value);

/** Encode rows of a value.
 * @throws DynnError 'wire/value' when they hold NaN or an infinity */
export function writeRows(tensor: Tensor, value: WireValue, wire: Wire): Uint8Array {
  checkNumbers(tensor.data, value);
  return codingOf(value, wire).write(tensor.data, value, tensor.dims[0]);
}

/** Decode the bytes of `count` rows.
 * @throws DynnError 'wire/value' when they hold NaN or an infinity */
export function readRows(bytes: Uint8Array, value: WireValue, wire: Wire, count: number): Tensor {
  const data = codingOf(value, wire).read(bytes, value, count);
  checkNumbers(data, value);
  return { dtype: value.dtype, dims: [count, ...value.dims], data };
}

/** @throws DynnError 'wire/value' naming the first bad sample */
function checkNumbers(data: Data, value: WireValue): void {
  const bad = firstBad(data, value.dtype);
  if (bad < 0) return;
  const sample = Math.floor(bad / sizeOfRow(value));
  throw new DynnError(
    "wire/value",
    `sample ${sample}: "${value.name}" holds ${value.dtype === "bool" ? `a byte ${data[bad]}, expected 0 or 1` : "NaN or an infinity, expected finite numbers"}. Check the image and the device's half of the network.`,
    { sample, name: value.name },
  );
}

function firstBad(data: Data, dtype: DType): number {
  if (dtype === "bool") return (data as Uint8Array).findIndex((v) => v > 1);
  if (data instanceof Float32Array || data instanceof Float64Array) return data.findIndex((v) => !Number.isFinite(v));
  if (dtype !== "float16" && dtype !== "bfloat16") return -1;
  return toNumbers({ dtype, dims: [data.length], data }).findIndex((v) => !Number.isFinite(v));
}
