import { describe, expect, it } from "vitest";
import { bytesOf, concatBytes } from "../../src/core/bytes.js";

describe("concatBytes", () => {
  it("puts arrays one after the other, the empty ones too", () => {
    const parts = [Uint8Array.of(1, 2), new Uint8Array(0), Uint8Array.of(3)];
    expect([...concatBytes(parts)]).toEqual([1, 2, 3]);
    expect(concatBytes([]).length).toBe(0);
  });
});

describe("bytesOf", () => {
  it("takes a view's own bytes and no others of its buffer", () => {
    const words = new Uint16Array([0x0102, 0x0304, 0x0506]).subarray(1, 2);
    expect([...bytesOf(words)]).toEqual([...new Uint8Array(Uint16Array.of(0x0304).buffer)]);
  });
});
