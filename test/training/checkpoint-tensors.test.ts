import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ARRAY_OF, type DType } from "../../src/core/dtype.js";
import type { Tensor } from "../../src/core/tensor.js";
import { readTensors, type TensorFile, writeTensors } from "../../src/training/run/checkpoint-tensors.js";

const text = (value: string): Uint8Array => new TextEncoder().encode(value);

/** A file with this header, as it is, and this many bytes of elements. */
function file(header: string, elements: number, length = text(header).length): Uint8Array {
  const out = new Uint8Array(8 + text(header).length + elements);
  new DataView(out.buffer).setBigUint64(0, BigInt(length), true);
  out.set(text(header), 8);
  return out;
}

const entry = (dtype: string, shape: readonly number[], begin: number, end: number): string =>
  JSON.stringify({ dtype, shape, data_offsets: [begin, end] });

const refusal = (bytes: Uint8Array): string => {
  try {
    readTensors(bytes, "x.safetensors");
  } catch (error) {
    expect(error).toMatchObject({ code: "checkpoint/format" });
    return (error as Error).message;
  }
  throw new Error("it was read");
};

/** Elements as bytes, so that NaN equals NaN and -0 differs from 0. */
const bits = ({ tensors, metadata }: TensorFile) => ({
  metadata: [...metadata].sort(),
  tensors: [...tensors]
    .map(([name, { dtype, dims, data }]) => [
      name,
      dtype,
      [...dims],
      [...new Uint8Array(data.buffer, data.byteOffset, data.byteLength)],
    ])
    .sort(([a], [b]) => ((a as string) < (b as string) ? -1 : 1)),
});

const someTensor: fc.Arbitrary<Tensor> = fc
  .record({
    dtype: fc.constantFrom(...(Object.keys(ARRAY_OF) as DType[])),
    dims: fc.array(fc.nat(3), { maxLength: 3 }),
    seed: fc.nat(255),
  })
  .map(({ dtype, dims, seed }) => {
    const data = new ARRAY_OF[dtype](dims.reduce((a, b) => a * b, 1));
    const bytes = new Uint8Array(data.buffer);
    bytes.forEach((_, i) => {
      bytes[i] = dtype === "bool" ? (seed + i) % 2 : (seed * 31 + i * 73) % 256;
    });
    return { dtype, dims, data };
  });

const names = fc
  .oneof(fc.string({ minLength: 1 }), fc.constantFrom("__proto__", "toString", "é.weight"))
  .filter((name) => name !== "__metadata__");

describe("a safetensors file", () => {
  it("of the format's own tests is read", () => {
    // safetensors/src/tensor.rs, test_deserialization
    const bytes = file('{"test":{"dtype":"I32","shape":[2,2],"data_offsets":[0,16]}}', 16);
    expect(bytes[0]).toBe("<".charCodeAt(0));
    const { tensors, metadata } = readTensors(bytes, "x");
    expect([...tensors]).toEqual([["test", { dtype: "int32", dims: [2, 2], data: new Int32Array(4) }]]);
    expect(metadata.size).toBe(0);
  });

  it("holds the header's length, the header and the elements, little-endian", () => {
    const tensors = new Map<string, Tensor>([["a", { dtype: "float32", dims: [1], data: Float32Array.of(1) }]]);
    const bytes = writeTensors({ tensors, metadata: new Map([["k", "v"]]) });
    const header = '{"__metadata__":{"k":"v"},"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}';
    expect(bytes.length % 8).toBe(4);
    expect(Number(new DataView(bytes.buffer).getBigUint64(0, true))).toBe(bytes.length - 12);
    expect(new TextDecoder().decode(bytes.subarray(8, -4)).trimEnd()).toBe(header);
    expect([...bytes.subarray(-4)]).toEqual([0, 0, 0x80, 0x3f]);
  });

  it("gives back every bit of every element type", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(names, someTensor)), fc.dictionary(fc.string(), fc.string()), (list, notes) => {
        const written = { tensors: new Map(list), metadata: new Map(Object.entries(notes)) };
        expect(bits(readTensors(writeTensors(written), "x"))).toEqual(bits(written));
      }),
      { numRuns: 60 },
    );
  });

  it("is read from a part of a larger buffer, as Node's files are", () => {
    const tensors = new Map<string, Tensor>([["a", { dtype: "float32", dims: [2], data: Float32Array.of(1, 2) }]]);
    const bytes = writeTensors({ tensors, metadata: new Map() });
    const larger = Buffer.alloc(bytes.length + 3);
    larger.set(bytes, 3);
    const read = readTensors(larger.subarray(3), "x");
    expect(bits(read).tensors).toEqual(bits({ tensors, metadata: new Map() }).tensors);
    larger.fill(0);
    expect(read.tensors.get("a")?.data).toEqual(Float32Array.of(1, 2));
  });

  it("is the same whatever the order of its tensors", () => {
    const a: Tensor = { dtype: "float32", dims: [1], data: Float32Array.of(1) };
    const b: Tensor = { dtype: "int64", dims: [1], data: BigInt64Array.of(2n) };
    const metadata = new Map<string, string>();
    expect(
      writeTensors({
        tensors: new Map([
          ["a", a],
          ["b", b],
        ]),
        metadata,
      }),
    ).toEqual(
      writeTensors({
        tensors: new Map([
          ["b", b],
          ["a", a],
        ]),
        metadata,
      }),
    );
  });
});

describe("what is no whole file is refused:", () => {
  it.each<[string, Uint8Array, RegExp]>([
    ["no bytes", new Uint8Array(0), /it has 0 bytes/],
    ["a length beyond the file", file("{}", 0, 3), /header has 3 bytes and the file 10/],
    ["a length beyond all numbers", new Uint8Array(16).fill(255), /its header has 1844674/],
    ["a header that is not JSON", file("{x}", 0), /not JSON/],
    ["a header that is not UTF-8", file("{}", 0).fill(0xff, 8), /not JSON/],
    ["a list for a header", file("[]", 0), /"header" in its header is wrong/],
    ["an entry without offsets", file('{"a":{"dtype":"F32","shape":[1]}}', 4), /"a" in its header is wrong/],
    ["an element type of another world", file(`{"a":${entry("F8_E5M2", [4], 0, 4)}}`, 4), /"a" in its header is wrong/],
    ["a negative length", file(`{"a":${entry("F32", [-1], 0, 4)}}`, 4), /"a" in its header is wrong/],
    ["metadata that are no text", file('{"__metadata__":{"k":1}}', 0), /"__metadata__" in its header is wrong/],
    [
      "a shape that its bytes do not fill",
      file(`{"a":${entry("F32", [2], 0, 4)}}`, 4),
      /"a" has 4 bytes for F32 \[2\]/,
    ],
    ["a shape beyond all numbers", file(`{"a":${entry("F32", [2 ** 52, 2 ** 52], 0, 4)}}`, 4), /"a" has 4 bytes/],
    ["elements cut short", file(`{"a":${entry("F32", [2], 0, 8)}}`, 7), /it has 7 bytes of elements, expected 8/],
    ["elements too many", file(`{"a":${entry("F32", [2], 0, 8)}}`, 9), /it has 9 bytes of elements, expected 8/],
    ["offsets that run backwards", file(`{"a":${entry("F32", [1], 4, 0)}}`, 4), /"a" lies at 4 to 0/],
    [
      "tensors that overlap",
      file(`{"a":${entry("F32", [2], 0, 8)},"b":${entry("F32", [1], 4, 8)}}`, 8),
      /"b" lies at 4 to 8, expected it to begin at 8/,
    ],
    [
      "a gap between tensors",
      file(`{"a":${entry("F32", [1], 0, 4)},"b":${entry("F32", [1], 8, 12)}}`, 12),
      /"b" lies at 8 to 12, expected it to begin at 4/,
    ],
  ])("%s", (_, bytes, message) => {
    expect(refusal(bytes)).toMatch(message);
    expect(refusal(bytes)).toMatch(/^x\.safetensors: /);
  });

  it("a file cut at any byte", () => {
    const tensors = new Map<string, Tensor>([["a", { dtype: "float32", dims: [2], data: Float32Array.of(1, 2) }]]);
    const bytes = writeTensors({ tensors, metadata: new Map() });
    for (let length = 0; length < bytes.length; length++) refusal(bytes.subarray(0, length));
  });
});
