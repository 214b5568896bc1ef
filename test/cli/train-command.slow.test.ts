/** @file `dynn train` from end to end, on a narrow ResNet-20 and small images. Batches are made in
 *  this thread (--workers 0): worker threads need the built package. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { run } from "../../src/cli/run.js";
import { VERSION } from "../../src/core/version.js";
import { loadModel } from "../../src/node/onnx-files.js";
import { modelCardSchema } from "../../src/schema/model-card.js";
import { readCheckpoint } from "../../src/training/run/checkpoint.js";
import { cli, filesIn, npyPair, type Ran, temporaryFolder } from "./support.js";

const folder = temporaryFolder();
const at = (name: string): string => join(folder, name);
const data = npyPair(folder, "train", { count: 120 });
const test = npyPair(folder, "test", { count: 40, seed: 2 });

const SMALL = ["--width", "0.13", "--batch", "20", "--workers", "0"];
const JOINT = ["resnet20", "--data", data, "--recipe", "joint", "--exits", "30,60", "--epochs", "3", ...SMALL];
const train = (out: string, ...argv: readonly string[]): Promise<Ran> => cli("train", ...argv, "-o", at(out));
const bytes = (name: string): Buffer => readFileSync(at(name));
/** Without the folder, so that it reads the same everywhere. */
const told = (text: string): string => text.replaceAll(`${folder}/`, "");

/** The same, with Ctrl-C after the first epoch. */
async function interrupted(out: string, ...argv: readonly string[]): Promise<number> {
  return run(["train", ...argv, "-o", at(out)], {
    out: () => {},
    err: (text) => {
      if (text.startsWith("epoch 1/")) process.emit("SIGINT", "SIGINT");
    },
  });
}

describe("dynn train", () => {
  let ran: Ran;
  beforeAll(async () => {
    ran = await train("a.onnx", ...JOINT, "--test", test);
  });

  it("says each epoch on standard error, and the exits of the model on standard output", () => {
    expect(ran.code).toBe(0);
    const lines = ran.err.trimEnd().split("\n");
    expect(lines).toHaveLength(3);
    lines.forEach((line, i) => {
      expect(line).toMatch(
        new RegExp(
          `^epoch ${i + 1}/3  loss (\\d+\\.\\d\\d ){3} train (\\d+ ){3}%  validation (\\d+ ){3}%  \\d+ images/s$`,
        ),
      );
    });
    expect(told(ran.out)).toContain("resnet20, trained on npy:train-x.npy");
    expect(told(ran.out)).toContain("108 images trained on, 12 for validation, 40 for the test");
    expect(told(ran.out)).toMatch(/exit +MACs +cost +validation +test/);
    expect(told(ran.out)).toMatch(/wrote a\.onnx\nwrote a\.run\/report\.html\n$/);
  });

  it("keeps settings, state, metrics, report and card in the run folder", () => {
    expect(filesIn(at("a.run"))).toEqual([
      "card.json",
      "checkpoint.safetensors",
      "config.json",
      "metrics.jsonl",
      "report.html",
    ]);
    const { settings, versions } = JSON.parse(bytes("a.run/config.json").toString());
    expect(settings.config).toMatchObject({ recipe: "joint", epochs: 3, batch: 20, seed: 0 });
    expect(versions).toMatchObject({ dynn: VERSION, node: process.versions.node });
    const lines = bytes("a.run/metrics.jsonl").toString().trimEnd().split("\n");
    expect(lines.map((line) => JSON.parse(line).epoch)).toEqual([0, 1, 2]);
    const { state } = readCheckpoint(bytes("a.run/checkpoint.safetensors"), "c");
    expect([state.epoch, state.step, state.epochs.length]).toEqual([3, 0, 3]);
    expect(bytes("a.run/report.html").toString()).toMatch(/accuracy, test[\s\S]*<\/html>\n$/);
  });

  it("writes one model with exits, normalisation and a card that agrees with the last epoch", async () => {
    const { out } = await cli("inspect", at("a.onnx"), "--json", "-");
    const found = JSON.parse(out);
    const card = modelCardSchema.parse(found.card);
    expect(card).toEqual(JSON.parse(bytes("a.run/card.json").toString()));
    expect(card.exits.map((e) => e.name)).toEqual(["exit0", "exit1", "final"]);
    expect(found.exits.map((e: { name: string }) => e.name)).toEqual(card.exits.map((e) => e.name));
    expect(found.normalization.mean).toHaveLength(3);
    const last = JSON.parse(bytes("a.run/metrics.jsonl").toString().trimEnd().split("\n").at(-1) as string);
    expect(card.exits.map((e) => e.validation.right / e.validation.count)).toEqual(last.validationAccuracy);
    expect(card.exits.map((e) => e.test?.count)).toEqual([40, 40, 40]);
    expect(card).toMatchObject({ architecture: "resnet20", width: 0.13, init: null, training: { recipe: "joint" } });
  });

  it("has in the card the accuracy that an audit finds on the same images", async () => {
    const argv = ["--data", test, "--samples", "40", "--attacks", "none", "--radii", "0", "--threshold", "0.5"];
    const { out } = await cli("audit", at("a.onnx"), ...argv, "--json", "-");
    const card = modelCardSchema.parse(JSON.parse(bytes("a.run/card.json").toString()));
    expect(JSON.parse(out).clean.accuracyPerExit).toEqual(card.exits.map((e) => (e.test?.right ?? 0) / 40));
  });

  it("shows the card in inspect", async () => {
    const { out } = await cli("inspect", at("a.onnx"));
    expect(out).toContain("recipe joint, 3 epochs, batch 20, sgd, seed 0");
  });

  it("normalises by the images that it trains on", async () => {
    const { settings } = JSON.parse(bytes("a.run/config.json").toString());
    expect(settings.normalization.mean.every((m: number) => m > 0.3 && m < 0.7)).toBe(true);
    const { graph } = await loadModel(at("a.onnx"));
    expect(Array.from(graph.initializers.get("normalization")?.data as Float32Array)).toEqual(
      settings.normalization.mean.map(Math.fround),
    );
  });
});

describe("a run that is stopped", () => {
  it("is not overwritten, nor continued as another run", async () => {
    await interrupted("kept.onnx", ...JOINT);
    const before = bytes("kept.run/checkpoint.safetensors");
    const again = await train("kept.onnx", ...JOINT);
    expect([again.code, told(again.err)]).toEqual([
      2,
      "error: kept.run: holds a run that is not finished. Resume it, give another folder, or remove this one (--resume, --run). [training/unfinished]\n",
    ]);
    const other = await train("kept.onnx", ...JOINT, "--epochs", "4", "--clip", "1", "--resume");
    expect([other.code, told(other.err)]).toEqual([
      2,
      "error: kept.run: holds a run with other settings:\n  config.epochs: 3 in the run, 4 now\n  config.clipNorm: not set in the run, 1 now\nResume with the run's own settings, or give a new run another folder (--run). [checkpoint/mismatch]\n",
    ]);
    expect(bytes("kept.run/checkpoint.safetensors").equals(before)).toBe(true);
  });

  it("with a damaged checkpoint is refused, and stays as it is", async () => {
    await interrupted("damaged.onnx", ...JOINT);
    const path = at("damaged.run/checkpoint.safetensors");
    const cut = readFileSync(path).subarray(0, -1);
    writeFileSync(path, cut);
    const { code, err } = await train("damaged.onnx", ...JOINT, "--resume");
    expect(code).toBe(1);
    expect(told(err)).toMatch(
      /^error: damaged\.run\/checkpoint\.safetensors: is not a complete safetensors file: .*\[checkpoint\/format\]\n$/,
    );
    expect(readFileSync(path).equals(cut)).toBe(true);
  });

  it("cannot be resumed from a folder of other files", async () => {
    mkdirSync(at("foreign.run"));
    writeFileSync(at("foreign.run/notes.txt"), "mine");
    const { code, err } = await train("foreign.onnx", ...JOINT, "--resume");
    expect(code).toBe(2);
    expect(told(err)).toMatch(/^error: foreign\.run: does not hold a run to continue.*\[training\/unfinished\]\n$/);
  });
});

describe("a run that was killed before its first checkpoint", () => {
  it.each(["absent", "empty", "config"])("starts over and says so, its folder being %s", async (left) => {
    const name = `early-${left}`;
    if (left !== "absent") mkdirSync(at(`${name}.run`));
    if (left === "config") writeFileSync(at(`${name}.run/config.json`), bytes("a.run/config.json"));
    const { code, err } = await train(`${name}.onnx`, ...JOINT, "--test", test, "--resume");
    expect(told(err)).toContain(`${name}.run: holds no checkpoint yet, so the run starts over.\n`);
    expect(code).toBe(0);
    expect(bytes(`${name}.onnx`).equals(bytes("a.onnx"))).toBe(true);
  });
});

describe("first weights", () => {
  const heads = ["--recipe", "ic-only", "--epochs", "1"];
  beforeAll(async () => {
    await train("static.onnx", "resnet20", "--data", data, "--recipe", "static", "--epochs", "1", ...SMALL);
  });
  const backbone = async (name: string) =>
    [...(await loadModel(at(name))).graph.initializers].filter(([key]) => !key.startsWith("exit"));

  it("of ic-only stay as they are, whether they come from a model or a checkpoint, or the model is trained further", async () => {
    const argv = ["--data", data, "--exits", "30,60", ...heads, "--batch", "20", "--workers", "0"];
    const narrow = ["resnet20", "--width", "0.13", ...argv];
    const fromModel = await train("heads1.onnx", ...narrow, "--init", at("static.onnx"));
    expect(fromModel.code).toBe(0);
    expect(told(fromModel.err)).toMatch(
      /^static\.onnx: \d+ of \d+ tensors taken; 5 start with new values \(exit0\.mix \.\.\.\)\n/,
    );
    const fromState = await train("heads2.onnx", ...narrow, "--init", at("static.run/checkpoint.safetensors"));
    expect(fromState.code).toBe(0);
    expect((await train("heads3.onnx", at("static.onnx"), ...argv)).code).toBe(0);
    for (const name of ["heads1.onnx", "heads2.onnx", "heads3.onnx"])
      expect(await backbone(name)).toEqual(await backbone("static.onnx"));
  });

  it("are needed for ic-only", async () => {
    const { code, err } = await train("x.onnx", "resnet20", "--data", data, ...heads, ...SMALL);
    expect(code).toBe(2);
    expect(err).toMatch(/does not change the backbone, and this one has random weights.*--init.*\[training\/config\]/);
  });

  it("of another network are refused", async () => {
    const wide = [
      "resnet20",
      "--data",
      data,
      ...heads,
      "--exits",
      "30",
      "--width",
      "0.2",
      "--batch",
      "20",
      "--workers",
      "0",
    ];
    const { code, err } = await train("x.onnx", ...wide, "--init", at("static.onnx"));
    expect(code).toBe(2);
    expect(told(err)).toMatch(
      /^error: static\.onnx: does not fit the network: "conv1\.weight" is float32\[2,3,3,3\] there and float32\[3,3,3,3\] here/,
    );
    const zoo = await train(
      "x.onnx",
      "resnet20",
      "--data",
      data,
      "--recipe",
      "joint",
      "--exits",
      "30",
      ...SMALL,
      "--init",
      "zoo:resnet20-joint",
    );
    expect([zoo.code, zoo.err]).toEqual([
      2,
      expect.stringMatching(/it has no tensor of this network|there and .* here/),
    ]);
  });
});
