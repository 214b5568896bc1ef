import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ARRAY_OF, type ArrayOf, type DType } from "../../src/core/dtype.js";
import { DynnError } from "../../src/core/errors.js";
import { sizeOf } from "../../src/core/shape.js";
import { tensor, toNumbers } from "../../src/core/tensor.js";
import { readNpy, writeNpy } from "../../src/data/npy.js";
import { GRADIENT_CASES, referenceFile } from "../support/reference-cases.js";
import { join8 } from "./support.js";

const ascii = (text: string) => Uint8Array.from(text, (char) => char.charCodeAt(0));

/** A file written out by hand, so that nothing here depends on writeNpy. */
function npy(dict: string, elements: readonly number[], version = 1): Uint8Array {
  const length = version === 1 ? [dict.length & 255, dict.length >> 8] : [dict.length & 255, dict.length >> 8, 0, 0];
  return join8(ascii("\x93NUMPY"), Uint8Array.from([version, 0, ...length]), ascii(dict), Uint8Array.from(elements));
}
const dictOf = (descr: string, shape: string, fortran = "False") =>
  `{'descr': '${descr}', 'fortran_order': ${fortran}, 'shape': ${shape}, }\n`;

describe("readNpy", () => {
  test.each([
    ["<f4", [0, 0, 0xc0, 0x3f], 1.5],
    [">f4", [0x3f, 0xc0, 0, 0], 1.5],
    ["<f8", [0, 0, 0, 0, 0, 0, 0xf8, 0x3f], 1.5],
    [">f8", [0x3f, 0xf8, 0, 0, 0, 0, 0, 0], 1.5],
    ["<f2", [0x00, 0x3e], 1.5],
    [">f2", [0x3e, 0x00], 1.5],
    ["|u1", [200], 200],
    ["|i1", [200], -56],
    ["<i2", [0xfe, 0xff], -2],
    [">i2", [0xff, 0xfe], -2],
    ["<i4", [1, 2, 0, 0], 513],
    [">i4", [0, 0, 2, 1], 513],
    ["<i8", [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], -1],
    [">i8", [0, 0, 0, 0, 0, 0, 2, 1], 513],
    ["|b1", [1], 1],
  ])("%s", (descr, bytes, value) => {
    const array = readNpy(npy(dictOf(descr, "(1,)"), bytes), "x.npy");
    expect(array.dims).toEqual([1]);
    expect([...toNumbers(array)]).toEqual([value]);
  });

  test.each([1, 2, 3])("version %i, and keys in any order", (version) => {
    const dict = "{'shape': (1, 2), 'fortran_order': False, 'descr': '|u1'}";
    expect(readNpy(npy(dict, [5, 6], version), "x.npy")).toEqual(tensor("uint8", [1, 2], Uint8Array.of(5, 6)));
  });

  test("a scalar and an empty array", () => {
    expect(readNpy(npy(dictOf("|u1", "()"), [7]), "x.npy")).toEqual(tensor("uint8", [], Uint8Array.of(7)));
    expect(readNpy(npy(dictOf("<f4", "(0, 3)"), []), "x.npy")).toEqual(tensor("float32", [0, 3], new Float32Array(0)));
  });

  test("Fortran order is turned to C order, swapped bytes included", () => {
    // numpy.asfortranarray([[1, 2, 3], [4, 5, 6]])
    expect(readNpy(npy(dictOf("|u1", "(2, 3)", "True"), [1, 4, 2, 5, 3, 6]), "x.npy").data).toEqual(
      Uint8Array.of(1, 2, 3, 4, 5, 6),
    );
    expect([...toNumbers(readNpy(npy(dictOf(">i2", "(2, 2)", "True"), [0, 1, 0, 3, 0, 2, 0, 4]), "x.npy"))]).toEqual([
      1, 2, 3, 4,
    ]);
    // numpy.arange(24).reshape(2, 3, 4) stored with the first axis fastest
    const fastFirst = Array.from(
      { length: 24 },
      (_, i) => (i % 2) * 12 + (Math.floor(i / 2) % 3) * 4 + Math.floor(i / 6),
    );
    expect([...readNpy(npy(dictOf("|u1", "(2, 3, 4)", "True"), fastFirst), "x.npy").data]).toEqual(
      Array.from({ length: 24 }, (_, i) => i),
    );
  });

  test("bytes at an odd place of a larger buffer", () => {
    const file = npy(dictOf("<f4", "(1,)"), [0, 0, 0xc0, 0x3f]);
    expect(readNpy(join8(Uint8Array.of(9), file).subarray(1), "x.npy").data).toEqual(Float32Array.of(1.5));
  });
});

describe("refusals", () => {
  const help = "Save a plain numeric array with numpy.save. [data/format]";
  const header = "expected descr one of f2 f4 f8 i1 i2 i4 i8 u1 u2 u4 u8 b1, fortran_order and shape.";

  test.each([
    ["nothing", new Uint8Array(0)],
    ["another file", ascii("PK\x03\x04 and so on and on")],
    ["version 9", npy(dictOf("<f4", "(1,)"), [0, 0, 0, 0], 9)],
    ["the magic alone", ascii("\x93NUMPY\x01\x00")],
  ])("%s is no .npy file", (_, bytes) => {
    expect(() => readNpy(bytes, "x.npy")).toThrow(
      `x.npy: got no .npy header, expected a NumPy file of version 1 to 3. ${help}`,
    );
  });

  test("a header longer than the file, or than any header", () => {
    const cut = npy(dictOf("<f4", "(1,)"), []).subarray(0, 40);
    expect(() => readNpy(cut, "x.npy")).toThrow(`x.npy: got a header of 58 bytes, expected at most 30. ${help}`);
    const huge = join8(ascii("\x93NUMPY\x02\x00"), Uint8Array.of(255, 255, 255, 255));
    expect(() => readNpy(huge, "x.npy")).toThrow(
      `x.npy: got a header of 4294967295 bytes, expected at most 0. ${help}`,
    );
  });

  test.each([
    dictOf("<c8", "(1,)"),
    dictOf("|O", "(1,)"),
    dictOf("<constructor", "(1,)"),
    "{'descr': [('x', '<f4')], 'fortran_order': False, 'shape': (1,), }",
    dictOf("<f4", "(-1,)"),
    dictOf("<f4", "(3 4)"),
    dictOf("<f4", "(,)"),
    dictOf("<f4", "(4294967296, 4294967296, 4294967296)"),
    dictOf("<f4", `(${"9".repeat(400)}, 0)`),
    dictOf("<f4", "(9007199254740993,)"),
    dictOf("<f4", "(1,)", "Maybe"),
    "{}",
  ])("a header that describes no array of numbers: %s", (dict) => {
    expect(() => readNpy(npy(dict, [0, 0, 0, 0]), "x.npy")).toThrow(
      `x.npy: got the header ${dict.trim().slice(0, 120)}, ${header} ${help}`,
    );
  });

  test("fewer or more elements than the header says, without room made for them first", () => {
    expect(() => readNpy(npy(dictOf("<f8", "(1000000, 100000)"), [1, 2, 3]), "x.npy")).toThrow(
      "x.npy: got 3 bytes of elements, expected 800000000000. Save the array again. [data/truncated]",
    );
    expect(() => readNpy(npy(dictOf("|u1", "(2,)"), [1, 2, 3]), "x.npy")).toThrow(
      `x.npy: got 3 bytes of elements, expected 2, as the header says. ${help}`,
    );
  });

  test("damaged bytes give an array or a DynnError, nothing else", () => {
    const good = npy(
      dictOf("<f4", "(2, 2)"),
      Array.from({ length: 16 }, (_, i) => i),
    );
    const damaged = fc.array(fc.tuple(fc.nat({ max: good.length - 1 }), fc.nat({ max: 255 })), {
      minLength: 1,
      maxLength: 8,
    });
    fc.assert(
      fc.property(damaged, fc.nat({ max: good.length }), (changes, cut) => {
        const bytes = good.slice(0, good.length - (cut % 7));
        for (const [at, byte] of changes) if (at < bytes.length) bytes[at] = byte;
        try {
          readNpy(bytes, "x.npy");
        } catch (thrown) {
          expect(thrown).toBeInstanceOf(DynnError);
        }
      }),
      { numRuns: 2000 },
    );
  });

  test("a header of nothing but spaces and commas is refused at once", () => {
    const dict = dictOf("<f4", `(${" ".repeat(30000)}${",".repeat(30000)}x)`);
    expect(() => readNpy(npy(dict, []), "x.npy")).toThrow("[data/format]");
  });
});

describe("writeNpy", () => {
  const dtypes = (Object.keys(ARRAY_OF) as DType[]).filter((dtype) => dtype !== "bfloat16");

  test("what is written is read back, bit for bit", () => {
    const dims = fc.array(fc.nat({ max: 4 }), { maxLength: 4 });
    const arrays = fc.tuple(fc.constantFrom(...dtypes), dims).chain(([dtype, lengths]) => {
      const bytes = sizeOf(lengths) * ARRAY_OF[dtype].BYTES_PER_ELEMENT;
      return fc.uint8Array({ minLength: bytes, maxLength: bytes }).map((raw) => ({ dtype, lengths, raw }));
    });
    fc.assert(
      fc.property(arrays, ({ dtype, lengths, raw }) => {
        const data = new (ARRAY_OF[dtype] as new (buffer: ArrayBuffer) => ArrayOf)(raw.slice().buffer);
        const file = writeNpy(tensor(dtype, lengths, data));
        const back = readNpy(file, "x.npy");
        expect(back).toMatchObject({ dtype, dims: lengths });
        expect(new Uint8Array(back.data.buffer)).toEqual(raw);
        expect((file.length - raw.length) % 64).toBe(0);
      }),
    );
  });

  test("writes the part of a buffer that the array covers", () => {
    const data = Float32Array.of(1, 2, 3).subarray(1, 2);
    expect(readNpy(writeNpy(tensor("float32", [1], data)), "x.npy").data).toEqual(Float32Array.of(2));
  });

  test("NumPy has no bfloat16", () => {
    expect(() => writeNpy(tensor("bfloat16", [1], Uint16Array.of(0)))).toThrow(
      "bug: .npy has no element type bfloat16",
    );
  });
});

describe("files that NumPy wrote", () => {
  test.each(GRADIENT_CASES)("%s: images, labels and logits; written again, the same bytes", (name) => {
    const read = (file: string) => {
      const bytes = referenceFile(`gradients/${name}/${file}.npy`);
      const array = readNpy(bytes, file);
      expect(Buffer.from(writeNpy(array)).equals(bytes)).toBe(true);
      return array;
    };
    const [x, y, logits] = [read("x"), read("y"), read("logits")];
    expect(x.dims).toHaveLength(4);
    expect(x.dims[0]).toBe(y.dims[0]);
    expect(logits.dims[0]).toBe(y.dims[0]);
    expect(toNumbers(x).every(Number.isFinite)).toBe(true);
  });
});
