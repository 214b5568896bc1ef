/** @file `dynn attack` and `dynn classify --exits`. What they say is checked with an executor on the written image. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import sharp from "sharp";
import { describe, expect, it } from "vitest";
import type { ExitAnswer } from "../../src/dynamic/route/exit-answers.js";
import { createExecutor } from "../../src/dynamic/run/executor/index.js";
import { openDataset } from "../../src/node/data/open.js";
import { readImage } from "../../src/node/data/read-image.js";
import { load } from "../../src/node/load.js";
import { ortNode } from "../../src/node/ort-node/index.js";
import { cli, temporaryFolder } from "./support.js";

const folder = temporaryFolder();
const at = (name: string) => join(folder, name);
const NET = "zoo:resnet20-joint";
const model = await load(NET);
const executor = await createExecutor(model, { backend: ortNode({ threads: 1 }) });
/** A bundled automobile that stops at an early exit. */
const RECORD = 3;

interface Written {
  readonly label: number;
  readonly eligible: boolean;
  readonly success: boolean;
  readonly changed: number;
  readonly before: readonly ExitAnswer[];
  readonly after: readonly ExitAnswer[];
  readonly out: string | null;
}

async function attacked(goal: string, out: string, ...more: readonly string[]): Promise<Written> {
  const args = ["sample", "--record", String(RECORD), "--goal", goal, "-o", at(out), "--threads", "1", ...more];
  const ran = await cli("attack", NET, ...args, "--json", "-");
  expect(ran).toMatchObject({ code: 0, err: "" });
  return JSON.parse(ran.out) as Written;
}

/** The bytes of the clean image, as the sample holds them. */
async function cleanPixels(): Promise<Float32Array> {
  const pixels = new Float32Array(3072);
  await (await openDataset("sample")).read([RECORD], pixels);
  return pixels;
}

describe("dynn attack", () => {
  it("slowdown: the written image makes the network run to its end", async () => {
    const { success, before, after, changed } = await attacked("slowdown", "slow.png");
    const image = await readImage(at("slow.png"), model);
    const [answer] = await executor.classify(image);
    expect([success, answer?.exitName]).toEqual([true, "final"]);
    expect(after.find(({ stops }) => stops)?.exit).toBe("final");
    expect(before.find(({ stops }) => stops)?.exit).not.toBe("final");
    const clean = await cleanPixels();
    const most = Math.max(...clean.map((v, i) => Math.abs(v - image.data[i])));
    expect(most).toBeCloseTo(changed, 6);
    expect(most).toBeLessThanOrEqual(8 / 255 + 1e-6);
    const meta = await sharp(at("slow.png")).metadata();
    expect([meta.format, meta.width, meta.height, meta.channels]).toEqual(["png", 32, 32, 3]);
  });

  it("wrong: the written image is answered wrongly", async () => {
    const { success, label } = await attacked("wrong", "wrong.png", "--eps", "4/255");
    const [answer] = await executor.classify(await readImage(at("wrong.png"), model));
    expect([success, answer?.label === label]).toEqual([true, false]);
  });

  it("early: the routed answer is wrong, and the final exit stays right", async () => {
    const { success, label, after } = await attacked("early", "early.png");
    const [answer] = await executor.classify(await readImage(at("early.png"), model));
    expect([success, after.at(-1)?.label]).toEqual([true, label]);
    expect(answer?.exitName).not.toBe("final");
    expect(answer?.label).not.toBe(label);
  });

  it("says in sentences what happened, and repeats itself", async () => {
    const args = ["attack", NET, "sample", "--record", String(RECORD), "--goal", "slowdown", "--threads", "1"];
    const [one, two] = [await cli(...args, "-o", at("a.png")), await cli(...args, "-o", at("b.png"))];
    expect(one.out).toMatch(/Before, the network stops at exit\d and answers automobile, at [\d.]+ % of the cost\.\n/);
    expect(one.out).toMatch(/After, it runs to its end and answers \w+, at 100\.0 % of the cost\.\n/);
    expect(one.out).toContain("The attack reached its goal: no early exit is confident enough");
    expect(readFileSync(at("a.png")).equals(readFileSync(at("b.png")))).toBe(true);
    expect(two.out.replace("b.png", "a.png")).toBe(one.out);
  });

  it("an attack that does not reach its goal says so, and one without work writes nothing", async () => {
    const weak = await cli(
      "attack",
      NET,
      "sample",
      "--record",
      String(RECORD),
      "--goal",
      "slowdown",
      "--eps",
      "0",
      "-o",
      at("weak.png"),
    );
    expect(weak.out).toContain("The attack did not reach its goal. A larger --eps or more --steps may.");
    const idle = await cli("attack", NET, at("slow.png"), "--goal", "slowdown", "-o", at("idle.png"));
    expect(idle.out).toContain("Nothing to attack: on this image the network runs to its end already");
    expect(existsSync(at("idle.png"))).toBe(false);
  });

  it("refuses a record, a label and a goal that are not there", async () => {
    const refused = async (...more: readonly string[]) =>
      (await cli("attack", NET, "sample", ...more, "-o", at("x.png"))).err;
    expect(await refused("--record", "500")).toContain("has 500 images, and record 500 was asked for");
    expect(await refused("--label", "automobil")).toContain("Did you mean automobile?");
    expect(await refused("--goal", "slow")).toContain(
      "expected one of wrong, early, slowdown. Write e.g. --goal slowdown",
    );
    const single = await cli("attack", "zoo:resnet20-static", "sample", "--goal", "slowdown", "-o", at("x.png"));
    expect(single.code).toBe(1);
    expect(existsSync(at("x.png"))).toBe(false);
  });
});

describe("dynn classify --exits", () => {
  it("shows what every exit answers, and marks where the network stops", async () => {
    await attacked("wrong", "photo.png", "--eps", "1/255");
    const { out } = await cli("classify", NET, at("photo.png"), "--exits");
    const [answer] = await executor.classify(await readImage(at("photo.png"), model));
    const rows = out
      .slice(out.indexOf("Every exit"))
      .split("\n")
      .filter((line) => /^(exit\d|final)/.test(line));
    expect(rows).toHaveLength(7);
    const stops = rows.filter((row) => row.includes("< stops"));
    expect(stops.map((row) => row.split(/\s+/)[0])).toEqual([answer?.exitName]);
    expect(stops[0]).toContain(`${answer?.className}`);
  });

  it("needs a model, and is JSON on request", async () => {
    await cli("export", NET, "--format", "staged", "-o", at("staged"), "--samples", "16");
    const { code, err } = await cli("classify", at("staged"), "sample", "--samples", "1", "--exits");
    expect([code, err]).toEqual([2, expect.stringContaining("--exits: needs a model, but")]);
    const { out } = await cli("classify", NET, "sample", "--samples", "2", "--exits", "--json", "-");
    const { runs } = JSON.parse(out) as { runs: { answers: { exit: string; everyExit: ExitAnswer[] }[] }[] };
    for (const { exit, everyExit } of runs[0].answers) expect(everyExit.find(({ stops }) => stops)?.exit).toBe(exit);
  });
});
