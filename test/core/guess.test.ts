import { expect, test } from "vitest";
import { didYouMean, guesses } from "../../src/core/guess.js";

const NAMES = ["audit", "attacks", "inspect", "calibrate", "train", "transfer"];

test.each([
  ["audti", ["audit"]],
  ["Audit", ["audit"]],
  ["inspct", ["inspect"]],
  ["calibarte", ["calibrate"]],
  ["trans", ["train"]],
  ["attack", ["attacks"]],
  ["transf", ["transfer"]],
  ["zebra", []],
  ["x", []],
])("%s may mean %j", (word, names) => {
  expect(guesses(word, NAMES)).toEqual(names);
});

test("a part of a name finds the names that hold it", () => {
  expect(guesses("resnet20", ["resnet20-joint", "resnet20-static", "vgg16"])).toEqual([
    "resnet20-joint",
    "resnet20-static",
  ]);
});

test("a name without its middle finds the names that hold all its parts, whole", () => {
  const zoo = ["resnet20-cifar10-adversarial", "resnet20-cifar10-joint", "resnet200-cifar10-adversarial"];
  expect(guesses("resnet20-adversarial", zoo)).toEqual(["resnet20-cifar10-adversarial"]);
  expect(guesses("adversarial_resnet20", zoo)).toEqual(["resnet20-cifar10-adversarial"]);
  expect(guesses("resnet20-slow", zoo)).toEqual([]);
});

test("the question names at most three, as the user writes them", () => {
  expect(didYouMean("joint", ["a-joint", "b-joint"], (one) => `zoo:${one}`)).toBe(
    " Did you mean zoo:a-joint or zoo:b-joint?",
  );
  expect(didYouMean("zebra", NAMES)).toBe("");
});
