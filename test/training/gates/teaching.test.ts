/** A network with gates that learns from the network without: the teacher's answers, the loss against its formula, its gradient against
 *  central differences. */
import { describe, expect, test } from "vitest";
import { gradientGraph } from "../../../src/autodiff/gradient.js";
import { fromNumbers, toNumbers } from "../../../src/core/tensor.js";
import { GraphBuilder } from "../../../src/graph/builder.js";
import { inferShapes } from "../../../src/graph/infer.js";
import { emptyGraph } from "../../../src/graph/op.js";
import { opTable } from "../../../src/ops/table.js";
import { runReference } from "../../../src/runtime/reference.js";
import { attachGates } from "../../../src/training/gates/attach.js";
import { openGates } from "../../../src/training/gates/open.js";
import { trainingConfig } from "../../../src/training/recipe/defaults.js";
import { makeFeeds } from "../../../src/training/run/feeds.js";
import { STEP } from "../../../src/training/step/graph.js";
import { mixedLoss } from "../../../src/training/step/losses.js";
import { inFloat64 } from "../../support/float64.js";
import { random } from "../../support/gradcheck.js";
import { images, narrow, spread } from "../../support/spread-gates.js";
import { CLASSES, CONFIG, patterns, request, SIDE, trainable } from "../../support/training.js";

const ROWS = 3;

describe("the teacher", () => {
  const made = attachGates(narrow(), { gate: "pooled", seed: 2 });
  const closing = spread(made.graph, { bias: -3, weight: 0.1 });

  test("answers as the network without gates, whatever the gates do", () => {
    const answersOf = (graph: typeof closing): number[] => [
      ...toNumbers(runReference(graph, { images: images(ROWS) }).logits),
    ];
    expect(answersOf(openGates(closing, made.gates))).toEqual(answersOf(narrow()));
    expect(answersOf(closing)).not.toEqual(answersOf(narrow()));
  });

  test("teaches the images of each batch", async () => {
    const config = {
      ...CONFIG,
      recipe: "gates",
      gates: trainingConfig("gates", {}, { architecture: "", side: SIDE }).gates,
    } as const;
    const distill = { temperature: 3, weight: 0.5 };
    const r = request(
      { ...config, distill },
      { model: { ...trainable(closing), gates: made.gates }, train: patterns(16) },
    );
    const source = await makeFeeds(r, { trained: [], frozen: false });
    for await (const batch of source.batches({ epoch: 0, step: 1 })) {
      const labels = fromNumbers("int64", [8], [...batch.labels].map(Number));
      const fed = await source.feeds(batch, labels, new Map(), 1);
      const pixels = fromNumbers("float32", [8, 3, SIDE, SIDE], batch.images);
      const want = toNumbers(runReference(narrow(), { images: pixels }).logits);
      const got = toNumbers(fed[STEP.teacher]);
      expect(got).toHaveLength(8 * CLASSES);
      got.forEach((v, i) => {
        expect(v).toBeCloseTo(want[i], 4);
      });
      break;
    }
    await source.release();
  });
});

describe("the loss of all exits under a teacher", () => {
  const [T, share, weights, labels] = [2.5, 0.4, [0.3, 1], [2, 0, 1]];
  const names = ["z0", "z1"];
  const logits = [...names, "teacher"].map((_, k) => [...toNumbers(random([ROWS, CLASSES], k + 1))]);

  const b = new GraphBuilder(emptyGraph("taught", 17));
  const exits = names.map((name) => b.input(name, "float32", [ROWS, CLASSES]));
  const loss = mixedLoss(b, {
    exits,
    labels: b.input("labels", "int64", [ROWS]),
    classes: CLASSES,
    weights: b.constant(fromNumbers("float32", [2], weights)),
    labelSmoothing: 0,
    distill: { temperature: T, weight: share },
    teacher: b.input("teacher", "float32", [ROWS, CLASSES]),
  });
  b.output(loss.total, "float32", []);
  const graph = gradientGraph(inferShapes(b.build(), opTable), opTable, {
    loss: loss.total,
    wrt: exits,
    names: ["d0", "d1"],
    keep: [],
    constants: loss.constants,
  });

  const softmax = (z: readonly number[], t: number): number[] => {
    const e = z.map((v) => Math.exp(v / t));
    return e.map((v) => v / e.reduce((sum, w) => sum + w, 0));
  };
  const row = (z: readonly number[], n: number): readonly number[] => z.slice(n * CLASSES, (n + 1) * CLASSES);

  /** The formula, one exit and one sample after the other. */
  function formula(values: readonly (readonly number[])[]): number {
    let total = 0;
    for (const [k, weight] of weights.entries())
      for (let n = 0; n < ROWS; n++) {
        const hard = -Math.log(softmax(row(values[k], n), 1)[labels[n]]);
        const [p, q] = [softmax(row(logits[2], n), T), softmax(row(values[k], n), T)];
        const apart = p.reduce((sum, v, j) => sum + v * Math.log(v / q[j]), 0);
        total += (Math.fround(weight) * ((1 - share) * hard + share * T * T * apart)) / ROWS;
      }
    return total;
  }

  const results = runReference(inFloat64(graph), {
    ...Object.fromEntries(
      [...names, "teacher"].map((name, k) => [name, fromNumbers("float64", [ROWS, CLASSES], logits[k])]),
    ),
    labels: fromNumbers("int64", [ROWS], labels),
  });

  test("is the mix of cross-entropy and divergence for every exit, the final one too", () => {
    expect(toNumbers(results[loss.total])[0]).toBeCloseTo(formula(logits), 6);
  });

  test.each([0, 1])("has the central differences as its gradient, exit %i", (exit) => {
    for (let i = 0; i < ROWS * CLASSES; i++) {
      const moved = (by: number): number[][] =>
        logits.map((z, k) => z.map((v, j) => (k === exit && j === i ? v + by : v)));
      const numeric = (formula(moved(1e-5)) - formula(moved(-1e-5))) / 2e-5;
      expect(toNumbers(results[`d${exit}`])[i]).toBeCloseTo(numeric, 6);
    }
  });
});
