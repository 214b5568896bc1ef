import { describe, expect, test } from "vitest";
import type { Routed } from "../../../src/dynamic/route/route.js";
import type { Rows } from "../../../src/dynamic/run/executor/rows.js";
import { Batcher } from "../../../src/node/serve/batcher.js";

/** Samples whose one hidden number is their label. */
const rowsOf = (...labels: number[]): Rows => ({
  tickets: labels.map((_, index) => ({ index, readings: [], logits: [], bits: [] })),
  values: { h: { dtype: "float32", dims: [labels.length, 1], data: Float32Array.from(labels) } },
});
const labelsIn = ({ values }: Rows): number[] => Array.from(values.h?.data as Float32Array);
const answerOf = (label: number): Routed => ({ stop: 1, answer: 1, label, confidence: 1 });

function make({ most = 4, windowMs = 1, fails = (_: number): boolean => false } = {}) {
  const runs: number[][] = [];
  const run = async (rows: Rows) => {
    const labels = labelsIn(rows);
    runs.push(labels);
    if (labels.some(fails)) throw new Error(`cannot do ${labels}`);
    return labels.map(answerOf);
  };
  return { runs, batcher: new Batcher({ most, windowMs, run }) };
}

describe("a batcher", () => {
  test("runs requests that come together together, and gives each its own answers", async () => {
    const { batcher, runs } = make();
    const answers = await Promise.all([rowsOf(1), rowsOf(2, 3), rowsOf(4)].map((rows) => batcher.submit(rows)));
    expect(answers.map((of) => of.map(({ label }) => label))).toEqual([[1], [2, 3], [4]]);
    expect(runs).toEqual([[1, 2, 3, 4]]);
  });

  test("never runs more samples than the most, and never divides a request", async () => {
    const { batcher, runs } = make();
    await Promise.all(
      [rowsOf(1, 2, 3), rowsOf(4, 5), rowsOf(6), rowsOf(7, 8, 9, 10)].map((rows) => batcher.submit(rows)),
    );
    expect(runs).toEqual([
      [1, 2, 3],
      [4, 5, 6],
      [7, 8, 9, 10],
    ]);
  });

  test("does not wait for its window when a batch is full", async () => {
    const { batcher } = make({ windowMs: 2 ** 30 });
    expect(await Promise.all([batcher.submit(rowsOf(1, 2)), batcher.submit(rowsOf(3, 4))])).toHaveLength(2);
  });

  test("answers the others when one request cannot be done", async () => {
    const { batcher, runs } = make({ fails: (label) => label === 2 });
    const settled = await Promise.allSettled([rowsOf(1), rowsOf(2), rowsOf(3)].map((rows) => batcher.submit(rows)));
    expect(settled.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
    expect(runs).toEqual([[1, 2, 3], [1], [2], [3]]);
  });

  test("forgets a request that leaves the queue", async () => {
    const { batcher, runs } = make({ windowMs: 20 });
    const leaves = new AbortController();
    const left = batcher.submit(rowsOf(1), leaves.signal);
    const stays = batcher.submit(rowsOf(2));
    leaves.abort(new Error("gone"));
    await expect(left).rejects.toThrow("gone");
    expect((await stays).map(({ label }) => label)).toEqual([2]);
    expect(runs).toEqual([[2]]);
    await expect(batcher.submit(rowsOf(3), leaves.signal)).rejects.toThrow("gone");
  });

  test("is idle when all that came is answered, and works again after that", async () => {
    const { batcher, runs } = make();
    const first = batcher.submit(rowsOf(1));
    await batcher.idle();
    expect(runs).toEqual([[1]]);
    await first;
    await batcher.submit(rowsOf(2));
    expect(runs).toEqual([[1], [2]]);
  });

  test("waits for nobody when it is told to hurry, and when all have left", async () => {
    const { batcher, runs } = make({ windowMs: 2 ** 30 });
    const leaves = new AbortController();
    const left = batcher.submit(rowsOf(1), leaves.signal);
    leaves.abort(new Error("gone"));
    await expect(left).rejects.toThrow("gone");
    await batcher.idle();
    const stays = batcher.submit(rowsOf(2));
    batcher.hurry();
    await stays;
    await batcher.submit(rowsOf(3));
    expect(runs).toEqual([[2], [3]]);
  });
});
