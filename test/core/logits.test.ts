import { describe, expect, test } from "vitest";
import { Logits } from "../../src/core/logits.js";
import { failure } from "../support/failure.js";

const logits = new Logits([Float32Array.of(0, 1, 2, 3, 4, 5), Float32Array.of(6, 7, 8, 9, 10, 11)], 2);

describe("logits", () => {
  test("count images, and give a row of one exit or of all, without copying", () => {
    expect(logits.count).toBe(3);
    expect([...logits.row(1, 2)]).toEqual([10, 11]);
    expect(logits.rows(1).map((row) => [...row])).toEqual([
      [2, 3],
      [8, 9],
    ]);
    expect(logits.rows(1)[0]?.buffer).toBe(logits.exits[0]?.buffer);
  });

  test("may be none", () => {
    expect(new Logits([], 0)).toMatchObject({ count: 0, exits: [] });
    expect(new Logits([new Float32Array(0)], 2).count).toBe(0);
  });

  test("refuse a part of a row, and exits of different lengths", () => {
    expect(() => new Logits([new Float32Array(5)], 2)).toThrow(
      failure(
        "shape/mismatch",
        "logits: exit 0 has 5 numbers, expected whole rows of 2. Give one array [n * classes] per exit.",
      ),
    );
    expect(() => new Logits([new Float32Array(4), new Float32Array(6)], 2)).toThrow(
      failure(
        "shape/mismatch",
        "logits: exit 1 has 6 numbers, expected 4 as at exit 0. Give one array [n * classes] per exit.",
      ),
    );
    expect(() => new Logits([new Float32Array(4)], 0)).toThrow("shape/mismatch");
  });

  test("know which exits there are", () => expect(() => logits.row(2, 0)).toThrow("bug: exit 2 of 2"));
});
