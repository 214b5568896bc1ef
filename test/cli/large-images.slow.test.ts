/** @file Photographs of 224 x 224 through every command, with MobileNetV2 of random weights: the published one where memory counts, and one
 *  with an eighth of its channels elsewhere. */
import { mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import sharp from "sharp";
import { beforeAll, expect, test } from "vitest";
import { program } from "../../src/cli/run.js";
import { load } from "../../src/node/load.js";
import { ortNode } from "../../src/node/ort-node/index.js";
import { writeModel } from "../../src/onnx/write.js";
import { batchOf } from "../../src/studies/batch.js";
import { mobilenetV2 } from "../support/large-networks.js";
import { timeless } from "../support/timeless.js";
import { cli, temporaryFolder } from "./support.js";

const SIDE = 224;
const MIB = 2 ** 20;
const folder = temporaryFolder();
const at = (name: string): string => join(folder, name);
const [NET, THIN, STATIC, PHOTOS] = ["net.onnx", "thin.onnx", "static.onnx", "photos"].map(at);
const DATA = ["--data", `folder:${PHOTOS}`];
const json = (name: string) => JSON.parse(readFileSync(at(name), "utf8"));

/** A smooth background with shapes and the grain of a camera. */
async function photo(file: string, k: number): Promise<void> {
  const shapes = [0, 1, 2, 3].map((i) => {
    const [x, y, size] = [
      (37 * (i + 1) * (k + 3)) % SIDE,
      (53 * (i + 2) * (k + 1)) % SIDE,
      20 + ((29 * i * (k + 1)) % 60),
    ];
    return `<circle cx="${x}" cy="${y}" r="${size}" fill="hsl(${(k * 47 + i * 25) % 360},60%,${35 + 10 * i}%)"/>`;
  });
  const gradient = `<linearGradient id="g" x2="1" y2="1"><stop stop-color="hsl(${k * 31},40%,70%)"/><stop offset="1" stop-color="#334"/></linearGradient>`;
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${SIDE}" height="${SIDE}"><defs>${gradient}</defs><rect width="100%" height="100%" fill="url(#g)"/>${shapes.join("")}</svg>`;
  const size = { width: SIDE, height: SIDE, channels: 3 } as const;
  const grain = { create: { ...size, background: "#000", noise: { type: "gaussian", mean: 128, sigma: 12 } } } as const;
  const input = await sharp(grain).png().toBuffer();
  await sharp(Buffer.from(svg))
    .composite([{ input, blend: "soft-light" }])
    .flatten()
    .jpeg({ quality: 90 })
    .toFile(file);
}

async function run(...argv: readonly string[]): Promise<string> {
  const { code, out, err } = await cli(...argv);
  expect(code, err).toBe(0);
  return out;
}

const write = (file: string, exits: readonly number[], width: number): void =>
  writeFileSync(file, writeModel({ graph: mobilenetV2(exits)({ classes: 2, imageSize: SIDE, width }).graph }));

beforeAll(async () => {
  write(NET, [2, 4], 1);
  write(THIN, [2, 4], 1 / 8);
  write(STATIC, [], 1 / 8);
  for (const name of ["a", "b"]) mkdirSync(join(PHOTOS, name), { recursive: true });
  for (let k = 0; k < 60; k++) await photo(join(PHOTOS, k % 2 ? "a" : "b", `${k}.jpg`), k);
});

/** Runs `dynn serve` while `work` talks to it. */
async function serving(bundle: string, work: (url: string) => Promise<void>): Promise<void> {
  const stop = new AbortController();
  let heard = (_: string): void => {};
  const listening = new Promise<string>((resolve) => {
    heard = resolve;
  });
  const out = (text: string): void => {
    const [, url] = /listening on (\S+?)(?:,|\n)/.exec(text) ?? [];
    if (url) heard(url);
  };
  const dynn = await program({ signal: stop.signal, err: () => {}, out });
  const ended = dynn.parseAsync(["serve", bundle, "--port", "0"], { from: "user" });
  await work(await listening);
  stop.abort(new Error("the end"));
  await ended;
}

test("the batch of a study keeps a run below 1 GiB", async () => {
  const model = await load(NET);
  const backend = { ...ortNode(), freeMemory: () => 16 * 1024 * MIB };
  const forward = batchOf({ model, backend });
  const attack = batchOf({ model, backend, gradients: true });
  expect([forward.batch, attack.batch]).toEqual([64, 16]);
  for (const { bytes = 0 } of [forward, attack]) expect(bytes).toBeLessThan(1024 * MIB);
});

test("an audit chooses a batch by the memory and shows it, and its report with photographs stays small", async () => {
  writeFileSync(at("attacks.json"), JSON.stringify([{ name: "pgd", method: "pgd", radius: "8/255", steps: 3 }]));
  const few = [...DATA, "--samples", "4", "--threshold", "0.6", "--attack-file", at("attacks.json")];
  const out = await run("audit", NET, ...few, "--json", at("chosen.json"), "--report", at("report.html"));
  await run("audit", NET, ...few, "--json", at("given.json"), "--batch", "2");
  const [chosen, given] = [json("chosen.json"), json("given.json")];
  expect(chosen.memory).toMatchObject({ chosen: true });
  expect(chosen.memory.batch).toBeLessThanOrEqual(16);
  expect(given.memory).toMatchObject({ batch: 2, chosen: false });
  expect(timeless(given)).toEqual(timeless(chosen));
  const page = readFileSync(at("report.html"), "utf8");
  for (const shown of [out, page]) expect(shown).toMatch(/\d+, chosen: 49\.8 MB an image, \d+ MB a run/);
  expect(page.match(/<img /g)?.length).toBeGreaterThanOrEqual(3);
  expect(statSync(at("report.html")).size).toBeLessThan(MIB / 2);
});

test("a batch that no machine can hold is refused", async () => {
  const { code, err } = await cli("audit", NET, ...DATA, "--samples", "2", "--threshold", "0.6", "--batch", "1000000");
  expect(code).toBe(1);
  expect(err).toMatch(
    /net.onnx: a batch of 1000000 needs about [\d.]+ TB of memory, .* Give a batch of \d+ \(--batch\)\. \[memory\/batch\]/,
  );
});

test("calibrate, profile, export, classify and serve take the photographs", async () => {
  const calibrated = at("calibrated.onnx");
  const split = ["--samples", "4", "--validation-samples", "50", "--target", "budget:90%"];
  const chosen = await run(
    "calibrate",
    THIN,
    ...DATA,
    ...split,
    "--full",
    "-o",
    calibrated,
    "--json",
    at("calibration.json"),
  );
  expect(json("calibration.json").memory).toMatchObject({ batch: 64, chosen: true });
  expect(chosen).toMatch(/batch 64, chosen: [\d.]+ MB an image/);
  const short = ["--samples", "4", "--rounds", "1", "--rules", "max-softmax", "--batch", "1,4", "--full"];
  const timed = await run("profile", calibrated, ...DATA, ...short, "--json", at("profile.json"));
  expect(json("profile.json").memory).toMatchObject({ batch: 64, chosen: true });
  expect(timed).toMatch(/batch 64, chosen: [\d.]+ MB an image, [\d.]+ MB a run; for runs that are not timed/);
  await run("export", calibrated, ...DATA, "--format", "split", "--at", "0", "-o", at("split"));
  const classified = async (...more: readonly string[]): Promise<readonly number[]> => {
    const argv = ["classify", at("split"), `folder:${PHOTOS}`, "--samples", "4", "--json", "-", ...more];
    const { runs } = JSON.parse(await run(...argv)) as { runs: { answers: { label: number }[] }[] };
    return runs[0].answers.map(({ label }) => label);
  };
  const alone = await classified();
  expect(alone).toHaveLength(4);
  await serving(at("split"), async (url) => expect(await classified("--server", url)).toEqual(alone));
});

test("convert gives a network early exits in one epoch", async () => {
  const short = ["--epochs", "1", "--batch", "8", "--exits", "30", "--no-policy", "--workers", "0"];
  await run("convert", STATIC, ...DATA, ...short, "-o", at("converted.onnx"));
  expect((await load(at("converted.onnx"))).exits).toHaveLength(2);
});
