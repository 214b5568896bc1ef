/** @file Calls of `dynn convert` that cannot work: one message that says what to do, the right exit
 *  code, nothing left behind. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { fromNumbers } from "../../src/core/tensor.js";
import { int, ints } from "../../src/graph/attributes.js";
import { GraphBuilder } from "../../src/graph/builder.js";
import { emptyGraph } from "../../src/graph/op.js";
import { writeModel } from "../../src/onnx/write.js";
import { backbone } from "../support/training.js";
import { cli, filesIn, npyPair, temporaryFolder } from "./support.js";

const folder = temporaryFolder();
const results = join(folder, "results");
mkdirSync(results);
const put = (name: string, content: Uint8Array): string => {
  writeFileSync(join(folder, name), content);
  return join(folder, name);
};

/** Two convolutions side by side: nothing in between carries all the work. */
function forked(): Uint8Array {
  const b = new GraphBuilder(emptyGraph("forked", 17));
  const images = b.input("images", "float32", ["n", 3, 8, 8]);
  const side = (name: string) => {
    const kernel = b.constant(fromNumbers("float32", [3, 3, 1, 1], new Float32Array(9)));
    return b.op("ReduceMean", [b.op("Conv", [images, kernel], {}, name)], { axes: ints([2, 3]), keepdims: int(0) });
  };
  b.output(b.op("Add", [side("left"), side("right")], {}, "logits"), "float32", ["n", 3]);
  return writeModel({ graph: b.build() });
}

const MODEL = put("plain.onnx", writeModel({ graph: backbone() }));
const FORKED = put("forked.onnx", forked());
const data = npyPair(folder, "good", { count: 600, classes: 3 });
const few = npyPair(folder, "few", { count: 40, classes: 3 });
const large = npyPair(folder, "large", { count: 600, size: 12, classes: 3 });
const five = npyPair(folder, "five", { count: 600, classes: 5 });

const told = (text: string): string => text.replaceAll(`${folder}/`, "");

describe("dynn convert refuses", () => {
  it.each<[string, readonly string[], RegExp]>([
    [
      "a model that is not there",
      ["no.onnx", "--data", data],
      /^2 error: no\.onnx: there is no such file\. .*\[file\/missing\]/,
    ],
    ["no data", [MODEL], /^2 error: dynn convert: required option '--data <spec>' not specified.*\[cli\/usage\]/],
    [
      "exits of none",
      [MODEL, "--data", data, "--exits", "none"],
      /^2 error: --exits: got "none", expected auto, percentages of the cost or names of values.*\[cli\/value\]/,
    ],
    ["exits that do not rise", [MODEL, "--data", data, "--exits", "60,30"], /^2 .*does not rise.*\[cli\/value\]/],
    [
      "more exits than places",
      [MODEL, "--data", data, "--exits", "10,20,30,40,50,60,70,80"],
      /^2 .*8 exits asked for, and there are \d places.*\[exits\/value\]/,
    ],
    [
      "a value beside a shortcut",
      [MODEL, "--data", data, "--exits", "bn2"],
      /^2 error: plain\.onnx: "bn2" is not a legal cut .*\[exits\/value\]/,
    ],
    [
      "a model without a place",
      [FORKED, "--data", data],
      /^1 error: forked\.onnx: has no place for an early exit: .*"images" goes to Conv "left", Conv "right".*Add "logits".*\[model\/cut\]/,
    ],
    [
      "a head that does not read the feature",
      [MODEL, "--data", data, "--head", "token-linear"],
      /^1 error: plain\.onnx: no early exit is worth its cost .*no head reads \[n,8,8,8\].*\[model\/cut\]/,
    ],
    [
      "a head that does not read the named feature",
      [MODEL, "--data", data, "--head", "mean-linear", "--exits", "hidden"],
      /^2 error: head mean-linear: "hidden" is \[n,8,8,8\], expected tokens .*\[exits\/value\]/,
    ],
    [
      "a recipe that trains the backbone",
      [MODEL, "--data", data, "--recipe", "joint"],
      /^2 .*--recipe: got "joint", expected one of ic-only, distill/,
    ],
    [
      "settings of another recipe",
      [MODEL, "--data", data, "--recipe", "ic-only", "--temperature", "2"],
      /^2 error: recipe ic-only: got settings of distillation \(temperature\).*use the recipe distill\. \[training\/config\]/,
    ],
    [
      "--mean alone",
      [MODEL, "--data", data, "--mean", "0.5"],
      /^2 error: --mean and --std: got 0\.5 and no std.*\[cli\/usage\]/,
    ],
    [
      "means of another number of channels",
      [MODEL, "--data", data, "--mean", "0.5", "--std", "0.5"],
      /^2 error: normalisation: got 1 means .*expected 3 of each.*\[cli\/value\]/,
    ],
    [
      "images of another size",
      [MODEL, "--data", large],
      /^1 error: npy:large-x\.npy: images are \[3,12,12\] but plain\.onnx takes \[3,8,8\].*\[data\/shape\]/,
    ],
    [
      "labels that the model does not know",
      [MODEL, "--data", five],
      /^1 error: npy:five-x\.npy: record \d+ has label \d, expected an integer from 0 to 2.*\[data\/label\]/,
    ],
    [
      "too few records to choose thresholds on",
      [MODEL, "--data", few],
      /^1 error: npy:few-x\.npy#validation: 20 validation records, expected at least 50 .*\(--validation, --no-policy\)\. \[policy\/validation\]/,
    ],
    [
      "a batch larger than the data",
      [MODEL, "--data", data, "--batch", "5000"],
      /^2 error: batch 5000: the data have 420 records to train on.*\(--batch\)\. \[training\/config\]/,
    ],
    [
      "steps and passes together",
      [MODEL, "--data", data, "--steps", "50", "--epochs", "2"],
      /^2 error: steps 50 and epochs 2: both give the length.*\(--steps, --epochs\)\. \[training\/config\]/,
    ],
    [
      "steps of gates, which count passes",
      [MODEL, "--data", data, "--gates", "--steps", "50"],
      /^2 error: --gates: .*--steps is about exits.*\[cli\/usage\]/,
    ],
    [
      "a target that gives up most of the accuracy",
      [MODEL, "--data", data, "--target", "rad:95%"],
      /^2 error: --target: .*means: give up 95 % .*rad:5% or keep:95%\. \[cli\/value\]/,
    ],
    [
      "a target of time",
      [MODEL, "--data", data, "--target", "latency:2ms"],
      /^2 error: --target: got "latency:2ms", expected keep:SHARE/,
    ],
    [
      "a run folder that is the output",
      [MODEL, "--data", data, "--run", join(results, "x.onnx")],
      /^2 .*--run and --out: both are/,
    ],
    [
      "to resume in a folder of other files",
      [MODEL, "--data", data, "--run", folder, "--resume"],
      /^2 .*does not hold a run to continue.*\[training\/unfinished\]/,
    ],
    [
      "an option that it does not have",
      [MODEL, "--data", data, "--width", "2"],
      /^2 error: dynn convert: unknown option '--width'/,
    ],
  ])("%s", async (_, argv, message) => {
    const { code, err } = await cli("convert", ...argv, "-o", join(results, "x.onnx"));
    expect(`${code} ${told(err)}`).toMatch(message);
    expect(filesIn(results).filter((name) => name.endsWith(".onnx"))).toEqual([]);
  });

  it("an output that cannot be written, before it reads anything", async () => {
    const { code, err } = await cli("convert", "no.onnx", "--data", "npy:none,none", "-o", join(folder, "none/x.onnx"));
    expect([code, err]).toEqual([2, expect.stringContaining("[file/unwritable]")]);
  });
});
