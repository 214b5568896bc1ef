/** @file The index that comes with dynn. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { sha256 } from "../../src/core/digest.js";
import { ARCHITECTURES } from "../../src/nn/architectures.js";
import { type TIERS, zooIndexSchema } from "../../src/schema/zoo.js";

const ZOO = resolve(import.meta.dirname, "../../zoo");
const index = zooIndexSchema.parse(JSON.parse(readFileSync(resolve(ZOO, "index.json"), "utf8")));
const entries = Object.entries(index.networks);

describe("zoo/index.json", () => {
  test.each(entries)("%s is named after its parts", (name, { architecture, width, data, recipe, tier, runs }) => {
    const parts =
      /^([a-z]+\d*)(?:-w([\d.]+))?-(cifar100?)-(static|joint|ic-only|adversarial|gates|act|blockdrop)(-dense)?(?:-g([\d.]+))?(?:-s(\d))?$/.exec(
        name,
      );
    expect(parts?.slice(1, 5)).toEqual([architecture, width === 1 ? undefined : String(width), data, recipe]);
    expect(parts?.[5] !== undefined).toBe(runs[0]?.exits === "every");
    expect(parts?.[6]).toBe(runs[0]?.backboneGradient?.toString());
    expect(parts?.[7] !== undefined).toBe(tier === "small");
    expect(Object.keys(ARCHITECTURES)).toContain(architecture);
    if (recipe === "joint" && tier === "small") expect(runs[0]?.seed).toBe(100 + Number(parts?.[7]));
  });

  test("every file in git is the one of the index, and no other file lies there", () => {
    const files = readdirSync(ZOO).filter((file) => file.endsWith(".onnx"));
    const stated = entries.filter(([, { result }]) => result?.inGit).map(([name]) => `${name}.onnx`);
    expect(files.sort()).toEqual(stated.sort());
    expect(files.length).toBeGreaterThanOrEqual(3);
    for (const file of files)
      expect(sha256(readFileSync(resolve(ZOO, file)))).toBe(
        index.networks[file.replace(/\.onnx$/, "")]?.result?.file.sha256,
      );
  });

  test("files in git stay under 150 MB packed", () => {
    const packed = entries.reduce((sum, [, { result }]) => sum + (result?.inGit ? result.file.packedBytes : 0), 0);
    expect(packed).toBeGreaterThan(0);
    expect(packed).toBeLessThan(150e6);
  });

  test("the small tier has three architectures, two data sets, three seeds and three recipes", () => {
    const of = (tier: (typeof TIERS)[number]) => entries.filter(([, network]) => network.tier === tier);
    // Static, joint, ic-only, and the last two with a head at every place; two factors on one network.
    expect(of("small")).toHaveLength(3 * 2 * 3 * 5 + 2 * 3);
    expect(of("paper")).toHaveLength(3 * 2 * 3);
    expect(existsSync(resolve(ZOO, "resnet20-cifar10-joint.onnx"))).toBe(true);
  });

  test("an entry that begins with a network of no entry, or an alias of nothing, is refused", () => {
    const [[name, network]] = entries;
    const init = { ...index, networks: { [name]: { ...network, init: "none" } }, aliases: {} };
    expect(zooIndexSchema.safeParse(init).error?.message).toContain("is not in the index");
    expect(zooIndexSchema.safeParse({ ...index, aliases: { a: "b" } }).error?.message).toContain("is not in the index");
    const evil = { ...index, networks: { "../x": network }, aliases: {} };
    expect(zooIndexSchema.safeParse(evil).error?.message).toContain("is not a valid name");
  });
});
