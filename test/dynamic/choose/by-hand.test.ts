/** @file Thresholds chosen on ten samples whose accuracy and cost at every threshold can be
 *  counted by hand. */
import { describe, expect, test } from "vitest";
import { Logits } from "../../../src/core/logits.js";
import {
  calibrate,
  type Measured,
  operatingPoints,
  outcomesAt,
  paretoFront,
} from "../../../src/dynamic/choose/calibrate.js";
import type { CalibrationTarget } from "../../../src/schema/target.js";

/** Two classes, all of label 0: an exit's margin is positive where it is right, and as large as
 *  it is sure. */
const binary = (...exits: readonly (readonly number[])[]): Measured => ({
  logits: new Logits(
    exits.map((margins) => Float32Array.from(margins.flatMap((m) => [m, 0]))),
    2,
  ),
  labels: new Uint8Array(exits[0]?.length ?? 0),
});
const counted = (of: (i: number) => number): number[] => Array.from({ length: 10 }, (_, i) => of(i));
const sigmoid = (margin: number): number => 1 / (1 + Math.exp(-margin));

// The early exit is ever surer, and wrong on samples 0 to 3; the final one is wrong on samples 8
// and 9. When samples from number j on leave:
//   j          0    1    2    3    4    5    6    7    8    9    10
//   accuracy  .6   .7   .8   .9   1    1    1    1    1   .9   .8
//   cost      .4  .46  .52  .58  .64  .7  .76  .82  .88  .94   1
const ten = binary(
  counted((i) => ((i < 4 ? -1 : 1) * (i + 1)) / 2),
  counted((i) => (i < 8 ? 5 : -5)),
);
const ACCURACY = [0.6, 0.7, 0.8, 0.9, 1, 1, 1, 1, 1, 0.9, 0.8];
const common = { rule: "max-softmax", fallback: "final", costs: [0.4, 1] } as const;
const thresholdAt = (j: number): number => (j === 10 ? 2 : sigmoid((j + 1) / 2));
const chosen = (target: CalibrationTarget, costs: readonly number[] = common.costs) =>
  calibrate(ten, { ...common, costs, target }).point;
const at = (j: number) => ({
  accuracy: ACCURACY[j],
  cost: expect.closeTo(0.4 + 0.06 * j, 12),
  thresholds: [expect.closeTo(thresholdAt(j), 6)],
});

describe("on ten samples", () => {
  test("every operating point is where counting puts it, from all leaving to none", () => {
    const points = operatingPoints(ten, common);
    expect(points).toHaveLength(11);
    points.forEach((point, j) => expect(point).toMatchObject(at(j)));
  });

  test.each([
    [0, 2], // at least 0.8, the final exit's
    [0.1, 2], // at least 0.72
    [0.125, 1], // at least 0.7, met exactly
    [0.25, 0], // at least 0.6, met exactly
  ])(
    "rad %f keeps that share of the final exit's accuracy, as cheaply as can be: sample %i is the first to leave",
    (loss, j) => {
      expect(chosen({ kind: "rad", loss })).toMatchObject(at(j));
    },
  );

  test.each([
    [0.4, 0], // met exactly
    [0.5, 1],
    [0.63, 3],
    [1, 4], // the cheapest of five that are always right
  ])("budget %f is kept, as accurately as can be: sample %i is the first to leave", (cost, j) => {
    expect(chosen({ kind: "budget", cost })).toMatchObject(at(j));
  });

  test("latency is a budget in milliseconds", () => {
    // 2 + 0.3 j milliseconds.
    const point = chosen({ kind: "latency", milliseconds: 2.7 }, [2, 5]);
    expect(point).toMatchObject({ accuracy: 0.8, cost: expect.closeTo(2.6, 12) });
  });

  test("the curve holds what no other point beats: five points, by rising cost", () => {
    const { uniform } = calibrate(ten, { ...common, target: { kind: "rad", loss: 0.25 } });
    expect(uniform.map(({ accuracy }) => accuracy)).toEqual([0.6, 0.7, 0.8, 0.9, 1]);
  });

  test("given thresholds lead where routing leads", () => {
    const lists = [[sigmoid(2.75)], [0], [2]];
    expect(outcomesAt(ten, { ...common, lists })).toMatchObject([
      { accuracy: 1, cost: expect.closeTo(0.7, 12) },
      { accuracy: 0.6, cost: expect.closeTo(0.4, 12) },
      { accuracy: 0.8, cost: 1 },
    ]);
  });
});

test("of points with equal cost the more accurate one is on the curve, and of equally accurate ones the cheaper", () => {
  const point = (cost: number, accuracy: number) => ({ cost, accuracy });
  const front = paretoFront([point(3, 0.9), point(1, 0.5), point(1, 0.7), point(2, 0.7), point(4, 0.8), point(3, 0.6)]);
  expect(front).toEqual([point(1, 0.7), point(3, 0.9)]);
});

describe("patience on ten samples", () => {
  // Labels of three exits: samples 0 to 4 agree from the first on, samples 5 to 9 from the second
  // on; all are right at the end.
  const exits = binary(
    counted((i) => (i < 5 ? 1 : -1)),
    counted(() => 1),
    counted(() => 1),
  );
  const request = { rule: "patience", fallback: "final", costs: [0.2, 0.5, 1] } as const;

  test("counts exits in a row that agree", () => {
    // 1: all stop at the first exit. 2: half stop at the second, half go on. 3: no early exit is
    // the third in a row.
    expect(outcomesAt(exits, { ...request, lists: [[1], [2], [3]] })).toMatchObject([
      { accuracy: 0.5, cost: expect.closeTo(0.2, 12) },
      { accuracy: 1, cost: expect.closeTo(0.75, 12) },
      { accuracy: 1, cost: 1 },
    ]);
    const { point } = calibrate(exits, { ...request, target: { kind: "rad", loss: 0 } });
    expect(point).toMatchObject({ thresholds: [2], accuracy: 1 });
  });
});

test("under attack the worst set counts, for cost and for accuracy by itself", () => {
  const sure = counted(() => 3);
  // One sample is wrong at the early exit, and surer than the unsure set: it keeps the threshold
  // above that set.
  const clean = binary(
    counted((i) => (i === 0 ? -1 : 3)),
    sure,
  );
  const wrongAndSure = binary(
    counted(() => -9),
    sure,
  );
  const unsure = binary(
    counted(() => 0.01),
    sure,
  );
  for (const attacked of [
    [wrongAndSure, unsure],
    [unsure, wrongAndSure],
  ]) {
    const { point } = calibrate(clean, { ...common, target: { kind: "rad", loss: 0 }, worstCase: { attacked } });
    expect(point.cost).toBeCloseTo(0.46, 12);
    expect(point).toMatchObject({ worstCost: 1, worstAccuracy: 0 });
    // In milliseconds the mean cost is in that unit; the worst is still a share.
    const slow = calibrate(clean, {
      ...common,
      costs: [2, 5],
      target: { kind: "rad", loss: 0 },
      worstCase: { attacked },
    });
    expect(slow.point).toMatchObject({ cost: expect.closeTo(2.3, 12), worstCost: 1 });
  }
});
