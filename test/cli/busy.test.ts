/** @file The table of places says when the machine was busy while it timed them. */
import { expect, test } from "vitest";
import { placesTable } from "../../src/cli/convert/output.js";
import { renderTraining } from "../../src/report/training/page.js";
import { placementSchema } from "../../src/schema/model-card.js";
import { steadinessOf } from "../../src/schema/steadiness.js";
import type { TrainingRecord } from "../../src/schema/training.js";

const placed = (roundSpread?: number) =>
  placesTable([], placementSchema.parse({ cost: "time", batch: 1, places: [], roundSpread }));

test("places that were timed on a busy machine come with a warning", () => {
  expect(placed(1.7)).toContain("Warning: The machine was busy: slow rounds took 1.7 times as long as fast ones.");
  expect(placed(1.4) + placed() + placesTable([], { cost: "macs" })).not.toContain("busy");
});

test("so does the report of the run", () => {
  const epoch = {
    ...{ epoch: 0, step: 1, learningRate: 0.1, loss: 1, exitLosses: [1], trainAccuracy: [0.5], seconds: 1 },
    ...{ validationLosses: [1], validationAccuracy: [0.5], imagesPerSecond: 10 },
  };
  const record: TrainingRecord = {
    ...{ model: "net", data: "d", recipe: "joint", exits: ["final"], planned: 1, validationCount: 10, settings: [] },
    ...{ epochs: [epoch], test: undefined },
  };
  const busy = { ...record, steadiness: steadinessOf(1.7) };
  expect(renderTraining(busy)).toContain("Exits were placed by time. The machine was busy");
  expect(renderTraining(record)).not.toContain("busy");
});
