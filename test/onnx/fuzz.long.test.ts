import { describe, expect, test } from "vitest";
import { DynnError } from "../../src/core/errors.js";
import { permutation, uniform } from "../../src/core/rng.js";
import { readModel } from "../../src/onnx/read.js";
import { referenceFile } from "../support/reference-cases.js";

const TRIES = 300;
const whole = new Uint8Array(referenceFile("resnet20-sdn/model.onnx"));
const draw = (seed: number, sample: number, count: number) =>
  uniform({ seed, sample, purpose: "test", step: 0 }, count);
const at = (u: number) => Math.floor(u * whole.length);

/** What reading gives: the code of a DynnError, or "read". Any other exception goes through. */
function outcome(bytes: Uint8Array): string {
  try {
    readModel(bytes);
    return "read";
  } catch (error) {
    if (error instanceof DynnError) return error.code;
    throw error;
  }
}

describe("a damaged file is read or refused with a DynnError, never anything else:", () => {
  test("cut off anywhere it is refused", () => {
    const cuts = [...Array.from({ length: 200 }, (_, i) => i), ...[...draw(1, 0, 200)].map(at), whole.length - 1];
    const outcomes = cuts.map((cut) => outcome(whole.subarray(0, cut)));
    expect(outcomes.filter((o) => !["model/parse", "model/version", "model/empty"].includes(o))).toEqual([]);
  });

  test("with a few bytes changed", () => {
    const outcomes = Array.from({ length: TRIES }, (_, i) => {
      const bytes = whole.slice();
      // Half of the changes hit the end, where the names and types of inputs and outputs are.
      const changes = draw(2, i, 16);
      for (let k = 0; k < 16; k += 2)
        bytes[i % 2 ? at(changes[k]) : whole.length - 1 - Math.floor(changes[k] * 2000)] = Math.floor(
          changes[k + 1] * 256,
        );
      return outcome(bytes);
    });
    expect(new Set(outcomes).size).toBeGreaterThan(2);
  });

  test("with a piece taken out", () => {
    const outcomes = Array.from({ length: 100 }, (_, i) => {
      const [start, length] = [...draw(3, i, 2)].map(at) as [number, number];
      return outcome(
        Uint8Array.of(
          ...whole.subarray(0, Math.min(start, 2000)),
          ...whole.subarray(Math.max(start + length, whole.length - 2000)),
        ),
      );
    });
    expect(new Set(outcomes)).not.toContain("read");
  });

  test("with its bytes shuffled it is refused", () => {
    const order = permutation({ seed: 20, sample: 0, purpose: "shuffle", step: 0 }, 5000);
    expect(outcome(Uint8Array.from(order, (i) => whole[i % whole.length]))).toMatch(/^model\//);
  });
});

test("random bytes are refused", () => {
  for (let i = 0; i < TRIES; i++) {
    const bytes = Uint8Array.from(draw(4, i, 1 + i), (u) => Math.floor(u * 256));
    expect(outcome(bytes)).toMatch(/^model\//);
  }
});
