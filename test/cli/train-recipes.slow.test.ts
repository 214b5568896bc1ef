/** @file `dynn train` with every recipe, and with the settings that other tests leave alone; on a folder of images. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import sharp from "sharp";
import { beforeAll, describe, expect, it } from "vitest";
import { uniform } from "../../src/core/rng.js";
import { dynamicModel } from "../../src/dynamic/model/model.js";
import { ARCHITECTURES } from "../../src/nn/architectures.js";
import { loadModel } from "../../src/node/onnx-files.js";
import { writeModel } from "../../src/onnx/write.js";
import { runReference } from "../../src/runtime/reference.js";
import type { ModelCard } from "../../src/schema/model-card.js";
import { readCard } from "../../src/training/run/card.js";
import { cli, temporaryFolder } from "./support.js";

const folder = temporaryFolder();
const at = (name: string): string => join(folder, name);
const photos = at("photos");
const [CLASSES, EACH, SIDE] = [["cat", "dog", "emu"], 10, 16];

/** Noise around a grey of its own for each class, as a PNG. */
async function draw(label: number, i: number): Promise<void> {
  const grey = 60 + 60 * label;
  const noise = uniform({ seed: label, sample: i, purpose: "test", step: 0 }, SIDE * SIDE * 3, grey - 40, grey + 40);
  await sharp(Uint8Array.from(noise, Math.round), { raw: { width: SIDE, height: SIDE, channels: 3 } })
    .png()
    .toFile(join(photos, CLASSES[label], `${i}.png`));
}

beforeAll(async () => {
  for (const [label, name] of CLASSES.entries()) {
    mkdirSync(join(photos, name), { recursive: true });
    for (let i = 0; i < EACH; i++) await draw(label, i);
  }
});

const COMMON = ["--data", `folder:${photos}`, "--width", "0.13", "--epochs", "1", "--batch", "9", "--workers", "0"];

/** Train; the card in the file that was written. */
async function trained(out: string, ...argv: readonly string[]): Promise<ModelCard> {
  const { code, err } = await cli("train", ...argv, "-o", at(out));
  expect(err).toMatch(/epoch 1\/1 {2}loss \d/);
  expect(code).toBe(0);
  const { metadata } = await loadModel(at(out));
  expect(JSON.parse(metadata.get("dynn.classes") ?? "")).toEqual(CLASSES);
  return readCard(metadata, out) as ModelCard;
}

describe("dynn train on a folder of images", () => {
  it.each<[string, readonly string[], object, number]>([
    ["static", [], { exitWeights: "ramp", labelSmoothing: 0 }, 1],
    ["joint", ["--exits", "30,60", "--exit-weights", "0.25,0.5,2"], { exitWeights: [0.25, 0.5, 2] }, 3],
    ["joint", ["--exits", "50", "--exit-weights", "equal", "--decay-all"], { exitWeights: "equal", decayAll: true }, 2],
    [
      "distill",
      ["--exits", "50", "--temperature", "4", "--distill-weight", "0.7"],
      { distill: { temperature: 4, weight: 0.7 } },
      2,
    ],
    ...(["final", "average", "max"] as const).map((target): [string, readonly string[], object, number] => [
      "adversarial",
      ["--exits", "50", "--attack-target", target, "--attack-steps", "2", "--eps", "4/255", "--attack-weight", "0.4"],
      { adversarial: { radius: 4 / 255, stepSize: 2 / 255, steps: 2, target, weight: 0.4 } },
      2,
    ]),
  ])("by %s %j", async (recipe, argv, settings, exits) => {
    const card = await trained("one.onnx", "resnet20", "--recipe", recipe, ...COMMON, ...argv);
    expect(card.training).toMatchObject({ recipe, ...settings });
    expect(card.exits).toHaveLength(exits);
    expect(card.exits.at(-1)?.name).toBe("final");
  });

  it.each<[string, readonly string[], object, number]>([
    ["gates", ["--gates-target", "0.4", "--gates", "all"], { kind: "budget", target: 0.4, weight: 10 }, 8],
    ["skipnet", ["--gates-weight", "5"], { kind: "budget", target: 0.5, weight: 5 }, 6],
    ["blockdrop", [], { kind: "budget", target: 0.5 }, 6],
    ["act", ["--gates-weight", "0.01"], { kind: "ponder", weight: 0.01 }, 6],
  ])("by %s %j, from a network that is trained", async (recipe, argv, gates, count) => {
    await trained("static.onnx", "resnet20", "--recipe", "static", ...COMMON);
    const further = COMMON.filter((_, i) => COMMON[i] !== "--width" && COMMON[i - 1] !== "--width");
    const card = await trained("gated.onnx", at("static.onnx"), "--recipe", recipe, ...further, ...argv);
    expect(card.training).toMatchObject({ recipe, gates });
    const { graph, metadata } = await loadModel(at("gated.onnx"));
    const stated = JSON.parse(metadata.get("dynn.gates") ?? "") as readonly Record<string, string>[];
    expect(stated).toHaveLength(count);
    expect(card.gates?.map(({ name }) => name)).toEqual(stated.map(({ name }) => name));
    for (const { macs, validation } of card.gates ?? []) {
      expect(macs).toBeGreaterThan(0);
      expect(validation).toMatchObject({ open: expect.any(Number), count: card.data.validation.count });
    }
    // Reading folds BatchNormalization into convolutions, and the values keep their names.
    const read = dynamicModel({ graph, metadata }).graph;
    const made = new Set(read.nodes.flatMap((node) => node.outputs));
    for (const { name, ...values } of stated)
      for (const value of Object.values(values)) expect(made, `${name}: ${value}`).toContain(value);
    expect(read.nodes.some((node) => node.opType === "BatchNormalization")).toBe(recipe === "act");
  });

  it("refuses gates on random weights", async () => {
    const { code, err } = await cli("train", "resnet20", "--recipe", "gates", ...COMMON, "-o", at("none.onnx"));
    expect(code).toBe(2);
    expect(err).toContain("the recipe gates teaches a trained network to skip blocks");
  });

  // Its step has 9000 nodes, which ONNX Runtime takes ten seconds and more to prepare.
  it("trains MSDNet with the exits that it has", async () => {
    const card = await trained("msdnet.onnx", "msdnet", "--recipe", "joint", ...COMMON);
    expect(card.exits.map(({ name }) => name)).toEqual(["exit0", "exit1", "exit2", "final"]);
  }, 300_000);

  it("takes all that can be set of a step", async () => {
    const card = await trained(
      "all.onnx",
      ...[
        "resnet20",
        "--recipe",
        "static",
        ...COMMON,
        "--augment",
        "flip,crop-zero:2,cutout:4",
        "--optimizer",
        "adamw",
      ],
      ...["--schedule", "multi-step", "--label-smoothing", "0.1", "--clip", "1", "--ema", "0.9", "--lr", "0.002"],
    );
    expect(card.training).toMatchObject({
      optimizer: { kind: "adamw", weightDecay: 0.01 },
      schedule: { kind: "multi-step", peak: 0.002, milestones: [0.35, 0.6, 0.85] },
      augment: { flip: true, crop: { pad: 2, mode: "zero" }, cutout: 4 },
      ...{ labelSmoothing: 0.1, clipNorm: 1, ema: 0.9 },
    });
  });

  it.each(["ic-only", "ic-distill"])(
    "by %s, in the same bytes whether features are kept or made again",
    async (recipe) => {
      const base = at("base.onnx");
      await trained("base.onnx", "resnet20", "--recipe", "static", ...COMMON);
      const argv = ["resnet20", "--recipe", recipe, "--init", base, "--exits", "40,70", ...COMMON];
      await trained("kept.onnx", ...argv);
      await trained("again.onnx", ...argv, "--feature-memory", "1KiB");
      expect(readFileSync(at("again.onnx")).equals(readFileSync(at("kept.onnx")))).toBe(true);
    },
  );

  it("puts the mean and the deviation that are given in front of the network, and no others", async () => {
    const given = { mean: [0.5, 0.4, 0.3], std: [0.25, 0.2, 0.3] };
    const argv = ["--mean", given.mean.join(), "--std", given.std.join()];
    await trained("given.onnx", "resnet20", "--recipe", "static", ...COMMON, ...argv);
    const { normalization } = dynamicModel(await loadModel(at("given.onnx")));
    for (const key of ["mean", "std"] as const)
      normalization?.[key].forEach((value, channel) => expect(value).toBeCloseTo(given[key][channel], 6));
    const half = await cli(
      "train",
      "resnet20",
      "--recipe",
      "static",
      ...COMMON,
      "--mean",
      "0.5,0.5,0.5",
      "-o",
      at("x.onnx"),
    );
    expect(`${half.code} ${half.err}`).toMatch(/^2 error: --mean and --std: got 0\.5,0\.5,0\.5 and no std/);
  });

  it("leaves the answers of a file that normalises nothing as they were", async () => {
    const { graph } = ARCHITECTURES.resnet20.make({ classes: 3, imageSize: SIDE, width: 0.13, seed: 5 });
    writeFileSync(at("foreign.onnx"), writeModel({ graph }));
    const shared = COMMON.filter((_, i) => i < 2 || i > 3);
    await trained("foreign-exits.onnx", at("foreign.onnx"), "--recipe", "ic-only", "--exits", "50", ...shared);
    const images = {
      dtype: "float32",
      dims: [1, 3, SIDE, SIDE],
      data: new Float32Array(3 * SIDE * SIDE).fill(0.3),
    } as const;
    const [before, after] = [await loadModel(at("foreign.onnx")), await loadModel(at("foreign-exits.onnx"))].map(
      (file) => runReference(file.graph, { images }).logits?.data,
    );
    expect(after).toEqual(before);
    expect((await loadModel(at("foreign-exits.onnx"))).metadata.has("dynn.normalization")).toBe(false);
  });

  it("refuses a memory that is no size", async () => {
    const { code, err } = await cli(
      "train",
      "resnet20",
      "--recipe",
      "joint",
      ...COMMON,
      "--feature-memory",
      "2GB",
      "-o",
      at("x.onnx"),
    );
    expect(`${code} ${err}`).toMatch(/^2 error: --feature-memory: got "2GB", expected a size in B, KiB, MiB or GiB/);
  });
});
