/** @file The first hour of four newcomers, as commands in a folder where dynn was installed from its tarball: an engineer with photos, a
 *  researcher, a developer and a student. Each walk prints the time of its commands. Nothing is taken from the repository but the tarball
 *  and the packages that npm would install. Runs on what `npm run build` made. */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ROOT } from "./documents.js";
import { makeStranger, type Stranger } from "./stranger.js";

/** The first words of what a conversion says: a saving with its price, or why there is none. */
const VERDICT = /^(?:At batch 1: .* as fast|No faster network: )/m;

let stranger: Stranger;
const times: string[] = [];
const at = (...parts: readonly string[]): string => join(stranger.folder, ...parts);

beforeAll(async () => {
  stranger = await makeStranger();
  // The tarball takes the place of the link to the repository, and the repository's files go.
  execFileSync("npm", ["pack", "--silent", "--ignore-scripts", "--pack-destination", stranger.folder], { cwd: ROOT });
  const [tarball] = readdirSync(stranger.folder).filter((name) => name.endsWith(".tgz"));
  execFileSync("rm", ["-rf", "node_modules", "zoo", "samples", "examples", "bin"], { cwd: stranger.folder });
  mkdirSync(at("node_modules/.bin"), { recursive: true });
  execFileSync("tar", ["xzf", tarball, "-C", "node_modules"], { cwd: stranger.folder });
  execFileSync("mv", ["node_modules/package", "node_modules/dynn"], { cwd: stranger.folder });
  for (const name of readdirSync(join(ROOT, "node_modules")))
    if (name !== "dynn" && !name.startsWith("."))
      symlinkSync(join(ROOT, "node_modules", name), at("node_modules", name));
  symlinkSync(at("node_modules/dynn/dist/cli/main.js"), at("node_modules/.bin/dynn"));
  execFileSync("chmod", ["+x", "node_modules/dynn/dist/cli/main.js"], { cwd: stranger.folder });
});
afterAll(() => {
  if (times.length > 0) console.log(`seconds of each command\n${times.join("\n")}`);
  stranger?.remove();
});

/** One command of a walk, as it is typed. */
async function walk(line: string): Promise<string> {
  const start = performance.now();
  const out = await stranger.run("bash", ["-euo", "pipefail", "-c", line]);
  times.push(`${((performance.now() - start) / 1000).toFixed(1).padStart(6)}  ${line}`);
  return out;
}

/** The commands take seconds, and more on a busy machine. */
const LONG = { timeout: 240_000 };

describe("the engineer with photos and a static network", LONG, () => {
  test("looks at the photos: the whole folder, without a size", async () => {
    const out = await walk("npx dynn classify zoo:resnet20-joint photos photo.png");
    expect(out).toContain("1 of 21 images were brought to 32x32: short side resized, centre cut out");
    expect(out).toContain("resnet20-joint, 21 images: 21 files");
  });

  test("forgets a scheme and a prefix, and is told", async () => {
    const told = (line: string) => stranger.run("bash", ["-c", `${line} 2>&1 || true`]);
    expect(await told("npx dynn audit zoo:resnet20-joint --data photos")).toContain("Did you mean folder:photos?");
    expect(await told("npx dynn inspect resnet20-static")).toContain("Did you mean zoo:resnet20-static?");
    expect(await told("npx dynn calibarte model.onnx")).toContain("Did you mean calibrate?");
  });

  test("measures the network on the photos, and exports it", async () => {
    const out = await walk("npx dynn audit model.onnx --data folder:photos --attacks fgsm --radii 0 --threshold 0.8");
    expect(out).toContain("folder:photos");
    await walk("npx dynn export model.onnx --format conditional --samples 16 -o early.onnx");
    expect(existsSync(at("early.onnx"))).toBe(true);
  });
});

describe("the engineer, on an own network of one exit", LONG, () => {
  test("converts it with the defaults, and reads what came of it", async () => {
    const out = await walk("npx dynn convert zoo:resnet20-static --data sample -o faster.onnx");
    expect(out).toMatch(VERDICT);
    expect(existsSync(at("faster.onnx"))).toBe(true);
    expect(existsSync(at("faster.run/report.html"))).toBe(true);
  });

  test("profiles it, and gets the verdict first", async () => {
    const out = await walk("npx dynn profile faster.onnx --data sample --samples 64 --rounds 1");
    expect(out).toMatch(/^At batch 1: (?:slower, )?(?:[\d.]+x as fast|unsure)/m);
    expect(out).toContain("the heads learned from 350 records of it");
  });
});

describe("the researcher", LONG, () => {
  test("compares two attacks over two seeds, in a table for a paper, and keeps the images", async () => {
    const line =
      "npx dynn audit zoo:resnet20-joint --samples 16 --attacks pgd,fgsm --eps 2/255 --seeds 2 --radii 0 --table t.tex --keep images";
    await walk(line);
    const table = readFileSync(at("t.tex"), "utf8");
    for (const word of ["pgd", "fgsm", "worst"]) expect(table).toContain(word);
    for (const name of ["labels.npy", "indices.npy"]) expect(existsSync(at("images", name))).toBe(true);
  });

  test("asks for no attack, and gets the clean numbers alone", async () => {
    const out = await walk("npx dynn audit zoo:resnet20-joint --samples 16 --attacks none");
    expect(out).not.toContain("pgd");
  });

  test("audits a network under an attack of fixed parameters, and reads the record", async () => {
    const attack = { name: "pgd", goal: "misclassify:final", method: "pgd", norm: "linf", radius: "1/255", steps: 5 };
    writeFileSync(at("attacks.json"), JSON.stringify([attack]));
    await walk("npx dynn audit zoo:resnet20-joint --samples 16 --attack-file attacks.json --radii 0 --json audit.json");
    const record = JSON.parse(readFileSync(at("audit.json"), "utf8")) as { attacks: { name: string }[] };
    expect(record.attacks.map(({ name }) => name)).toEqual(["pgd"]);
  });
});

describe("the developer", LONG, () => {
  test("runs the program of README, and every example that is in the package", async () => {
    const [program] = [...readFileSync(at("node_modules/dynn/README.md"), "utf8").matchAll(/```ts\n([\s\S]*?)```/g)];
    writeFileSync(at("program.mjs"), program[1]);
    expect(await walk("node program.mjs")).toMatch(/^\w+ by \w+, at \d+ % of the work\n$/);
    for (const name of ["own-attack.mjs 8", "audit-your-model.mjs zoo:resnet20-joint sample 8"])
      expect(await walk(`node node_modules/dynn/examples/${name}`)).not.toBe("");
  });

  test("finds the networks and the documents of the package", async () => {
    const program = `
      import { existsSync } from "node:fs"; import { fileURLToPath } from "node:url";
      for (const name of ["dynn/zoo/resnet20-joint.onnx", "dynn/zoo/resnet20-static.onnx", "dynn/zoo/index.json"])
        if (!existsSync(fileURLToPath(import.meta.resolve(name)))) throw new Error(name);`;
    writeFileSync(at("resolve.mjs"), program);
    await stranger.run(process.execPath, ["resolve.mjs"]);
    for (const name of ["README.md", "in-a-service.md", "early-exits.md", "pictures/exits.svg"])
      expect(existsSync(at("node_modules/dynn/docs", name))).toBe(true);
  });
});

describe("the student", LONG, () => {
  test("sees every exit, and slows a photo down", async () => {
    expect(await walk("npx dynn classify zoo:resnet20-joint photo.png --exits")).toContain("< stops");
    const out = await walk("npx dynn attack zoo:resnet20-joint photo.png --goal slowdown -o out.png");
    expect(out).toContain("After, it runs to its end");
    expect(existsSync(at("out.png"))).toBe(true);
  });

  test("trains exits that are above chance, as README says", async () => {
    const readme = readFileSync(at("node_modules/dynn/README.md"), "utf8");
    const [line = ""] = readme.match(/^dynn train zoo:.*$/m) ?? [];
    const out = await walk(`npx ${line}`);
    const shares = [...out.matchAll(/^(?:exit\d|final) .* %\s+([\d.]+) %/gm)].map(([, share]) => Number(share));
    expect(shares).toHaveLength(3);
    expect(Math.min(...shares)).toBeGreaterThanOrEqual(40);
  });
});
