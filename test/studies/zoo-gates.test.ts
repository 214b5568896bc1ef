/** @file The card of a network with gates in the zoo: cost, open rates and baselines, counted again. */
import { expect, test } from "vitest";
import { inMemory, readImages } from "../../src/data/dataset.js";
import { costShareOf } from "../../src/dynamic/model/units.js";
import { route } from "../../src/dynamic/route/route.js";
import { Forward } from "../../src/dynamic/run/forward.js";
import { ortNode } from "../../src/node/ort-node/index.js";
import { zooIndexSchema } from "../../src/schema/zoo.js";
import { measureNetwork } from "../../src/studies/zoo/measure.js";
import { CLASSES, gatedImages, gatedModel, gatedSource } from "../support/gated.js";

const backend = ortNode({ threads: 1 });
const dataOf = (count: number, seed: number) => {
  const labels = Int32Array.from({ length: count }, (_, i) => (i * 7 + seed) % CLASSES);
  return inMemory({ name: `made${seed}`, shape: [3, 8, 8], classes: undefined, labels }, gatedImages(count, seed));
};
const [validation, test_] = [dataOf(60, 11), dataOf(50, 3)];
const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;

test.each([
  ["gates alone", [] as number[]],
  ["gates and exits", [1]],
])("%s: the card counts as the network routes", async (_name, exits) => {
  const still = { ...gatedModel({ plain: [0, 1, 2, 3] }), name: "still" };
  const measurement = { data: { validation, test: test_ }, backend, batch: 16, statics: [still] };
  const { gates, routed, policy, exits: measured } = await measureNetwork(gatedSource({ exits }), measurement);
  const model = gatedModel({ exits });
  const forward = await Forward.compile(model, { backend });
  const logits = await forward.logits(await readImages(test_), { batch: 16 });
  await forward.release();
  const frame = { rule: "max-softmax", thresholds: [], fallback: "final" } as const;
  const paths = route(logits, policy ?? frame);
  expect(gates?.cost).toBeCloseTo(mean(paths.map((path) => costShareOf(model, path))), 12);
  expect(gates?.test).toEqual({ right: paths.filter(({ label }, i) => label === test_.labels[i]).length, count: 50 });
  const met = paths.flatMap((path) => path.gates?.[3] ?? []);
  expect(gates?.gates[3]).toEqual({
    ...{ name: "block3", macs: model.gates[3].macs },
    openRate: met.length === 0 ? null : mean(met),
  });
  expect(gates?.baselines.map(({ kind }) => kind)).toEqual([
    "fixed-blocks",
    "most-open-blocks",
    "random-gates",
    "static",
  ]);
  // With early exits, the cost of the first goal is the cost of the card: both count gates.
  if (exits.length > 0) expect(routed[0].cost).toBeCloseTo(gates?.cost ?? 0, 12);
  expect(measured.at(-1)?.test.count).toBe(50);
  // The index holds these numbers.
  const result = {
    ...{
      file: { sha256: "0".repeat(64), bytes: 1, packedBytes: 1 },
      inGit: false,
      parameters: 1,
      exits: measured,
      routed,
    },
    ...{ gates, robust: [], curve: [], version: "test" },
    training: { seconds: 1, imagesPerSecond: 1, cpu: "made", cores: 1, memoryGiB: 1 },
  };
  const network = {
    ...{ architecture: "resnet56", width: 1, recipe: "gates", tier: "gates", data: "cifar10", init: null, result },
    runs: [{ epochs: 1, seed: 0, threads: 1 }],
  };
  const index = {
    schemaVersion: 1,
    data: { cifar10: { licence: "l", source: "s" }, cifar100: { licence: "l", source: "s" } },
    aliases: {},
    networks: { net: network },
  };
  expect(JSON.parse(JSON.stringify(zooIndexSchema.parse(index).networks.net.result?.gates))).toEqual(
    JSON.parse(JSON.stringify(gates)),
  );
  const unknown = { ...index, networks: { net: { ...network, baseline: "nowhere" } } };
  expect(zooIndexSchema.safeParse(unknown).error?.issues[0]).toMatchObject({ path: ["networks", "net", "baseline"] });
});

test("a network without gates has no such card", async () => {
  const measurement = { data: { validation, test: test_ }, backend, batch: 16 };
  expect(await measureNetwork(gatedSource({ plain: [0, 1, 2, 3], exits: [0] }), measurement)).not.toHaveProperty(
    "gates",
  );
});
