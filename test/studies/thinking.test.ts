/** @file Overthinking, underthinking and confusion in the audit of the reference network, against a direct computation on the
 *  logits that PyTorch gave. */
import { expect, test } from "vitest";
import { toNumbers } from "../../src/core/tensor.js";
import { subset } from "../../src/data/dataset.js";
import { readNpy } from "../../src/data/npy.js";
import { dynamicModel } from "../../src/dynamic/model/model.js";
import { ortNode } from "../../src/node/ort-node/index.js";
import { readModel } from "../../src/onnx/read.js";
import { audit } from "../../src/studies/audit/index.js";
import { cifarTestRecords } from "../support/cifar-records.js";
import { referenceFile } from "../support/reference-cases.js";

const [N, EXITS, CLASSES] = [64, 5, 10];
const THRESHOLD = 0.7;

/** Softmax in float64, [exit][sample][class]. */
function probabilities(): number[][][] {
  const flat = [...toNumbers(readNpy(referenceFile("resnet20-sdn/logits_first64.npy"), "logits"))];
  return Array.from({ length: EXITS }, (_, exit) =>
    Array.from({ length: N }, (_row, i) => {
      const row = flat.slice((exit * N + i) * CLASSES, (exit * N + i + 1) * CLASSES).map(Math.exp);
      const sum = row.reduce((a, b) => a + b, 0);
      return row.map((value) => value / sum);
    }),
  );
}

/** The shares by their definitions, sample by sample. */
function direct(labels: ArrayLike<number>) {
  const p = probabilities();
  const right = (exit: number, i: number) => p[exit][i].indexOf(Math.max(...p[exit][i])) === labels[i];
  const samples = Array.from({ length: N }, (_, i) => {
    const fired = [0, 1, 2, 3].find((exit) => Math.max(...p[exit][i]) >= THRESHOLD);
    const stop = fired ?? EXITS - 1;
    const rightAt = [0, 1, 2, 3, 4].filter((exit) => right(exit, i));
    const final = p[EXITS - 1][i];
    const distances = p.map((exit) => exit[i].reduce((sum, value, c) => sum + Math.abs(value - final[c]), 0));
    return {
      wasteful: rightAt.includes(stop) && rightAt[0] < stop,
      destructive: rightAt.length > 0 && !rightAt.includes(EXITS - 1),
      under: !rightAt.includes(stop) && rightAt.includes(EXITS - 1),
      finalRight: rightAt.includes(EXITS - 1),
      confusion: distances.reduce((a, b) => a + b, 0),
    };
  });
  const share = (test: (one: (typeof samples)[number]) => boolean) => samples.filter(test).length / N;
  const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;
  const all = samples.map(({ confusion }) => confusion);
  const spread = Math.sqrt(mean(all.map((value) => (value - mean(all)) ** 2)));
  const confusionOf = (is: boolean) =>
    mean(
      samples.filter(({ finalRight }) => finalRight === is).map(({ confusion }) => (confusion - mean(all)) / spread),
    );
  return {
    overthinking: { wasteful: share(({ wasteful }) => wasteful), destructive: share(({ destructive }) => destructive) },
    underthinking: share(({ under }) => under),
    confusion: { right: confusionOf(true), wrong: confusionOf(false) },
  };
}

test("the audit of the reference network has the shares of a direct computation", async () => {
  const data = subset(await cifarTestRecords(), [...Array(N).keys()]);
  const { record } = await audit({
    model: dynamicModel(readModel(referenceFile("resnet20-sdn/model.onnx"))),
    ...{ backend: ortNode(), data, attacks: [], seed: 0, version: "test", now: () => performance.now() },
    policy: {
      kind: "fixed",
      policy: { rule: "max-softmax", thresholds: Array<number>(EXITS - 1).fill(THRESHOLD), fallback: "final" },
    },
  });
  const { overthinking, underthinking, confusion } = direct(data.labels);
  expect(record.clean).toMatchObject({ overthinking, underthinking });
  expect(underthinking).toBeGreaterThan(0);
  expect(record.clean.confusion?.right).toBeCloseTo(confusion.right, 4);
  expect(record.clean.confusion?.wrong).toBeCloseTo(confusion.wrong, 4);
  expect(confusion.wrong).toBeGreaterThan(confusion.right);
});
