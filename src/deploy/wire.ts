/** @file Encodes requests from a device to its server: a header, the readings of the device's exits
 *  and the bits of its gates for each sample, and the hidden values.
 *  Any bytes decode to a request or a typed error. All numbers are little-endian. Pure;
 *  docs/serving.md shows the layout. */

import { concatBytes } from "../core/bytes.js";
import { DynnError } from "../core/errors.js";
import { counted } from "../core/units.js";
import type { GateBit } from "../dynamic/model/units.js";
import type { Reading } from "../dynamic/route/route.js";
import type { Tensors } from "../runtime/backend.js";
import { readRows, rowBytes, WIRES, type Wire, type WireValue, writeRows } from "./wire-values.js";

/** Media type of a request's body. */
export const WIRE_TYPE = "application/octet-stream";
export const WIRE_VERSION = 1;

/** The facts that device and server must agree on. Both read them from their common manifest. */
export interface WireForm {
  /** SHA-256 of the manifest in hexadecimal. Halves of different exports do not fit together. */
  readonly fingerprint: string;
  /** The number of exits that the device has run. */
  readonly deviceExits: number;
  /** The numbers of the gates whose bits the device has read. */
  readonly gates: readonly number[];
  /** The number of classes. */
  readonly classes: number;
  /** The least and the largest confidence of the policy's rule. */
  readonly confidences: readonly [number, number];
  /** The values that the server's part reads. */
  readonly values: readonly WireValue[];
}

/** Samples to continue with, in the same order in both fields. */
export interface WireSamples {
  /** The reading of each of the device's exits, for each sample. A policy may count agreement or
   * answer with the most confident exit. */
  readonly readings: readonly (readonly Reading[])[];
  /** For each sample, one bit per gate that the form names. Absent where it names none. */
  readonly bits?: readonly (readonly GateBit[])[] | undefined;
  /** One row per sample of each value that the form names. */
  readonly values: Tensors;
}

const MAGIC = [0x64, 0x79, 0x6e, 0x6e];
const HEADER = { version: 4, wire: 5, zero: 6, count: 8, fingerprint: 12 } as const;
export const HEADER_BYTES = 44;
const READING_BYTES = 12;

/** What the size of a request depends on, next to its form. */
export interface RequestSize {
  readonly wire: Wire;
  /** The number of samples. */
  readonly count: number;
}

/** How a request is written. */
export interface EncodeOptions {
  readonly form: WireForm;
  readonly wire: Wire;
}

/** How a request is read. */
export interface DecodeOptions {
  readonly form: WireForm;
  /** The most samples that are accepted. */
  readonly most: number;
}

/** Bytes of a request. */
export const requestBytes = (form: WireForm, { wire, count }: RequestSize): number =>
  HEADER_BYTES + count * form.values.reduce((sum, value) => sum + rowBytes(value, wire), sampleBytes(form));

/** Bytes of a sample before its hidden values: the readings of exits, and a byte per gate. */
const sampleBytes = ({ deviceExits, gates }: WireForm): number => deviceExits * READING_BYTES + gates.length;

/** Encode samples.
 * @throws DynnError 'wire/value' when a hidden value holds NaN or an infinity */
export function encodeRequest(samples: WireSamples, { form, wire }: EncodeOptions): Uint8Array<ArrayBuffer> {
  const values = form.values.map((value) => writeRows(samples.values[value.name], value, wire));
  return concatBytes([
    header(form, wire, samples.readings.length),
    readingsBytes(samples.readings.flat()),
    bitBytes(samples),
    ...values,
  ]);
}

function header({ fingerprint }: WireForm, wire: Wire, count: number): Uint8Array {
  const bytes = new Uint8Array(HEADER_BYTES);
  bytes.set(MAGIC);
  bytes.set([WIRE_VERSION, WIRES.indexOf(wire)], HEADER.version);
  new DataView(bytes.buffer).setUint32(HEADER.count, count, true);
  bytes.set(fromHex(fingerprint), HEADER.fingerprint);
  return bytes;
}

function readingsBytes(readings: readonly Reading[]): Uint8Array {
  const view = new DataView(new ArrayBuffer(readings.length * READING_BYTES));
  readings.forEach(({ label, confidence }, i) => {
    view.setUint32(i * READING_BYTES, label, true);
    view.setFloat64(i * READING_BYTES + 4, confidence, true);
  });
  return new Uint8Array(view.buffer);
}

const bitBytes = ({ bits = [] }: WireSamples): Uint8Array => Uint8Array.from(bits.flat(), (bit) => bit ?? 0);

/** Decode samples.
 * @throws DynnError 'wire/format' when the bytes are not a request, 'wire/bundle' when they are for
 *   another bundle, 'wire/limit' when they hold more than `most` samples, 'wire/value' when a
 *   number is out of range */
export function decodeRequest(bytes: Uint8Array, { form, most }: DecodeOptions): WireSamples {
  const { wire, count } = readHeader(form, bytes, most);
  const expected = requestBytes(form, { wire, count });
  if (bytes.length !== expected)
    throw malformed(`has ${bytes.length} bytes, expected ${expected} for ${counted(count, "sample")} in ${wire}`);
  const readings = readReadings(form, bytes, count);
  const bits = readBitBytes(form, bytes, count);
  let at = HEADER_BYTES + count * sampleBytes(form);
  const entries = form.values.map((value) => {
    const end = at + count * rowBytes(value, wire);
    const rows = readRows(bytes.subarray(at, end), value, wire, count);
    at = end;
    return [value.name, rows] as const;
  });
  return { readings, ...(form.gates.length > 0 ? { bits } : {}), values: Object.fromEntries(entries) };
}

function readHeader(form: WireForm, bytes: Uint8Array, most: number): { readonly wire: Wire; readonly count: number } {
  if (bytes.length < HEADER_BYTES) throw malformed(`has ${bytes.length} bytes, expected at least ${HEADER_BYTES}`);
  if (MAGIC.some((byte, i) => bytes[i] !== byte)) throw malformed('does not begin with "dynn"');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const version = view.getUint8(HEADER.version);
  if (version !== WIRE_VERSION) throw malformed(`is of version ${version}, expected ${WIRE_VERSION}`);
  checkFingerprint(form, bytes.subarray(HEADER.fingerprint, HEADER_BYTES));
  const wire = WIRES[view.getUint8(HEADER.wire)];
  if (wire === undefined || view.getUint16(HEADER.zero, true) !== 0)
    throw malformed(
      `has ${bytes.subarray(HEADER.wire, HEADER.count).join(" ")} for its number format, expected 0 to ${WIRES.length - 1} and two zeros`,
    );
  const count = view.getUint32(HEADER.count, true);
  if (count === 0) throw malformed("holds 0 samples, expected at least 1");
  if (count > most)
    throw new DynnError(
      "wire/limit",
      `request: holds ${counted(count, "sample")}, expected at most ${most}. Send fewer at a time, or raise the server's limit maxBatch.`,
      { count, most },
    );
  return { wire, count };
}

/** @throws DynnError 'wire/bundle' */
function checkFingerprint({ fingerprint }: WireForm, sent: Uint8Array): void {
  const found = toHex(sent);
  if (found === fingerprint) return;
  throw new DynnError(
    "wire/bundle",
    `request: is for the bundle ${found.slice(0, 12)}..., but this server has ${fingerprint.slice(0, 12)}.... Give device and server the two halves of one export.`,
    { found, expected: fingerprint },
  );
}

/** @throws DynnError 'wire/value' */
function readReadings(
  { deviceExits, classes, confidences: [low, high] }: WireForm,
  bytes: Uint8Array,
  count: number,
): Reading[][] {
  const view = new DataView(bytes.buffer, bytes.byteOffset + HEADER_BYTES, count * deviceExits * READING_BYTES);
  return Array.from({ length: count }, (_, sample) =>
    Array.from({ length: deviceExits }, (_, exit) => {
      const at = (sample * deviceExits + exit) * READING_BYTES;
      const reading = { label: view.getUint32(at, true), confidence: view.getFloat64(at + 4, true) };
      if (reading.label < classes && reading.confidence >= low && reading.confidence <= high) return reading;
      throw new DynnError(
        "wire/value",
        `sample ${sample}: exit ${exit} says class ${reading.label} with confidence ${reading.confidence}, expected a class from 0 to ${classes - 1} and a number from 0 to ${Number(high.toFixed(4))}. Check the device's half of the network.`,
        { sample, exit, ...reading },
      );
    }),
  );
}

/** @throws DynnError 'wire/value' */
function readBitBytes({ deviceExits, gates }: WireForm, bytes: Uint8Array, count: number): GateBit[][] {
  const from = HEADER_BYTES + count * deviceExits * READING_BYTES;
  return Array.from({ length: count }, (_, sample) =>
    gates.map((gate, k) => {
      const bit = bytes[from + sample * gates.length + k];
      if (bit === 0 || bit === 1) return bit;
      throw new DynnError(
        "wire/value",
        `sample ${sample}: gate ${gate} says ${bit}, expected 0 or 1. Check the device's half of the network.`,
        { sample, gate, bit },
      );
    }),
  );
}

const malformed = (what: string): DynnError =>
  new DynnError("wire/format", `request: ${what}. Send what docs/serving.md describes.`, { what });

const toHex = (bytes: Uint8Array): string => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
const fromHex = (text: string): Uint8Array =>
  Uint8Array.from({ length: text.length / 2 }, (_, i) => Number.parseInt(text.slice(2 * i, 2 * i + 2), 16));
