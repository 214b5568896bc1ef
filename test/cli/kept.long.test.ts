/** @file What `--keep` leaves in a folder, and that no run replaces the images of another. */
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { readNpy } from "../../src/data/npy.js";
import { cli, network, npyPair, type Ran, temporaryFolder } from "./support.js";

const folder = temporaryFolder();
const model = join(folder, "net.onnx");
writeFileSync(model, network());
const data = npyPair(folder, "data", { count: 40 });
const CALL = ["audit", model, "--data", data, "--threshold", "0.5", "--threads", "1", "--eps", "16/255"];

const keep = (place: string, ...more: readonly string[]): Promise<Ran> =>
  cli(...CALL, "--attacks", "fgsm,routed", "--radii", "0", "--keep", join(folder, place), ...more);

const arrayIn = (...path: readonly string[]) => readNpy(readFileSync(join(folder, ...path)), path.join("/"));
const manifestIn = (place: string) => JSON.parse(readFileSync(join(folder, place, "manifest.json"), "utf8"));
const digestsIn = (place: string) =>
  readdirSync(join(folder, place)).map((name) => [
    name,
    createHash("sha256")
      .update(readFileSync(join(folder, place, name)))
      .digest("hex"),
  ]);

describe("a folder of kept images", () => {
  test("holds images, labels, record numbers and a manifest", async () => {
    expect((await keep("one", "--samples", "24", "--seed", "4")).code).toBe(0);
    expect(readdirSync(join(folder, "one")).sort()).toEqual([
      ...["fgsm.json", "fgsm.npy", "indices.npy", "labels.npy", "manifest.json", "routed.json", "routed.npy"],
    ]);
    const images = arrayIn("one", "fgsm.npy");
    expect([images.dtype, images.dims]).toEqual(["float32", [24, 3, 8, 8]]);
    const pixels = images.data as Float32Array;
    expect([Math.min(...pixels) >= 0, Math.max(...pixels) <= 1]).toEqual([true, true]);
    const clean = arrayIn("data-x.npy").data as Float32Array;
    const moved = pixels.map((v, i) => Math.abs(v - clean[i]));
    expect(Math.max(...moved)).toBeCloseTo(16 / 255, 6);
    const whole = (values: number[]) => ({ dtype: "int64", dims: [24], data: BigInt64Array.from(values, BigInt) });
    expect(arrayIn("one", "labels.npy")).toEqual(whole([...Array(24).keys()].map((i) => i % 4)));
    expect(arrayIn("one", "indices.npy")).toEqual(whole([...Array(24).keys()]));
    const manifest = manifestIn("one");
    expect(manifest).toMatchObject({
      ...{ format: 1, seed: 4, image: [3, 8, 8], labels: "labels.npy", indices: "indices.npy" },
      model: { name: "net.onnx", sha256: createHash("sha256").update(readFileSync(model)).digest("hex") },
      data: { samples: 24 },
    });
    expect(manifest.attacks).toEqual([
      expect.objectContaining({ name: "fgsm", file: "fgsm.npy", norm: "linf", radius: 16 / 255, seed: 4, samples: 24 }),
      expect.objectContaining({ name: "routed", file: "routed.npy", goal: "routed", finished: true }),
    ]);
  });

  test("counts as the record does", async () => {
    const json = join(folder, "counts.json");
    expect((await keep("counts", "--json", json)).code).toBe(0);
    const { attacks } = JSON.parse(readFileSync(json, "utf8"));
    expect(manifestIn("counts").attacks).toEqual(
      attacks.map(({ name, samples, eligible, successes, parameters }: Record<string, unknown>) =>
        expect.objectContaining({ name, samples, eligible, successes, parameters }),
      ),
    );
  });

  test("has the images of every seed, and those of curves apart", async () => {
    const call = [...CALL, "--attacks", "pgd", "--radii", "8/255", "--curve-steps", "2", "--seeds", "2"];
    expect((await cli(...call, "--keep", join(folder, "seeds"))).code).toBe(0);
    const names = readdirSync(join(folder, "seeds")).filter((name) => name.endsWith(".npy"));
    expect(names.sort()).toEqual(["indices.npy", "labels.npy", "pgd.npy", "pgd_seed_1.npy"]);
    expect(readdirSync(join(folder, "seeds", "curves")).length).toBeGreaterThan(0);
    expect(manifestIn("seeds").attacks.map(({ file, seed }: Record<string, unknown>) => [file, seed])).toEqual([
      ["pgd.npy", 0],
      ["pgd_seed_1.npy", 1],
    ]);
    expect(arrayIn("seeds", "pgd.npy").data).not.toEqual(arrayIn("seeds", "pgd_seed_1.npy").data);
  });
});

describe("the same run again", () => {
  test("finds its images, and may add attacks and seeds", async () => {
    expect((await keep("again")).code).toBe(0);
    const before = new Map(digestsIn("again") as [string, string][]);
    expect((await keep("again", "--batch", "5", "--json", join(folder, "again.json"))).code).toBe(0);
    const more = [...CALL, "--attacks", "bim,routed", "--radii", "0", "--keep", join(folder, "again"), "--seeds", "2"];
    expect((await cli(...more)).code).toBe(0);
    for (const [name, digest] of digestsIn("again"))
      if (before.has(name) && name !== "manifest.json") expect([name, digest]).toEqual([name, before.get(name)]);
    expect(manifestIn("again").attacks.map(({ file }: { readonly file: string }) => file)).toEqual([
      ...["fgsm.npy", "routed.npy", "bim.npy", "bim_seed_1.npy", "routed_seed_1.npy"],
    ]);
  });
});

describe("another run", () => {
  const refused = async (place: string, ...more: readonly string[]): Promise<string> => {
    const before = digestsIn(place);
    const { code, out, err } = await keep(place, ...more);
    expect([code, out]).toEqual([2, ""]);
    expect(err).toMatch(/ Give another folder, or remove this one\. \[file\/other-run\]\n$/);
    expect(digestsIn(place)).toEqual(before);
    return err;
  };

  test("is refused before any work, and the difference is named", async () => {
    expect((await keep("mine")).code).toBe(0);
    expect(await refused("mine", "--seed", "1")).toContain("seed: 0 there, 1 in this call");
    expect(await refused("mine", "--samples", "8")).toContain(
      "data: npy:data-x.npy, 40 samples there, npy:data-x.npy, 8 samples",
    );
    expect(await refused("mine", "--eps", "8/255")).toMatch(/attack "fgsm": .*radius.* there, .*radius.* in this call/);
    expect(await refused("mine", "--threshold", "0.9")).toContain("options: ");
    const other = join(folder, "other.onnx");
    writeFileSync(other, network({ exits: 2 }));
    const { err } = await cli("audit", other, ...CALL.slice(2), "--attacks", "fgsm", "--keep", join(folder, "mine"));
    expect(err).toMatch(/SHA-256 of the model: [0-9a-f]{64} there, [0-9a-f]{64} in this call/);
  });

  test("is refused where files are not those of a run", async () => {
    mkdirSync(join(folder, "own"));
    writeFileSync(join(folder, "own", "labels.npy"), "mine");
    expect(await refused("own")).toContain("labels.npy is there, and no manifest.json says what it is");
    writeFileSync(join(folder, "own", "manifest.json"), '{"of": "something else"}');
    expect(await refused("own")).toContain("its manifest.json is not that of kept images");
  });

  test("is refused at the attack where only its images are there", async () => {
    expect((await keep("bare")).code).toBe(0);
    const manifest = manifestIn("bare");
    writeFileSync(
      join(folder, "bare", "manifest.json"),
      JSON.stringify({ ...manifest, run: { ...manifest.run, seed: "1" }, attacks: [] }),
    );
    const before = readFileSync(join(folder, "bare", "fgsm.npy"));
    const { code, err } = await keep("bare", "--seed", "1");
    expect([code, err]).toEqual([2, expect.stringContaining("fgsm.npy: holds images of another run")]);
    expect(readFileSync(join(folder, "bare", "fgsm.npy")).equals(before)).toBe(true);
  });

  test("two attacks of one file name are refused", async () => {
    const file = join(folder, "attacks.json");
    const attack = { method: "fgsm", radius: 0.1 };
    writeFileSync(file, JSON.stringify(["a b", "a_b"].map((name) => ({ name, ...attack }))));
    const { err } = await cli(...CALL.slice(0, -2), "--attack-file", file, "--keep", join(folder, "twins"));
    expect(err).toContain(
      'attacks "a b" and "a_b": their images would have one file, a_b.npy. Give one of them another name.',
    );
    rmSync(join(folder, "twins"), { recursive: true, force: true });
  });
});
