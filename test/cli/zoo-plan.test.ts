/** @file `dynn zoo train --plan` measures networks of CIFAR-100: a frozen backbone, gates, attacked images. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { trainArguments } from "../../src/cli/zoo/arguments.js";
import { type ZooIndex, type ZooNetwork, zooIndexSchema } from "../../src/schema/zoo.js";
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
    gated: { ...base, recipe: "gates", runs: [{ ...run, gates: { target: 0.4 } }], init: "tiny" },
    robust: {
      ...base,
      recipe: "adversarial",
      runs: [{ ...run, exits: "30", attack: { steps: 1, weight: 1 } }],
      init: null,
    },
  } as const satisfies ZooIndex["networks"];
  writeFileSync(at("index.json"), JSON.stringify({ ...own, aliases: {}, networks }));
  const argv = ["heads", "gated", "robust", "--plan", "--index", at("index.json"), "--data", at(), "-o", at("out")];
  const { code, out, err } = await cli("zoo", "train", ...argv);
  expect([code, code === 0 ? "" : err]).toEqual([0, ""]);
  for (const name of ["heads", "gated", "robust"]) expect(out).toMatch(new RegExp(`\\n${name} +\\d+\\.\\d\\n`));
});

test("a run's attack and gates are options of dynn train, and its plan has them", async () => {
  const base = { tier: "demo", architecture: "resnet20", width: 1, data: "cifar10", init: null, result: null } as const;
  const run = { epochs: 2, threads: 1, seed: 1 };
  const attack = { radius: 0.03, stepSize: 0.04, steps: 1, weight: 1 };
  const robust: ZooNetwork = { ...base, recipe: "adversarial", runs: [{ ...run, attack }] };
  const gated: ZooNetwork = { ...base, recipe: "gates", runs: [{ ...run, gates: { target: 0.4, weight: 5 } }] };
  const place = { stem: "s", data: "d", init: undefined };
  expect(trainArguments(robust, place)[0]?.join(" ")).toContain(
    "--eps 0.03 --attack-step 0.04 --attack-steps 1 --attack-weight 1",
  );
  expect(trainArguments(gated, place)[0]?.join(" ")).toContain("--gates-target 0.4 --gates-weight 5");
});
