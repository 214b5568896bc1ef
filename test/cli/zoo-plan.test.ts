/** @file `dynn zoo train --plan` measures a network of CIFAR-100 whose backbone is frozen. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { type ZooIndex, zooIndexSchema } from "../../src/schema/zoo.js";
import { cli, temporaryFolder } from "./support.js";

const folder = temporaryFolder();

/** Records of CIFAR-100: a coarse label, a label and 3072 bytes each. */
const records = (count: number, seed: number): Uint8Array =>
  Uint8Array.from({ length: count * 3074 }, (_, i) => {
    const [record, place] = [Math.floor(i / 3074), i % 3074];
    return place < 2 ? record % [20, 100][place] : (Math.imul(i + seed, 2654435761) >>> 8) % 256;
  });

const own: ZooIndex = zooIndexSchema.parse(
  JSON.parse(readFileSync(join(import.meta.dirname, "../../zoo/index.json"), "utf8")),
);

test("has stand-in weights for as many classes as the data", async () => {
  const at = (name = ""): string => join(folder, name);
  writeFileSync(at("train.bin"), records(200, 1));
  writeFileSync(at("test.bin"), records(100, 2));
  const run = { epochs: 2, threads: 1, batch: 20, seed: 1 };
  const base = { tier: "small", architecture: "resnet20", width: 0.13, data: "cifar100", result: null } as const;
  const networks = {
    tiny: { ...base, recipe: "static", runs: [run], init: null },
    heads: { ...base, recipe: "ic-only", runs: [{ ...run, exits: "30,60" }], init: "tiny" },
  } as const satisfies ZooIndex["networks"];
  writeFileSync(at("index.json"), JSON.stringify({ ...own, aliases: {}, networks }));
  const argv = ["heads", "--plan", "--index", at("index.json"), "--data", at(), "-o", at("out")];
  const { code, out, err } = await cli("zoo", "train", ...argv);
  expect([code, code === 0 ? "" : err]).toEqual([0, ""]);
  expect(out).toMatch(/\nheads +\d+\.\d\n/);
});
