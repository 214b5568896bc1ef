import { describe, expect, test } from "vitest";
import { Logits } from "../../src/core/logits.js";
import { type FoundAnswer, verify } from "../../src/deploy/verify.js";
import type { Exit } from "../../src/dynamic/model/model.js";
import type { Policy } from "../../src/schema/policy.js";
import { failure } from "../support/failure.js";

const exit = (name: string): Exit => ({
  name,
  logits: name,
  output: name,
  cut: undefined,
  macs: 1,
  baseMacs: 1,
  costFraction: 1,
});
const model = { name: "net", exits: [exit("early"), exit("final")] };
const policy: Policy = { rule: "max-softmax", thresholds: [0.75], fallback: "final" };
/** Two logits whose larger has this probability. */
const sure = (p: number): number[] => [Math.log(p / (1 - p)), 0];
const found = (stop: number, row: readonly number[]): FoundAnswer => ({
  stop,
  label: row[0] >= row[1] ? 0 : 1,
  logits: Float32Array.from(row),
});
const early = Float32Array.from([...sure(0.9), ...sure(0.6), ...sure(0.75 + 1e-8)]);
const final = Float32Array.from([...sure(0.3), ...sure(0.8), ...sure(0.99)]);
const right = [found(0, sure(0.9)), found(1, sure(0.8)), found(0, sure(0.75))];
const check = (...export_: FoundAnswer[]) =>
  verify(model, { policy, logits: new Logits([early, final], 2), found: export_ });

describe("verification", () => {
  test("passes equal answers and counts where they stopped", () => {
    expect(check(...right)).toMatchObject({ samples: 3, changed: 0, closeCalls: 1, stops: [2, 1] });
  });

  test("counts a close call that came out otherwise, and does not hide it", () => {
    expect(check(right[0], right[1], found(1, sure(0.99)))).toMatchObject({ changed: 1, closeCalls: 1 });
  });

  test("refuses another exit where the decision was clear", () => {
    expect(() => check(right[0], found(0, sure(0.6)), right[2])).toThrow(
      failure(
        "export/mismatch",
        "net: the export and the model answer differently on image 1: got class 0 at early, expected class 0 at final. Nothing was written. Please report this with the model.",
      ),
    );
  });

  test("refuses logits beyond the tolerance, and says how far", () => {
    const [a, b] = sure(0.9) as [number, number];
    expect(() => check(found(0, [a, b + 0.01]), right[1], right[2])).toThrow(
      "its logits differ by 4.6e-3 of the largest",
    );
    expect(check(found(0, [a, b + 1e-5]), right[1], right[2]).largestDifference).toBeCloseTo(1e-5 / a, 6);
  });

  test("refuses a label that was clear, and logits that are no numbers", () => {
    expect(() => check({ ...right[0], label: 1 }, right[1], right[2])).toThrow("got class 1 at early");
    expect(() => check(found(0, [Number.NaN, 0]), right[1], right[2])).toThrow("export/mismatch");
  });
});
