import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { DynnError } from "../../src/core/errors.js";
import { fromNumbers, type Tensor } from "../../src/core/tensor.js";
import type { Manifest } from "../../src/deploy/manifest.js";
import { decodeRequest, encodeRequest, HEADER_BYTES, requestBytes, type WireForm } from "../../src/deploy/wire.js";
import { readReply, showReply } from "../../src/deploy/wire-answer.js";
import {
  LARGEST_HALF,
  readRows,
  rowBytes,
  scalesOf,
  WIRES,
  type Wire,
  type WireValue,
  writeRows,
} from "../../src/deploy/wire-values.js";
import { failure } from "../support/failure.js";

const maps: WireValue = { name: "maps", dtype: "float32", dims: [3, 4, 5] };
const vector: WireValue = { name: "vector", dtype: "float32", dims: [7] };
const places: WireValue = { name: "places", dtype: "int64", dims: [2] };
const form: WireForm = {
  fingerprint: "0123456789abcdef".repeat(4),
  deviceExits: 2,
  gates: [],
  classes: 4,
  confidences: [0, 1],
  values: [maps, vector, places],
};

const rows = (value: WireValue, data: Float32Array): Tensor => ({
  dtype: "float32",
  dims: [data.length / value.dims.reduce((a, b) => a * b, 1), ...value.dims],
  data,
});
const sent = (value: WireValue, data: Float32Array, wire: Wire): Float32Array => {
  const tensor = rows(value, data);
  return readRows(writeRows(tensor, value, wire), value, wire, tensor.dims[0]).data as Float32Array;
};
const floats = (value: WireValue, count: number) => {
  const length = count * value.dims.reduce((a, b) => a * b, 1);
  return fc.float32Array({ minLength: length, maxLength: length, noNaN: true, noDefaultInfinity: true });
};

describe("rows over the wire", () => {
  test("in float32 arrive as they are, to the bit", () => {
    fc.assert(
      fc.property(floats(maps, 2), (data) => {
        expect(new Uint8Array(sent(maps, data, "float32").buffer)).toEqual(
          new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
        );
      }),
    );
  });

  test("in float16 are off by at most 2^-11 of themselves or half of the smallest float16, and stop at the largest", () => {
    fc.assert(
      fc.property(floats(maps, 2), (data) => {
        const far = sent(maps, data, "float16").filter((got, i) => {
          const wanted = Math.max(-LARGEST_HALF, Math.min(LARGEST_HALF, data[i]));
          return !(Math.abs(got - wanted) <= Math.max(Math.abs(wanted) * 2 ** -11, 2 ** -25));
        });
        expect(far).toEqual(new Float32Array());
      }),
    );
  });

  test("in int8 are off by at most half a step of their own channel, and zero stays zero", () => {
    const each = 20;
    fc.assert(
      fc.property(floats(maps, 2), (data) => {
        const got = sent(maps, data, "int8");
        for (let from = 0; from < data.length; from += each) {
          const largest = data.subarray(from, from + each).reduce((most, v) => Math.max(most, Math.abs(v)), 0);
          // Half a step, a little more for the rounding of the scale, and what is too small for a
          // scale in float32.
          const bound = (largest / 254) * (1 + 1e-4) + 127 * 2 ** -149;
          const far = data
            .subarray(from, from + each)
            .filter((was, i) => !(Math.abs(got[from + i] - was) <= (was === 0 ? 0 : bound)));
          expect(far).toEqual(new Float32Array());
        }
      }),
    );
  });

  test("take a scale per channel in int8 where channels have 16 numbers, else one", () => {
    expect([maps, vector, { ...maps, dims: [8, 1, 1] }, { ...maps, dims: [8, 4, 4] }].map(scalesOf)).toEqual([
      3, 1, 1, 8,
    ]);
    expect(WIRES.map((wire) => rowBytes(maps, wire))).toEqual([240, 120, 72]);
  });

  test("of other dtypes go as they are under every format", () => {
    const value = fromNumbers("int64", [2, 2], [1, -2, 3, 2 ** 40]);
    for (const wire of WIRES) expect(readRows(writeRows(value, places, wire), places, wire, 2)).toEqual(value);
  });

  test.each(WIRES)("with NaN or an infinity are refused before they are sent in %s", (wire) => {
    for (const bad of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
      const data = new Float32Array(14);
      data[9] = bad;
      expect(() => writeRows(rows(vector, data), vector, wire)).toThrow(
        failure(
          "wire/value",
          'sample 1: "vector" holds NaN or an infinity, expected finite numbers. Check the image and the device\'s half of the network.',
        ),
      );
    }
  });

  test("with a byte that is no bool are refused", () => {
    const mask: WireValue = { name: "mask", dtype: "bool", dims: [2] };
    expect(() => readRows(Uint8Array.of(0, 1, 1, 2), mask, "float32", 2)).toThrow(/sample 1: "mask" holds a byte 2/);
  });
});

const samples = (count: number, seed = 1) => ({
  readings: Array.from({ length: count }, (_, i) => [
    { label: i % 4, confidence: 0.25 + i / 64 },
    { label: (i + seed) % 4, confidence: 0.5 },
  ]),
  values: {
    maps: rows(
      maps,
      Float32Array.from({ length: 60 * count }, (_, i) => Math.sin(i + seed)),
    ),
    vector: rows(
      vector,
      Float32Array.from({ length: 7 * count }, (_, i) => Math.cos(i + seed)),
    ),
    places: fromNumbers(
      "int64",
      [count, 2],
      Array.from({ length: 2 * count }, (_, i) => i),
    ),
  },
});

describe("a request", () => {
  test.each(WIRES)("in %s has the length that is stated beforehand, and gives back readings and values", (wire) => {
    const given = samples(3);
    const bytes = encodeRequest(given, { form, wire });
    expect(bytes.length).toBe(requestBytes(form, { wire, count: 3 }));
    const got = decodeRequest(bytes, { form, most: 3 });
    expect(got.readings).toEqual(given.readings);
    expect(Object.keys(got.values)).toEqual(["maps", "vector", "places"]);
    expect(got.values.places).toEqual(given.values.places);
    expect(got.values.maps?.dims).toEqual([3, 3, 4, 5]);
    if (wire === "float32") expect(got.values).toEqual(given.values);
  });

  test("is read wherever in a buffer it begins", () => {
    const bytes = encodeRequest(samples(2), { form, wire: "float32" });
    const buffer = new Uint8Array(bytes.length + 3);
    buffer.set(bytes, 3);
    expect(decodeRequest(buffer.subarray(3), { form, most: 2 })).toEqual(decodeRequest(bytes, { form, most: 2 }));
  });

  test("gives a sample the same numbers whoever it travels with", () => {
    for (const wire of WIRES) {
      const both = decodeRequest(encodeRequest(samples(2), { form, wire }), { form, most: 2 }).values.maps;
      const { readings, values } = samples(2);
      const first = {
        readings: readings.slice(0, 1),
        values: {
          maps: rows(maps, (values.maps.data as Float32Array).slice(0, 60)),
          vector: rows(vector, (values.vector.data as Float32Array).slice(0, 7)),
          places: fromNumbers("int64", [1, 2], [0, 1]),
        },
      };
      const alone = decodeRequest(encodeRequest(first, { form, wire }), { form, most: 1 }).values.maps;
      expect(alone.data).toEqual((both.data as Float32Array).slice(0, 60));
    }
  });

  const changed = (at: number, ...bytes: number[]) => {
    const request = encodeRequest(samples(1), { form, wire: "float32" });
    request.set(bytes, at);
    return request;
  };
  const fine = encodeRequest(samples(1), { form, wire: "float32" });
  const more = " Send what docs/serving.md describes.";
  test.each([
    ["is empty", new Uint8Array(), "wire/format", `request: has 0 bytes, expected at least 44.${more}`],
    ["is something else", changed(0, 0x47), "wire/format", `request: does not begin with "dynn".${more}`],
    ["is of a later version", changed(4, 2), "wire/format", `request: is of version 2, expected 1.${more}`],
    [
      "has an unknown number format",
      changed(5, 9),
      "wire/format",
      `request: has 9 0 0 for its number format, expected 0 to 2 and two zeros.${more}`,
    ],
    ["holds no sample", changed(8, 0), "wire/format", `request: holds 0 samples, expected at least 1.${more}`],
    [
      "is cut",
      fine.subarray(0, fine.length - 1),
      "wire/format",
      `request: has ${fine.length - 1} bytes, expected ${fine.length} for 1 sample in float32.${more}`,
    ],
    [
      "holds too many samples",
      changed(8, 0xff, 0xff, 0xff, 0xff),
      "wire/limit",
      "request: holds 4294967295 samples, expected at most 8. Send fewer at a time, or raise the server's limit maxBatch.",
    ],
    [
      "is for another bundle",
      changed(12, 0xff),
      "wire/bundle",
      "request: is for the bundle ff23456789ab..., but this server has 0123456789ab.... Give device and server the two halves of one export.",
    ],
    [
      "names a class that is not there",
      changed(HEADER_BYTES, 4),
      "wire/value",
      "sample 0: exit 0 says class 4 with confidence 0.25, expected a class from 0 to 3 and a number from 0 to 1. Check the device's half of the network.",
    ],
    [
      "says a confidence that no rule gives",
      changed(HEADER_BYTES + 4, ...new Uint8Array(Float64Array.of(1e300).buffer)),
      "wire/value",
      "sample 0: exit 0 says class 0 with confidence 1e+300, expected a class from 0 to 3 and a number from 0 to 1. Check the device's half of the network.",
    ],
  ] as const)("that %s is refused", (_, bytes, code, text) => {
    expect(() => decodeRequest(bytes, { form, most: 8 })).toThrow(failure(code, text));
  });

  test("of any bytes is a typed error or valid, and never fills more memory than its own length", () => {
    const valid = WIRES.map((wire) => encodeRequest(samples(2), { form, wire }));
    const mutated = fc
      .record({
        base: fc.constantFrom(...valid),
        cuts: fc.integer({ min: 0, max: 400 }),
        edits: fc.array(fc.record({ at: fc.nat(600), byte: fc.nat(255) }), { maxLength: 6 }),
      })
      .map(({ base, cuts, edits }) => {
        const bytes = base.slice(0, base.length - Math.max(0, cuts - 380));
        for (const { at, byte } of edits) bytes[at] = byte;
        return bytes;
      });
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 300 }), mutated), (bytes) => {
        try {
          const { readings, values } = decodeRequest(bytes, { form, most: 8 });
          const { maps: decoded } = values as { readonly maps: Tensor<"float32"> };
          expect(decoded.dims).toEqual([readings.length, ...maps.dims]);
          expect(decoded.data.every(Number.isFinite)).toBe(true);
        } catch (error) {
          expect(error).toBeInstanceOf(DynnError);
          expect((error as DynnError).code).toMatch(/^wire\//);
        }
      }),
      { numRuns: 2000 },
    );
  });
});

describe("a request of a network with gates", () => {
  const gated: WireForm = { ...form, gates: [0, 3] };
  const bits = [
    [1, 0],
    [0, 0],
    [1, 1],
  ] as const;

  test("holds a byte per gate behind the readings, and gives the bits back", () => {
    const bytes = encodeRequest({ ...samples(3), bits }, { form: gated, wire: "float32" });
    expect(bytes.length).toBe(encodeRequest(samples(3), { form, wire: "float32" }).length + 6);
    expect([...bytes.subarray(44 + 3 * 2 * 12, 44 + 3 * 2 * 12 + 6)]).toEqual(bits.flat());
    expect(decodeRequest(bytes, { form: gated, most: 3 })).toEqual({ ...samples(3), bits });
  });

  test("is refused with another byte", () => {
    const bytes = encodeRequest({ ...samples(3), bits }, { form: gated, wire: "float32" });
    bytes[44 + 3 * 2 * 12 + 3] = 2;
    expect(() => decodeRequest(bytes, { form: gated, most: 3 })).toThrow(
      failure("wire/value", "sample 1: gate 3 says 2, expected 0 or 1. Check the device's half of the network."),
    );
  });

  test("a reply says each bit, and null for a gate behind the exit taken", () => {
    const manifest = {
      exits: [{ name: "a" }, { name: "b" }],
      gates: [{ name: "g" }, { name: "h" }],
      classes: { count: 4, names: null },
      policy: { rule: "max-softmax", thresholds: [0.5], fallback: "final" },
    } as unknown as Manifest;
    const answer = { stop: 0, answer: 0, label: 1, confidence: 0.75 };
    const text = JSON.stringify(showReply({ answers: [{ ...answer, gates: [1, undefined] }], ms: 1 }, manifest));
    expect(JSON.parse(text).answers[0].gates).toEqual([1, null]);
    expect(readReply(text, manifest, 1).answers).toEqual([{ ...answer, gates: [1, undefined] }]);
    const bare = JSON.stringify({ answers: [answer], ms: 1 });
    expect(() => readReply(bare, manifest, 1)).toThrow("expected 2 bits of gates");
    expect(readReply(bare, { ...manifest, gates: undefined }, 1).answers).toEqual([answer]);
  });
});
