/** Dropout in training: masks are a function of seed, record and step, so they do not depend on the order of a batch. */
import { describe, expect, test } from "vitest";
import { fromNumbers, type Tensor, toNumbers } from "../../src/core/tensor.js";
import { float, int } from "../../src/graph/attributes.js";
import { GraphBuilder } from "../../src/graph/builder.js";
import type { Graph } from "../../src/graph/graph.js";
import { emptyGraph } from "../../src/graph/op.js";
import { ortNode } from "../../src/node/ort-node/index.js";
import { referenceBackend } from "../../src/runtime/reference.js";
import { stepGraph } from "../../src/training/step/graph.js";
import { StepRunner } from "../../src/training/step/runner.js";
import { CONFIG } from "../support/training.js";

const FEATURES = 200;
const ROWS = 4;
const LAYERS = ["block0.0", "block0.1", "block1.0", "block1.1"];

/** logits = w_k * dropout_k(images) summed over features, one class per dropout layer: the gradient of w_k shows mask k. */
function network(ratio: number): Graph {
  const b = new GraphBuilder(emptyGraph("dropout", 17));
  const images = b.input("images", "float32", ["n", FEATURES]);
  const sums = LAYERS.map((layer) => {
    const [kept] = b.ops("Dropout", [images, b.scalar(ratio)], 1, {}, `${layer}.drop`) as [string];
    const weight = b.parameter(`${layer}.weight`, fromNumbers("float32", [FEATURES], new Float64Array(FEATURES)));
    return b.op("ReduceSum", [b.op("Mul", [kept, weight]), b.ints([1])], { keepdims: int(1) });
  });
  b.output(b.op("Concat", sums, { axis: int(1) }, "logits"), "float32", undefined);
  return b.build();
}

interface Rows {
  readonly indices: readonly number[];
  readonly seed?: number;
  readonly done?: number;
  readonly ratio?: number;
  readonly backend?: typeof referenceBackend;
}

/** -d loss / d weight of each layer after one step of rate 1 on images of ones, label 0. */
async function movesOf({ indices, seed = 1, done = 0, ratio = 0.25, backend = referenceBackend }: Rows) {
  const config = {
    ...CONFIG,
    batch: indices.length,
    optimizer: { kind: "sgd", momentum: 0, nesterov: false, weightDecay: 0 } as const,
  };
  const trained = LAYERS.map((layer) => `${layer}.weight`);
  const graph = stepGraph({ graph: network(ratio), logits: ["logits"], trained, frozen: false, config });
  const runner = await StepRunner.compile(backend, graph);
  await runner.step({
    data: {
      images: fromNumbers("float32", [indices.length, FEATURES], new Float64Array(indices.length * FEATURES).fill(1)),
    },
    labels: fromNumbers("int64", [indices.length], new Float64Array(indices.length)),
    indices: Uint32Array.from(indices),
    learningRate: 1,
    exitWeights: [1],
    done,
    seed,
  });
  const moves = trained.map((name) => [...toNumbers(runner.state.get(name) as Tensor)]);
  await runner.release();
  return moves;
}

function expectNear(got: readonly number[], want: readonly number[]): void {
  expect(got.length).toBe(want.length);
  expect(want.reduce((m, v, i) => Math.max(m, Math.abs(v - got[i])), 0)).toBeLessThan(1e-6);
}

/** The mask of layer k of one record: its weights are zero, so the move of the weight is the mask times a known factor. */
async function masksOf(rows: Omit<Rows, "indices"> & { readonly record: number }): Promise<number[][]> {
  const moves = await movesOf({ ...rows, indices: [rows.record] });
  // d loss / d logit k = 1 / classes - (k = 0).
  return moves.map((move, k) => move.map((v) => v / (Number(k === 0) - 1 / LAYERS.length)));
}

describe("masks of Dropout in training", () => {
  test("are 0 with the given probability, else 1 / (1 - ratio)", async () => {
    for (const mask of await masksOf({ record: 5 })) {
      const kept = mask.filter((v) => v !== 0);
      expectNear(kept, new Array<number>(kept.length).fill(4 / 3));
      // Five deviations of a count of 200 draws.
      expect(Math.abs(kept.length - 0.75 * FEATURES)).toBeLessThan(5 * Math.sqrt(FEATURES * 0.75 * 0.25));
    }
  });

  test("differ between records, steps, seeds and layers, and repeat for the same", async () => {
    const base = await masksOf({ record: 5 });
    expect(await masksOf({ record: 5 })).toEqual(base);
    const others = [
      await masksOf({ record: 6 }),
      await masksOf({ record: 5, done: 1 }),
      await masksOf({ record: 5, seed: 2 }),
    ];
    const dropped = (masks: number[][]) => masks.map((mask) => mask.map((v) => (v === 0 ? "0" : "1")).join(""));
    const all = [base, ...others].flatMap(dropped);
    expect(new Set(all).size).toBe(all.length);
  });

  test("do not depend on the order of the batch, nor on who else is in it", async () => {
    const sum = (indices: readonly number[]) => movesOf({ indices });
    const forward = await sum([3, 7, 11, 2]);
    const backward = await sum([2, 11, 7, 3]);
    expectNear(backward.flat(), forward.flat());
    const single = await Promise.all([3, 7, 11, 2].map((record) => movesOf({ indices: [record] })));
    const sums = single.map((moves) => moves.flat()).reduce((total, moves) => total.map((v, i) => v + (moves[i] ?? 0)));
    expectNear(
      forward.flat(),
      sums.map((v) => v / ROWS),
    );
  });

  test("are the same numbers on ONNX Runtime", async () => {
    const indices = [3, 7, 11, 2];
    const [want, got] = [await movesOf({ indices }), await movesOf({ indices, backend: ortNode({ threads: 1 }) })];
    expectNear(got.flat(), want.flat());
  });
});

test("an older Dropout has its ratio in an attribute", async () => {
  const b = new GraphBuilder(emptyGraph("old", 11));
  const images = b.input("images", "float32", ["n", 3]);
  const weight = b.parameter("fc.weight", fromNumbers("float32", [3, 2], [1, 2, 3, 4, 5, 6]));
  const [kept] = b.ops("Dropout", [images], 1, { ratio: float(0.75) }, "drop") as [string];
  b.output(b.op("MatMul", [kept, weight], {}, "logits"), "float32", undefined);
  const request = { logits: ["logits"], trained: ["fc.weight"], frozen: false, config: { ...CONFIG, batch: 2 } };
  const { masks } = stepGraph({ graph: b.build(), ...request });
  expect(masks).toEqual([{ name: "drop.mask", ratio: 0.75, shape: [2, 3] }]);
  expect(stepGraph({ graph: b.build(), ...request, frozen: true }).masks).toEqual([]);
});
