/** The reference network on CIFAR-10 against what PyTorch computed (expected.json beside the model). */
import { beforeAll, describe, expect, test } from "vitest";
import { Images } from "../../src/core/images.js";
import { Logits } from "../../src/core/logits.js";
import { toNumbers } from "../../src/core/tensor.js";
import { readNpy } from "../../src/data/npy.js";
import { type DynamicModel, dynamicModel } from "../../src/dynamic/model/model.js";
import { makePolicy } from "../../src/dynamic/route/policy.js";
import { route } from "../../src/dynamic/route/route.js";
import { Forward } from "../../src/dynamic/run/forward.js";
import { openDataset } from "../../src/node/data/open.js";
import { ortNode } from "../../src/node/ort-node/index.js";
import { readModel } from "../../src/onnx/read.js";
import type { Fallback } from "../../src/schema/policy.js";
import { cifar10Folder, hasCifar10 } from "../support/cifar.js";
import { cifarTestRecords, firstRecords } from "../support/cifar-records.js";
import { referenceFile } from "../support/reference-cases.js";

interface Expected {
  readonly clean_accuracy_per_exit_10000: readonly number[];
  readonly clean_accuracy_per_exit_first1000: readonly number[];
  readonly routing_first1000: readonly {
    readonly tau: number;
    readonly fallback: Fallback;
    readonly accuracy: number;
    readonly work_stops_at_exit_counts: readonly number[];
  }[];
}

const file = (name: string) => referenceFile(`resnet20-sdn/${name}`);
const CLASSES = 10;
/** 0.1 points. */
const POINT_TENTH = 0.001 + 1e-9;

test("logits of the reference network on the first 64 records are within 1e-4 of the largest", async () => {
  const { pixels } = await firstRecords(await cifarTestRecords(), 64);
  const model = dynamicModel(readModel(file("model.onnx")));
  const forward = await Forward.compile(model, { backend: ortNode() });
  const logits = await forward.logits(Images.for(model, pixels), { batch: 64 });
  await forward.release();
  const npy = toNumbers(readNpy(file("logits_first64.npy"), "logits_first64.npy"));
  const scale = npy.reduce((m, v) => Math.max(m, Math.abs(v)), 0);
  logits.exits.forEach((exit, k) => {
    const worst = exit.reduce((m, v, i) => Math.max(m, Math.abs(v - npy[k * 640 + i])), 0);
    expect(worst / scale).toBeLessThanOrEqual(1e-4);
  });
});

describe.skipIf(!hasCifar10)("the reference network on CIFAR-10 (needs the archive: DYNN_CIFAR or ../shared)", () => {
  const folder = cifar10Folder();
  let model: DynamicModel;
  let expected: Expected;
  let logits: Logits;
  let labels: Int32Array;

  beforeAll(async () => {
    expected = JSON.parse(file("expected.json").toString()) as Expected;
    model = dynamicModel(readModel(file("model.onnx")));
    const all = await firstRecords(await openDataset(`cifar10:${folder}`), 10_000);
    labels = all.labels;
    const forward = await Forward.compile(model, { backend: ortNode() });
    logits = await forward.logits(Images.for(model, all.pixels), { batch: 250 });
    await forward.release();
  });

  const first = (n: number) =>
    new Logits(
      logits.exits.map((exit) => exit.subarray(0, n * CLASSES)),
      CLASSES,
    );
  const accuracies = (n: number) =>
    first(n).exits.map((exit) => {
      const [only] = [
        makePolicy({ exits: 1, classes: CLASSES }, { rule: "max-softmax", thresholds: [], fallback: "final" }),
      ];
      return route(new Logits([exit], CLASSES), only).filter((r, i) => r.label === labels[i]).length / n;
    });

  test.each([
    [1000, "clean_accuracy_per_exit_first1000"],
    [10_000, "clean_accuracy_per_exit_10000"],
  ] as const)("accuracy per exit on %d records is within 0.1 points", (n, key) => {
    accuracies(n).forEach((a, k) => expect(Math.abs(a - expected[key][k])).toBeLessThanOrEqual(POINT_TENTH));
  });

  test("routing stops where the reference stops, and answers as well, at every threshold and fallback", () => {
    expect(expected.routing_first1000.length).toBeGreaterThanOrEqual(12);
    for (const { tau, fallback, accuracy, work_stops_at_exit_counts } of expected.routing_first1000) {
      const policy = makePolicy(
        { exits: model.exits.length, classes: CLASSES },
        { rule: "max-softmax", thresholds: [tau], fallback },
      );
      const routed = route(first(1000), policy);
      const counts = model.exits.map((_, k) => routed.filter((r) => r.stop === k).length);
      const moved = counts.reduce((sum, c, k) => sum + Math.abs(c - work_stops_at_exit_counts[k]), 0) / 2;
      expect(moved, `tau ${tau}: ${counts} against ${work_stops_at_exit_counts}`).toBeLessThanOrEqual(2);
      const right = routed.filter((r, i) => r.label === labels[i]).length / 1000;
      expect(Math.abs(right - accuracy), `tau ${tau}, ${fallback}`).toBeLessThanOrEqual(POINT_TENTH);
    }
  });
});
