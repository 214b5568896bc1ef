/** @file Matching of class names: what is alike, what is refused, and how labels follow. */
import { describe, expect, test } from "vitest";
import { type ClassMatching, matchClasses } from "../../src/data/classes.js";
import { type Dataset, inMemory } from "../../src/data/dataset.js";
import { fitData } from "../../src/data/fit.js";

const match = (
  dataNames: readonly string[],
  modelNames: readonly string[] | undefined,
  matching?: ClassMatching,
  count = modelNames?.length ?? 3,
) => matchClasses({ model: "m", count, modelNames, data: "d", dataNames }, matching);

describe("names", () => {
  test.each([
    [
      ["Fire Truck", "ice-cream"],
      ["ice_cream", "firetruck"],
      [1, 0],
    ],
    [["e\u0301tang"], ["lac", "\u00e9tang"], [1]],
    [
      ["cat", "Cat"],
      ["Cat", "cat"],
      [1, 0],
    ],
  ])("%s in %s are %s", (data, model, labels) => {
    expect(match(data, model).labels).toEqual(labels);
  });

  test.each([
    ["two folders for one class", ["Cat", "cat-"], ["cat", "dog"], /"Cat" and "cat-" both fit class 0 of m/],
    ["one folder for two classes", ["crane"], ["Crane", "dog", "CRANE"], /"crane" fits classes 0 and 2/],
    ["more classes than the model has", ["a", "b", "c"], ["a", "b"], /"c" is unknown to m/],
  ])("are refused for %s", (_, data, model, message) => {
    expect(() => match(data, model)).toThrow(message);
  });

  test("that stand twice in the model are no trouble where both lists are equal", () => {
    const names = ["crane", "dog", "crane"];
    expect(match(names, names)).toEqual({ labels: [0, 1, 2], note: undefined });
  });

  test("a map may join classes, and its keys are matched as names are", () => {
    const { labels } = match(["Car", "auto", "dog"], ["dog", "automobile"], {
      classes: { car: "Automobile", auto: 1 },
    });
    expect(labels).toEqual([1, 1, 0]);
  });

  test("a map counts even where both lists are equal", () => {
    expect(match(["a", "b"], ["a", "b"], { classes: { a: "b", b: "a" } }).labels).toEqual([1, 0]);
  });

  test("order is taken only from lists of one length", () => {
    expect(match(["x", "y"], ["a", "b"], { byOrder: true }).note).toContain("0 a (x), 1 b (y)");
    expect(() => match(["x"], ["a", "b"], { byOrder: true })).toThrow(/1 class, and m tells 2 classes/);
  });
});

describe("a model without names", () => {
  test("takes as many classes in their order and says so", () => {
    expect(match(["x", "y", "z"], undefined)).toEqual({
      labels: [0, 1, 2],
      note: "m has no class names, so the classes are taken in their order: 0 x, 1 y, 2 z",
    });
  });

  test("takes numbers as labels, and a map of numbers", () => {
    expect(match(["0", "2"], undefined).labels).toEqual([0, 2]);
    expect(match(["1", "2", "3"], undefined).labels).toEqual([0, 1, 2]);
    expect(match(["x", "y"], undefined, { classes: { x: 2, y: 1 } }).labels).toEqual([2, 1]);
  });

  test("refuses another number of classes", () => {
    expect(() => match(["x", "y"], undefined)).toThrow(/2 classes, and m tells 3 .* no class names.*x, y.*0 to 2/);
  });
});

describe("data", () => {
  const data: Dataset = inMemory(
    { name: "d", shape: [1, 1, 1], classes: ["b", "A"], labels: Int32Array.of(0, 1, 1) },
    Uint8Array.of(1, 2, 3),
  );
  const model = { name: "m", classes: 3, classNames: ["a", "x", "b"], input: { shape: ["n", 1, 1, 1] } };

  test("take the model's numbering once, however often they are fitted", () => {
    const once = fitData(model, data);
    expect([...once.labels]).toEqual([2, 0, 0]);
    expect(once.classes).toEqual(model.classNames);
    expect(fitData(model, once)).toEqual(once);
    expect([...data.labels]).toEqual([0, 1, 1]);
  });

  test("with a label outside their own classes are refused", () => {
    expect(() => fitData(model, { ...data, labels: Int32Array.of(0, 2) })).toThrow(/record 1 has label 2/);
  });
});
