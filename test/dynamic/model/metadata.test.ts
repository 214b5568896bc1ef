import { describe, expect, test } from "vitest";
import { readMetadata, writeMetadata } from "../../../src/dynamic/model/metadata.js";
import { dynamicModel } from "../../../src/dynamic/model/model.js";
import { readModel } from "../../../src/onnx/read.js";
import { writeModel } from "../../../src/onnx/write.js";
import { failure } from "../../support/failure.js";
import { modelFile, twoExits } from "../support.js";

const full = {
  exits: [
    { name: "early", logits: "first" },
    { name: "late", logits: "second" },
  ],
  policy: { rule: "entropy" as const, thresholds: [0.4], fallback: "most-confident" as const },
  normalization: { mean: [0.1, 0.2, 0.3], std: [0.5, 0.6, 0.7] },
  classes: ["a", "b", "c", "d"],
};

test("what is written reads back, through the bytes of a model file", () => {
  const { graph } = modelFile(twoExits);
  const { metadata } = readModel(writeModel({ graph, metadata: writeMetadata(full) }));
  expect(readMetadata(metadata, "net")).toEqual(full);
});

test("a file without these keys has none of it, and nothing writes nothing", () => {
  const none = { exits: undefined, policy: undefined, normalization: undefined, classes: undefined };
  expect(readMetadata(new Map([["author", "someone"]]), "net")).toEqual(none);
  expect(writeMetadata({}).size).toBe(0);
});

test("the model takes names, order, policy, normalisation and classes from it", () => {
  const swapped = { ...full, exits: [full.exits[0], full.exits[1]] };
  const model = dynamicModel(modelFile(twoExits, Object.fromEntries(writeMetadata(swapped))));
  expect(model.exits.map((e) => [e.name, e.logits])).toEqual([
    ["early", "first"],
    ["late", "second"],
  ]);
  expect(model).toMatchObject({ policy: full.policy, normalization: full.normalization, classNames: full.classes });
});

const advice = "Write the model again with dynn, or remove the key to read it by convention.";

describe("a key that does not hold what it should is refused", () => {
  test.each([
    ["dynn.exits", "{}", "Invalid input: expected array, received object"],
    ["dynn.exits", "[]", "Too small: expected array to have >=1 items"],
    ["dynn.exits", '[{"name":"a"}]', "at 0.logits, Invalid input: expected string, received undefined"],
    ["dynn.exits", '[{"name":"","logits":"y"}]', "at 0.name, Too small: expected string to have >=1 characters"],
    ["dynn.exits", '[{"name":"a","logits":"y","x":1}]', 'at 0, Unrecognized key: "x"'],
    [
      "dynn.policy",
      '{"rule":"luck","thresholds":[],"fallback":"final"}',
      'at rule, Invalid option: expected one of "max-softmax"|"entropy"|"margin"|"patience"',
    ],
    [
      "dynn.policy",
      '{"rule":"margin","thresholds":["0.5"],"fallback":"final"}',
      "at thresholds.0, Invalid input: expected number, received string",
    ],
    ["dynn.normalization", '{"mean":[0],"std":[0]}', "at std.0, Too small: expected number to be >0"],
    ["dynn.normalization", '{"mean":[],"std":[1]}', "at mean, Too small: expected array to have >=1 items"],
    ["dynn.classes", '["only"]', "Too small: expected array to have >=2 items"],
    ["dynn.classes", "null", "Invalid input: expected array, received null"],
  ])("%s = %s", (key, text, wrong) => {
    expect(() => readMetadata(new Map([[key, text]]), "net")).toThrow(
      failure("model/metadata", `net: metadata "${key}" is wrong: ${wrong}. ${advice}`),
    );
  });

  test("text that is not JSON is called so", () => {
    expect(() => readMetadata(new Map([["dynn.classes", '["a", "b"']]), "net")).toThrow(
      /^net: metadata "dynn.classes" is wrong: not JSON \(.+\)\. Write the model again/,
    );
  });
});

describe("metadata that do not fit the graph are refused", () => {
  test.each([
    [
      { exits: [{ name: "a", logits: "nowhere" }] },
      "dynn.exits",
      'logits "nowhere": is not an output of the graph, outputs are first, second',
    ],
    [
      { exits: [full.exits[0], { name: "again", logits: "first" }] },
      "dynn.exits",
      'logits "first": two exits name the same, outputs are first, second',
    ],
    [
      { policy: { rule: "margin" as const, thresholds: [0.1, 0.2], fallback: "final" as const } },
      "dynn.policy",
      "got 2 thresholds, rule margin takes 1",
    ],
    [
      { policy: { rule: "margin" as const, thresholds: [0.1], fallback: "final" as const, temperatures: [2] } },
      "dynn.policy",
      "got 1 temperatures, the graph has 2",
    ],
    [{ classes: ["a", "b"] }, "dynn.classes", "got 2 class names, the graph has 4"],
    [{ normalization: { mean: [0], std: [1, 1, 1] } }, "dynn.normalization", "got 1 means, the graph has 3"],
    [{ normalization: { mean: [0, 0, 0], std: [1] } }, "dynn.normalization", "got 1 deviations, the graph has 3"],
  ])("%j", (parts, key, wrong) => {
    const file = modelFile(twoExits, Object.fromEntries(writeMetadata(parts)));
    expect(() => dynamicModel(file, { name: "net" })).toThrow(
      failure("model/metadata", `net: metadata "${key}" does not fit the graph: ${wrong}. ${advice}`),
    );
  });
});
