/** @file `dynn zoo info` of a network with gates: cost, open rates, and networks without decisions beside it. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type ZooIndex, zooIndexSchema } from "../../src/schema/zoo.js";
import { cli, temporaryFolder } from "./support.js";

const folder = temporaryFolder();
const before = process.env.DYNN_CACHE;
const own: ZooIndex = zooIndexSchema.parse(
  JSON.parse(readFileSync(resolve(import.meta.dirname, "../../zoo/index.json"), "utf8")),
);
const demo = own.networks["resnet20-cifar10-joint"];

beforeAll(() => {
  process.env.DYNN_CACHE = folder;
  mkdirSync(join(folder, "zoo"));
  const gates = {
    ...{ test: { right: 890, count: 1000 }, cost: 0.54 },
    gates: [
      { name: "stage1.block1", macs: 4_718_592, openRate: 0.25 },
      { name: "stage1.block2", macs: 4_718_592, openRate: null },
    ],
    baselines: [
      {
        ...{ kind: "most-open-blocks", about: "made up", open: ["stage1.block1"], test: { right: 870, count: 1000 } },
        ...{ cost: 0.55, onlyNetwork: 45, onlyBaseline: 25, p: 0.0224 },
      },
    ],
  };
  const made = { ...demo, recipe: "gates", tier: "gates", init: null, result: { ...demo?.result, routed: [], gates } };
  const index = zooIndexSchema.parse({ ...own, aliases: {}, networks: { "made-gates": made } });
  writeFileSync(join(folder, "zoo", "index.json"), JSON.stringify(index));
});
afterAll(() => {
  if (before === undefined) delete process.env.DYNN_CACHE;
  else process.env.DYNN_CACHE = before;
});

test("shows its cost, its open rates and its baselines", async () => {
  const { code, out } = await cli("zoo", "info", "made-gates");
  expect(code).toBe(0);
  expect(out).toContain("routed: 89.0 % (86.9-90.8) at 54.0 % of the cost");
  expect(out).toContain(
    "fixed blocks, the most open: 87.0 % (84.8-88.9) at 55.0 %; right alone: 45 with gates, 25 without, McNemar p 0.0224",
  );
  expect(out).toMatch(/stage1\.block1 +4\.7 M +25\.0 %/);
  expect(out).toMatch(/stage1\.block2 +4\.7 M +-/);
  const shown = JSON.parse((await cli("zoo", "info", "made-gates", "--json", "-")).out);
  expect(shown.result.gates.baselines[0].p).toBe(0.0224);
});

test("a network without gates has no such part", async () => {
  expect((await cli("zoo", "info", "resnet20-joint")).out).not.toContain("McNemar");
});
