/** @file An output at the cost of another is a parallel head and no early exit. */
import { describe, expect, test } from "vitest";
import { writeMetadata } from "../../../src/dynamic/model/metadata.js";
import { dynamicModel, type ModelOptions } from "../../../src/dynamic/model/model.js";
import type { GraphBuilder } from "../../../src/graph/builder.js";
import { failure } from "../../support/failure.js";
import { caseModel } from "../adapt/support.js";
import { conv, draw, modelFile, twoExits } from "../support.js";

/** Two linear heads on the same features. */
const parallel =
  (first: string, second: string, classes = 4) =>
  (b: GraphBuilder): void => {
    const h = b.op("Relu", [conv(b, conv(b, b.input("x", "float32", ["batch", 3, 8, 8]), 3, 32), 32, 32)]);
    const features = b.op("Flatten", [b.op("GlobalAveragePool", [h])]);
    b.output(b.op("Gemm", [features, b.constant(draw(1, 32, 4))], {}, first), "float32", undefined);
    b.output(b.op("Gemm", [features, b.constant(draw(2, 32, classes))], {}, second), "float32", undefined);
  };
const exitsOf = (draws: (b: GraphBuilder) => void, options: ModelOptions = {}): string[] =>
  dynamicModel(modelFile(draws), options).exits.map((e) => e.name);

describe("parallel heads", () => {
  test.each(["multitask_same_last", "deit_distilled"])("the case of a stranger, %s: the logits are final", (name) => {
    const model = dynamicModel(caseModel(`12-parallel-heads/${name}.onnx`));
    const other = name === "deit_distilled" ? "dist_logits" : "task_b";
    expect(model.exits.map((e) => e.name)).toEqual(["logits"]);
    expect(model.changes).toEqual([
      `The output "${other}" costs as much as "logits", so it cannot be an early exit. dynn leaves it out.`,
    ]);
  });

  test("a name that says which is the classifier decides, wherever it stands", () => {
    expect(exitsOf(parallel("logits", "aux"))).toEqual(["logits"]);
    expect(exitsOf(parallel("aux", "logits"))).toEqual(["logits"]);
    expect(exitsOf(parallel("gender", "output", 2))).toEqual(["output"]);
  });

  test.each([4, 7])("names that do not tell are refused (%i classes)", (classes) => {
    expect(() => dynamicModel(modelFile(parallel("age", "gender", classes)))).toThrow(
      failure(
        "model/classifier",
        "net: outputs age and gender cost as much as each other, and their names do not tell which is the classifier. Name it as the final exit.",
      ),
    );
  });

  test("the caller names the final exit, and with it may name exits at any cost", () => {
    expect(exitsOf(parallel("age", "gender", 7), { final: "age" })).toEqual(["age"]);
    expect(exitsOf(parallel("a", "b"), { final: "b", exits: ["a"] })).toEqual(["a", "b"]);
  });
});

describe("early exits", () => {
  test("stay, unless the caller names others", () => {
    expect(exitsOf(twoExits)).toEqual(["first", "second"]);
    expect(exitsOf(twoExits, { final: "first" })).toEqual(["first"]);
    expect(exitsOf(twoExits, { final: "second" })).toEqual(["first", "second"]);
    expect(dynamicModel(modelFile(twoExits), { final: "first" }).changes).toEqual([
      'The output "second" costs more than "first". dynn leaves it out.',
    ]);
  });

  test("that the file states are chosen by name, and a policy for more of them goes", () => {
    const metadata = writeMetadata({
      exits: ["first", "second"].map((logits, i) => ({ name: `e${i}`, logits })),
      policy: { rule: "max-softmax", thresholds: [0.5], fallback: "final" },
    });
    const file = modelFile(twoExits, Object.fromEntries(metadata));
    const model = dynamicModel(file, { final: "e0" });
    expect([model.exits.map((e) => e.name), model.policy]).toEqual([["e0"], undefined]);
    expect(dynamicModel(file, { final: "second" }).policy).toBeDefined();
    expect(() => dynamicModel(file, { final: "e2" })).toThrow(
      failure("exits/value", 'net: the model does not have an exit "e2", expected one of e0, e1. Name one of these.'),
    );
  });

  test("of unknown names are refused with those that exist", () => {
    expect(() => dynamicModel(modelFile(twoExits), { exits: ["third"] })).toThrow(
      failure(
        "exits/value",
        'net: "third" is not a classifier output, expected one of first, second. Name one of these.',
      ),
    );
  });
});
