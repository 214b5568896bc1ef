/** @file Tiny networks and a tiny CIFAR-10 archive for tests of training: the index of a zoo, and a study file. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { uniform } from "../../src/core/rng.js";
import type { StudyFileInput } from "../../src/schema/study/file.js";
import { type ZooIndex, zooIndexSchema } from "../../src/schema/zoo.js";

/** Records of a CIFAR-10 archive: a label and 3072 bytes each, brighter for higher labels. */
export function tinyRecords(count: number, seed: number): Uint8Array {
  const noise = uniform({ seed, sample: 0, purpose: "test", step: 0 }, count * 3072);
  return Uint8Array.from({ length: count * 3073 }, (_, i) => {
    const [record, place] = [Math.floor(i / 3073), i % 3073];
    const label = (record * 7 + seed) % 10;
    return place === 0 ? label : Math.floor(100 * (noise[record * 3072 + place - 1] ?? 0) + 15 * label);
  });
}

/** Writes an archive of 300 training records. */
export function writeTinyArchive(folder: string, test = 60): void {
  mkdirSync(folder, { recursive: true });
  for (let i = 1; i <= 5; i++) writeFileSync(join(folder, `data_batch_${i}.bin`), tinyRecords(60, i));
  writeFileSync(join(folder, "test_batch.bin"), tinyRecords(test, 9));
}

const own: ZooIndex = zooIndexSchema.parse(
  JSON.parse(readFileSync(join(import.meta.dirname, "../../zoo/index.json"), "utf8")),
);
const base = { tier: "small", architecture: "resnet20", width: 0.13, data: "cifar10", result: null } as const;
const run = { epochs: 2, threads: 1, batch: 20 };

/** A network of two runs, heads on it, and a joint one. */
export const TINY_INDEX = {
  ...own,
  aliases: {},
  networks: {
    "tiny-heads": { ...base, recipe: "ic-only", runs: [{ ...run, seed: 1, exits: "30,60" }], init: "tiny" },
    tiny: {
      ...base,
      recipe: "static",
      runs: [
        { ...run, seed: 1 },
        { ...run, seed: 2 },
      ],
      init: null,
    },
    "tiny-joint": { ...base, recipe: "joint", runs: [{ ...run, seed: 3, exits: "30,60" }], init: null },
  },
} as const satisfies ZooIndex;

/** The same networks as recipes of a study of some attacks.
 * @param archive folder of the archive
 * @param epochs of each run */
export function tinyStudy(archive: string, epochs: number = run.epochs): StudyFileInput {
  const recipes = Object.entries(TINY_INDEX.networks).map(([name, { architecture, width, recipe, runs, init }]) => [
    name,
    {
      ...{ architecture, width, recipe, data: "tiny", runs: runs.map((each) => ({ ...each, epochs })) },
      ...(init === null ? {} : { init: `recipe:${init}` }),
    },
  ]);
  return {
    ...{ name: "tiny", samples: 20, checkSamples: 5, validation: 60, timing: false, questions: ["C1", "C3"] },
    data: { tiny: { records: `cifar10:${archive}` } },
    recipes: Object.fromEntries(recipes),
    blocks: [
      {
        ...{ cell: "tiny", data: "tiny" },
        networks: { static: "recipe:tiny", joint: "recipe:tiny-joint", "ic-only": "recipe:tiny-heads" },
      },
    ],
    attacks: [
      { name: "pgd", uses: ["transfer", "cost"], method: "pgd", radius: "8/255", steps: 3, iterate: "last" },
      { name: "noise", uses: ["control", "cost"], method: "sign-noise", radius: "8/255" },
      { name: "slowdown", on: "dynamic", uses: ["slowdown"], goal: "slowdown", radius: "4/255", steps: 3 },
      { name: "large", uses: ["check"], method: "pgd", radius: 0.5, steps: 3 },
    ],
  };
}
