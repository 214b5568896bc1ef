/** @file `dynn zoo` without training: what it lists, shows, fetches and verifies. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { fitTo, fitToNothing } from "../../src/cli/shared/terminal.js";
import { cli, temporaryFolder } from "./support.js";

const folder = temporaryFolder();
const before = process.env.DYNN_CACHE;
beforeAll(() => {
  process.env.DYNN_CACHE = join(folder, "cache");
});
afterAll(() => {
  if (before === undefined) delete process.env.DYNN_CACHE;
  else process.env.DYNN_CACHE = before;
});

describe("dynn zoo", () => {
  it("lists what is trained and what is not, as a table and as JSON", async () => {
    const { code, out } = await cli("zoo", "list");
    expect(code).toBe(0);
    expect(out).toMatch(/\nTier demo\n.*\nresnet20-cifar10-joint +88\.\d % +83\.7 % +39\.2 % +1\.\d +bundled\n/);
    expect(out).toMatch(/\n\d+ of \d+ networks are trained\.\n/);
    const small = JSON.parse((await cli("zoo", "list", "--tier", "small", "--json", "-")).out);
    expect(small).toHaveLength(96);
    expect(small.every((one: { tier: string }) => one.tier === "small")).toBe(true);
  });

  it("has a table of whole rows in 80 columns, and so has every network", async () => {
    fitTo({ columns: 80 });
    const { out } = await cli("zoo", "list").finally(fitToNothing);
    expect(out.split("\n").filter((line) => line.length > 80)).toEqual([]);
    expect(out.match(/^resnet20-cifar10-joint /gm)).toHaveLength(1);
    const trained = out.split("\n").filter((line) => / (bundled|cache|mirror|package|away)$/.test(line));
    expect(trained.length).toBeGreaterThan(10);
    for (const [name] of trained.slice(0, 6).map((line) => line.split(" "))) {
      fitTo({ columns: 80 });
      const { out: info } = await cli("zoo", "info", name).finally(fitToNothing);
      expect(info.match(/^exit +MACs +cost +validation +test$/gm)).toHaveLength(1);
      expect(info.split("\n").filter((line) => /^\S+ +[\d.]+ [kMG] /.test(line) && line.length > 80)).toEqual([]);
    }
  });

  it("shows a network under an earlier name: exits, thresholds, robust accuracy, the command that trains it", async () => {
    const { code, out } = await cli("zoo", "info", "resnet20-joint");
    expect(code).toBe(0);
    for (const part of [
      "also called resnet20-joint",
      "run: 14 epochs, seed 2, 2 threads, learning rate 0.2, weight decay 0.0005",
      "train it: dynn zoo train resnet20-cifar10-joint --data DIR",
      "rad 5 %: 83.7 %",
      "PGD, routed answer, 10 steps, Linf 1/255: 37.5 %",
    ])
      expect(out).toContain(part);
    expect(out).toMatch(/ MB, in git\nsha256 [0-9a-f]{64}\n/);
  });

  it("verifies the bundled files", async () => {
    const { code, out } = await cli("zoo", "verify");
    expect(code).toBe(0);
    expect(out).toMatch(/^resnet20-cifar10-joint: SHA-256 as in the index$/m);
    expect(out).toMatch(/^\d+ verified\.$/m);
  });

  it.each([
    [["zoo", "info", "resnet21"], "zoo/unknown"],
    [["zoo", "get", "vgg16-cifar100-joint"], "zoo/missing"],
    [["zoo", "train", "--data", "x"], "cli/usage"],
    [["zoo", "train", "--tier", "tiny", "--data", "x"], "cli/value"],
    [["zoo", "lst"], "cli/usage"],
    [["zoo", "list", "--tiers"], "cli/usage"],
    [["zoo", "info", "resnet20-joint", "--json", "/nowhere/x.json"], "file/unwritable"],
    [["zoo", "train", "resnet20-cifar10-static-s1", "--data", "/nowhere"], "data/missing"],
  ])("%s is refused with %s", async (argv, error) => {
    mkdirSync(join(folder, "cache"), { recursive: true });
    const { code, err } = await cli(...argv);
    expect(err).toContain(`[${error}]`);
    expect(code).toBe(2);
    if (argv[1] === "list") expect(err).toContain("dynn zoo list --help");
  });
});
