import { describe, expect, it } from "vitest";
import type { ModelCard } from "../../src/schema/model-card.js";
import { cardEntry, readCard } from "../../src/training/run/card.js";

const card: ModelCard = {
  schemaVersion: 1,
  architecture: "resnet20",
  width: 1,
  init: null,
  data: { train: { name: "a", count: 9 }, validation: { name: "a#validation", count: 1 }, test: null },
  training: { recipe: "joint", epochs: 2, batch: 3, seed: 0, optimizer: { kind: "sgd", momentum: 0.9 }, ema: 0.99 },
  parameters: 5,
  exits: [{ name: "final", macs: 7, costFraction: 1, validation: { right: 1, count: 1 }, test: null }],
  tool: { name: "dynn", version: "0.1.0" },
};
const read = (value: unknown) => readCard(new Map([["dynn.card", JSON.stringify(value)]]), "m.onnx");

describe("a model card", () => {
  it("comes back from the metadata as it was, every setting of the run with it", () => {
    expect(readCard(new Map([cardEntry(card)]), "m")).toEqual(card);
  });

  it("may say what exits were placed by", () => {
    const places = [{ cut: "hidden", fraction: 0.5, headFraction: 0.01 }];
    for (const placement of [{ cost: "macs" }, { cost: "time", batch: 1, places }] as const) {
      const placed = { ...card, placement };
      expect(readCard(new Map([cardEntry(placed)]), "m")).toEqual(placed);
    }
  });

  it("is not asked of a file that has none", () => {
    expect(readCard(new Map([["author", "x"]]), "m")).toBeUndefined();
  });

  it.each<[string, unknown]>([
    ["another version", { ...card, schemaVersion: 2 }],
    ["an unknown field", { ...card, date: "today" }],
    ["no exits", { ...card, exits: [] }],
    ["half an answer", { ...card, exits: [{ ...card.exits[0], validation: { right: 0.5, count: 1 } }] }],
    ["an unknown recipe", { ...card, training: { ...card.training, recipe: "fast" } }],
  ])("with %s is refused", (_, value) => {
    expect(() => read(value)).toThrow(/^m\.onnx: metadata "dynn\.card" is wrong: .*\[model\/metadata\]$/);
  });
});
