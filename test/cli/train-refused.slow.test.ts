/** @file Calls of `dynn train` that cannot work: one message that says what to do, the right exit code, nothing left behind. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { fromNumbers } from "../../src/core/tensor.js";
import { writeNpy } from "../../src/data/npy.js";
import { readCheckpoint } from "../../src/training/run/checkpoint.js";
import { cli, filesIn, network, npyPair, temporaryFolder } from "./support.js";

const folder = temporaryFolder();
const results = join(folder, "results");
mkdirSync(results);
const put = (name: string, content: Uint8Array): string => {
  writeFileSync(join(folder, name), content);
  return join(folder, name);
};
const data = npyPair(folder, "good", { count: 60 });
const [images, labels] = data.slice("npy:".length).split(",") as [string, string];
const large = npyPair(folder, "large", { count: 20, size: 12 });
/** The good images under labels by formula. */
const labelled = (name: string, of: (record: number) => number): string =>
  `npy:${images},${put(
    name,
    writeNpy(
      fromNumbers(
        "int64",
        [60],
        Array.from({ length: 60 }, (_, i) => of(i)),
      ),
    ),
  )}`;
const broken = readFileSync(images);
broken.writeFloatLE(Number.NaN, broken.length - 4);
const plain = put("plain.onnx", network());

const FILE = [plain, "--recipe", "static", "--batch", "10", "--workers", "0"];
const JOINT = ["resnet20", "--data", data, "--recipe", "joint", "--exits", "50", "--width", "0.13", "--workers", "0"];
const SMALL = [...JOINT, "--batch", "20", "--epochs", "1"];

async function refused(argv: readonly string[]): Promise<string> {
  const { code, out, err } = await cli("train", ...argv, "-o", join(results, "x.onnx"));
  expect(out).toBe("");
  return `${code} ${err.replaceAll(`${folder}/`, "")}`;
}

describe("dynn train refuses", () => {
  it.each<[string, readonly string[], RegExp]>([
    [
      "an unknown architecture",
      ["resnet19", ...SMALL.slice(1)],
      /^2 error: architecture "resnet19": dynn does not have this architecture\. Did you mean resnet20 .*Choose from resnet20, .*\[cli\/value\]/,
    ],
    ["an unknown recipe", [...SMALL, "--recipe", "fast"], /^2 .*--recipe: got "fast", expected one of static, joint/],
    [
      "exits of a static network",
      [...SMALL, "--recipe", "static"],
      /^2 .*exits: the recipe static trains the final exit alone.*--exits.*\[training\/config\]/,
    ],
    ["exits that do not rise", [...SMALL, "--exits", "60,30"], /^2 .*does not rise/],
    [
      "more exits than places",
      [...SMALL, "--exits", Array.from({ length: 40 }, (_, i) => i + 1).join()],
      /^2 .*40 exits asked for, and there are 10 places.*\[exits\/value\]/,
    ],
    [
      "an exit at a value that is not a legal cut",
      [...SMALL, "--exits", "stage1.block0.relu1"],
      /^2 .*"stage1\.block0\.relu1" is not a legal cut.*\[exits\/value\]/,
    ],
    [
      "a head that cannot read what is there",
      [...SMALL, "--head", "mean-linear"],
      /^2 .*head mean-linear: .*expected tokens.*\[exits\/value\]/,
    ],
    [
      "settings of another recipe",
      [...SMALL, "--eps", "4/255"],
      /^2 .*recipe joint: got settings of adversarial training \(radius\)/,
    ],
    [
      "a weight too many",
      [...SMALL, "--exit-weights", "1,1,1"],
      /^2 .*exit weights: got 3 numbers for 2 exits.*\[training\/config\]/,
    ],
    ["a learning rate of nothing", [...SMALL, "--lr", "0"], /^2 .*--lr: got "0", expected a number above 0/],
    [
      "an augmentation that it does not know",
      [...SMALL, "--augment", "flip,rotate"],
      /^2 .*--augment: got "flip,rotate"/,
    ],
    ["a crop larger than the image", [...SMALL, "--augment", "crop:8"], /^2 .*crop padded by 8 pixels/],
    [
      "a batch larger than the data",
      [...SMALL, "--batch", "500"],
      /^2 .*batch 500: the data have 54 records to train on.*\[training\/config\]/,
    ],
    ["a file's width", [...FILE, "--data", data, "--width", "2"], /^2 .*--width 2: .*plain\.onnx is a file/],
    ["a file without named parameters", [...FILE, "--data", data], /^2 .*no parameter to train.*\[training\/config\]/],
    [
      "images of a size that the file does not take",
      [...FILE, "--data", large],
      /^1 .*images are \[3,12,12\] but plain\.onnx takes \[3,8,8\].*\[data\/shape\]/,
    ],
    [
      "classes that the file does not tell apart",
      [...FILE, "--data", labelled("six.npy", (i) => i % 6)],
      /^1 .*has 4 classes.* has 6.*\[data\/label\]/,
    ],
    ["a negative label", [...SMALL, "--data", labelled("negative.npy", (i) => (i % 4) - 1)], /^1 .*\[data\/label\]/],
    [
      "an image that is not a number",
      [...SMALL, "--data", `npy:${put("nan.npy", broken)},${labels}`],
      /^1 .*pixel of NaN.*\[data\/value\]/,
    ],
    [
      "validation on the images that it trains on",
      [...SMALL, "--validation", data],
      /^2 .*all 60 images are among those trained or validated on.*\[training\/config\]/,
    ],
    [
      "a validation share that leaves nothing",
      [...SMALL, "--validation", "0.1%"],
      /^2 .*leaves nothing to validate on/,
    ],
    [
      "training on the test records",
      [...SMALL, "--data", "cifar10:data#test"],
      /^2 .*Train on cifar10:data#train.*\[data\/spec\]/,
    ],
    [
      "test images of another size",
      [...SMALL, "--test", large],
      /^1 .*images are \[3,12,12\], and \[3,8,8\] in .*\[data\/shape\]/,
    ],
    [
      "a checkpoint that is none",
      [...SMALL, "--init", images],
      /^1 .*good-x\.npy: is not a complete safetensors file.*\[checkpoint\/format\]/,
    ],
    ["a run folder that is the output", [...SMALL, "--run", join(results, "x.onnx")], /^2 .*--run and --out: both are/],
    ["a run folder that cannot be", [...SMALL, "--run", join(plain, "run")], /^2 .*\[file\/unwritable\]/],
  ])("%s", async (_, argv, message) => {
    expect(await refused(argv)).toMatch(message);
  });

  it("an output that cannot be written, before it reads any data", async () => {
    const { code, err } = await cli("train", ...SMALL, "--data", "npy:none,none", "-o", join(folder, "none/x.onnx"));
    expect([code, err]).toEqual([2, expect.stringContaining("[file/unwritable]")]);
  });

  it("without leaving a model or a checkpoint", () => {
    expect(filesIn(results).filter((name) => !name.endsWith(".run"))).toEqual([]);
    expect(filesIn(join(results, "x.run"))).toEqual(["config.json"]);
  });

  it("and a call that is mended goes on without --resume", async () => {
    expect((await cli("train", ...SMALL, "-o", join(results, "x.onnx"))).code).toBe(0);
  });
});

describe("a run that diverges in a later epoch", () => {
  // Each step multiplies the decayed weights by about -6, so that they leave float32 after some epochs.
  const argv = [...JOINT, "--batch", "20", "--schedule", "constant", "--lr", "1", "--optimizer", "sgd"];
  const run = join(results, "late.run");
  let err = "";
  beforeAll(async () => {
    const ran = await cli("train", ...argv, "--weight-decay", "4", "--epochs", "20", "-o", join(results, "late.onnx"));
    expect(ran.code).toBe(1);
    err = ran.err;
  });

  it("keeps the checkpoint, the metrics and the curves of the epochs before, and says so", () => {
    const [, epoch] = /(?:epoch )(\d+), step \d+: .* is not a finite number/.exec(err) ?? [];
    const done = Number(epoch) - 1;
    expect(done).toBeGreaterThan(0);
    expect(err).toContain(`The run is saved up to the end of epoch ${done} in `);
    const path = join(run, "checkpoint.safetensors");
    const { state } = readCheckpoint(readFileSync(path), path);
    expect([state.epoch, state.step, state.epochs.length]).toEqual([done, 0, done]);
    for (const { data: values } of state.tensors.values())
      expect([...values].every((value) => Number.isFinite(Number(value)))).toBe(true);
    expect(readFileSync(join(run, "metrics.jsonl"), "utf8").trimEnd().split("\n")).toHaveLength(done);
    expect(readFileSync(join(run, "report.html"), "utf8")).toContain(`${done} of 20 epochs done`);
    expect(filesIn(results)).not.toContain("late.onnx");
  });

  it("lends its weights to a calmer run, as it says", async () => {
    expect(err).toContain("use dynn train --init to begin a new run with its weights.");
    const init = ["--init", join(run, "checkpoint.safetensors"), "--epochs", "1", "--lr", "1e-3"];
    expect((await cli("train", ...argv, ...init, "-o", join(results, "calm.onnx"))).code).toBe(0);
  });
});

describe("a run that diverges", () => {
  const argv = [...JOINT, "--batch", "20", "--epochs", "3", "--schedule", "constant", "--exit-weights", "equal"];
  let err = "";
  beforeAll(async () => {
    const ran = await cli("train", ...argv, "--lr", "1e38", "-o", join(results, "nan.onnx"));
    expect(ran.code).toBe(1);
    err = ran.err;
  });

  it("stops with an explanation and writes no model", () => {
    expect(err).toMatch(/the loss is not a finite number.*--lr.*\[training\/diverged\]\n$/);
    expect(filesIn(results)).not.toContain("nan.onnx");
  });
});
