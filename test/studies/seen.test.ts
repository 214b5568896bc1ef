/** @file Records that a network has learned from, by its card: one sentence per data set, none for others. */
import { describe, expect, it } from "vitest";
import { lostAccuracy } from "../../src/studies/lost.js";
import { seenWarnings } from "../../src/studies/seen.js";

const cardOf = (recipe: string) => ({
  schemaVersion: 1,
  architecture: "net.onnx",
  width: null,
  init: null,
  data: {
    train: { name: "folder:photos", count: 432 },
    validation: { name: "folder:photos#validation", count: 108 },
    test: null,
  },
  training: { recipe, epochs: 1, batch: 1, seed: 0, optimizer: { kind: "adam" } },
  parameters: 1,
  exits: [{ name: "final", macs: 1, costFraction: 1, validation: { right: 1, count: 2 }, test: null }],
  tool: { name: "dynn", version: "1" },
});
const modelOf = (card: object | string) => ({
  name: "net",
  metadata: new Map([["dynn.card", typeof card === "string" ? card : JSON.stringify(card)]]),
});
const used = (...names: readonly string[]) => names.map((name) => ({ use: "reported", data: { name } }));

describe("records that a network has learned from", () => {
  it("are named with what learned from them", () => {
    const [heads] = seenWarnings(modelOf(cardOf("ic-distill")), used("folder:photos"));
    expect(heads).toMatch(/^folder:photos \(reported\): by the model card, the heads learned from 432 records of it\./);
    const [network] = seenWarnings(modelOf(cardOf("joint")), used("folder:photos"));
    expect(network).toContain("the network learned from 432 records");
  });

  it("are found by the name of the whole data, and said once for each data set", () => {
    const both = [
      { use: "reported", data: { name: "folder:photos" } },
      { use: "used to choose thresholds", data: { name: "folder:photos#validation" } },
    ];
    const warnings = seenWarnings(modelOf(cardOf("ic-only")), both);
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toContain("(reported and used to choose thresholds)");
  });

  it("are not other data, and a file without a card that can be read has none", () => {
    expect(seenWarnings(modelOf(cardOf("ic-only")), used("folder:others", "sample:cifar10"))).toEqual([]);
    expect(seenWarnings({ name: "net", metadata: new Map() }, used("folder:photos"))).toEqual([]);
    expect(seenWarnings(modelOf("{"), used("folder:photos"))).toEqual([]);
  });
});

describe("the accuracy that is lost", () => {
  it("counts records on which only one of the two is right", () => {
    const labels = [0, 0, 0, 0, 1, 1, 1, 1, 2, 2];
    const whole = [0, 0, 0, 0, 1, 1, 1, 0, 0, 0];
    const routed = [0, 0, 0, 1, 0, 0, 1, 1, 0, 0];
    // Only the whole network is right on records 3, 4 and 5, only the routed answer on record 7.
    const lost = lostAccuracy(labels, whole, routed);
    expect(lost.value).toBeCloseTo(0.2, 12);
    expect(lost.low).toBeLessThan(0);
    expect(lost.high).toBeGreaterThan(0.2);
  });
});
