/** @file The page in a browser: its stories, attacks, thresholds, links and files, on any host and without any other. */
import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { gzipSync } from "node:zlib";
import axe from "axe-core";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { STORIES } from "../../playground/src/page/stories.js";
import { emptyGraph } from "../../src/graph/op.js";
import {
  dynamicModel,
  Forward,
  GraphBuilder,
  load,
  openDataset,
  ortNode,
  readImages,
  readModel,
  route,
  writeModel,
} from "../../src/node/index.js";
import { createPlayServer } from "../../src/node/play/server.js";
import { gatedSource } from "../support/gated.js";
import { serveFolder } from "./host.js";
import {
  attackEnd,
  type Bench,
  findChromium,
  openAgain,
  openBench,
  openPage,
  SHOTS,
  visit,
  type Watched,
  WITHOUT,
} from "./page.js";
import { ATTACKS, apart, attackInPage, attacksInNode, firstKink, workerOf } from "./parity.js";

const ZOO = resolve(import.meta.dirname, "../../zoo");
const JOINT = join(ZOO, "resnet20-cifar10-joint.onnx");
/** Bytes of all scripts after gzip. Those of WebGPU are behind its switch. */
const MOST_SCRIPT = 250_000;

/** Most distance of two images that count as the same, in one value. */
const NEAR = 1e-4;
/** Most that the two builds of ONNX Runtime differ in the input of a ReLU. */
const ROUNDING = 1e-5;

/** Most milliseconds of one test. A busy machine takes ten times as long as a quiet one. */
const PATIENCE_MS = 180_000;

const chromium = findChromium();

describe.skipIf(!chromium)(
  `the playground in a browser${chromium ? "" : ` (skipped: ${WITHOUT})`}`,
  { timeout: PATIENCE_MS },
  () => {
    let bench: Bench;
    /** The page that most tests share: its engine is loaded once. The tests that open a file of their own come last. */
    let shared: Watched;
    beforeAll(async () => {
      bench = await openBench(chromium as string);
      shared = await openPage(bench);
    });
    afterAll(() => bench?.close());

    test("a stranger makes the network think the whole way for a cat with one click, offline and without isolation", async () => {
      const { page, problems } = shared;
      expect(await page.evaluate(() => crossOriginIsolated)).toBe(false);
      await page.waitForSelector(".numbers");
      await page.context().setOffline(true);
      await eventually(() => page.textContent("#stage-title")).toContain("This is a cat");
      expect(await page.textContent(".answer")).toMatch(/cat at exit 2 of 7/);
      await page.click("button.primary:has-text('Make it think the whole way')");
      await attackEnd(page);
      expect(await page.textContent(".answer")).toContain("after the whole way");
      expect(await page.textContent(".result")).toContain("Reached: it thought the whole way");
      expect(await page.textContent(".cost")).toMatch(/100 % of the cost · 40\.6 M of 40\.6 M MACs/);
      expect(problems).toEqual([]);
      await page.context().setOffline(false);
    });

    test.each(STORIES)("the link of the story $id shows what it promises, at two widths", async (story) => {
      const { page, problems } = await visit(shared, `#story=${story.id}&${story.place}`);
      await eventually(() => page.textContent("h1")).toBe(story.title);
      await eventually(() => page.locator(".goal .verdict").allTextContents()).toEqual(VERDICTS[story.id]);
      await eventually(() => page.textContent(".answer")).toMatch(/^Answers/);
      await page.waitForSelector(".curve svg");
      for (const size of SIZES) {
        await page.setViewportSize(size);
        expect(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth)).toBe(true);
        if (process.env.DYNN_SHOTS) await takeShots(page, `${story.id}-${size.width}`);
      }
      expect(problems).toEqual([]);
    });

    test("no page has a violation that axe finds", async () => {
      const { page } = await visit(shared, "#image=156&goal=early&run=all");
      await attackEnd(page);
      await page.locator("details").evaluateAll((all) => all.forEach((one) => one.setAttribute("open", "")));
      await page.evaluate(axe.source);
      for (const size of SIZES) {
        await page.setViewportSize(size);
        await page.emulateMedia({ colorScheme: "light", reducedMotion: "reduce" });
        expect(await violations(page)).toEqual([]);
        // The schemes differ in colours alone.
        await page.emulateMedia({ colorScheme: "dark", reducedMotion: "reduce" });
        expect(await violations(page, ["color-contrast"])).toEqual([]);
      }
    });

    test("the keyboard alone attacks, and goes back through the steps", async () => {
      const { page } = await visit(shared, "#image=156");
      await page.locator("button.primary").first().focus();
      await page.keyboard.press("Enter");
      await attackEnd(page);
      const slider = page.getByLabel("Step of the attack");
      await slider.focus();
      const last = Number(await slider.inputValue());
      expect(last).toBeGreaterThan(3);
      await page.keyboard.press("ArrowLeft");
      await eventually(() => slider.inputValue()).toBe(String(last - 1));
      await page.keyboard.press("Home");
      await eventually(() => page.textContent(".result")).toContain("This is the clean image");
      expect(await page.textContent(".answer")).toMatch(/cat at exit 2 of 7/);
    });

    test("the thresholds move the accuracy and the cost of all images, as route says", async () => {
      const { page } = await visit(shared, "#image=156&thresholds=0.5,0.5,0.5,0.5,0.5,0.5");
      const { right, cost } = await routedInNode(0.5);
      const shown = page.locator(".numbers");
      await eventually(() => shown.textContent()).toContain(`${(100 * right).toFixed(1)} % right`);
      expect(await shown.textContent()).toContain(`${(100 * cost).toFixed(1)} % of the cost`);
      await page.locator(".thresholds input[type=range]").fill("1");
      await eventually(() => shown.textContent()).toContain("100.0 % of the cost");
    });

    test("a link restores image, attack, thresholds and step", async () => {
      const { page } = await visit(
        shared,
        "#image=33&goal=early&radius=4/255&seed=3&thresholds=0.6,0.6,0.6,0.6,0.6,0.6&run=early",
      );
      await attackEnd(page);
      await page.getByLabel("One step back").click();
      await eventually(() => page.url()).toContain("frame=");
      const before = await page.evaluate(snapshot);
      await openAgain(shared);
      await attackEnd(page);
      await eventually(() => page.evaluate(snapshot)).toEqual(before);
    });

    test("a link holds an image of the reader's own", async () => {
      const { page } = await visit(shared, "#image=156");
      await page
        .getByLabel("A picture of your own")
        .setInputFiles({ name: "drawn.svg", mimeType: "image/svg+xml", buffer: Buffer.from(DRAWN) });
      await eventually(() => page.url()).toContain("pixels=");
      await eventually(() => page.textContent("#stage-title")).toContain("drawn.svg");
      const before = await page.evaluate(snapshot);
      await openAgain(shared);
      expect((await page.evaluate(snapshot)).picture).toBe(before.picture);
    });

    test("WebGPU is behind a switch, and says when the browser has none", async () => {
      const { page, requests } = await visit(shared, "#image=156");
      await page.evaluate(() => Object.defineProperty(navigator, "gpu", { value: undefined }));
      await page.getByLabel(/WebGPU/).click();
      await eventually(() => page.textContent(".problem")).toContain("this browser does not have it");
      expect(requests.filter((url) => /webgpu|asyncify/.test(url))).toEqual([]);
    });

    test("no request leaves the origin, and the page cannot make one", async () => {
      const { page, requests } = await visit(shared, "#image=156&run=all");
      await attackEnd(page);
      const { origin } = new URL(bench.host.url);
      expect(requests.filter((url) => !url.startsWith(`${origin}/`) && !/^(blob|data):/.test(url))).toEqual([]);
      expect(requests.length).toBeGreaterThan(5);
      const other = await serveFolder(bench.folder, { "access-control-allow-origin": "*" });
      const asked = page.evaluate(
        (url) =>
          fetch(url).then(
            () => "went out",
            () => "was stopped",
          ),
        other.url,
      );
      expect(await asked).toBe("was stopped");
      await other.close();
    });

    test("dynn play shows the user's network on the user's images, isolated", async () => {
      const model = join(ZOO, "resnet20-cifar10-joint-s1.onnx");
      const server = await createPlayServer({ model, data: "sample", samples: 12 }, bench.folder);
      const { page, problems } = await openPage(bench, "", { url: await server.listen(0) });
      expect(await page.evaluate(() => crossOriginIsolated)).toBe(true);
      expect(await page.textContent(".facts")).toContain("resnet20-cifar10-joint-s1.onnx");
      expect(await page.locator(".thumb").count()).toBe(12);
      await eventually(() => page.textContent(".numbers")).toContain("mean of 12 images of sample");
      await page.click("button.primary");
      await attackEnd(page);
      expect(problems).toEqual([]);
      await page.context().close();
      await server.close();
    });

    test("isolation headers give the engine all cores but one, and the same images", async () => {
      const alone = await visit(shared, "#image=156");
      const server = await createPlayServer({}, bench.folder);
      const { page } = await openPage(bench, "", { url: await server.listen(0) });
      const cores = await page.evaluate(() => navigator.hardwareConcurrency);
      const threads = Math.max(1, Math.min(4, cores - 1));
      expect(alone.page.workers().length).toBe(1);
      expect(page.workers().length).toBe(threads);
      expect(await alone.page.textContent(".own")).toContain("Computed with WebAssembly, one thread.");
      if (threads > 1)
        expect(await page.textContent(".own")).toContain(`Computed with WebAssembly, ${threads} threads.`);
      const task = {
        attacks: ATTACKS.filter(({ steps }) => steps === 5 || steps === 8),
        worker: workerOf(bench.folder),
      };
      expect(await page.evaluate(attackInPage, task)).toEqual(await alone.page.evaluate(attackInPage, task));
      await page.context().close();
      await server.close();
    });

    test("its scripts are small", () => {
      const folder = join(bench.folder, "assets");
      const scripts = readdirSync(folder).filter((file) => /\.m?js$/.test(file) && !/^ort\.webgpu/.test(file));
      const bytes = scripts.reduce((sum, file) => sum + gzipSync(readFileSync(join(folder, file))).length, 0);
      console.log(`scripts of the playground: ${(bytes / 1000).toFixed(0)} kB after gzip`);
      expect(scripts.length).toBeGreaterThan(2);
      expect(bytes).toBeLessThan(MOST_SCRIPT);
    });

    test("twenty attacks end in the page as they do in Node, up to a ReLU whose input has another sign", async () => {
      const [inPage, inNode] = await Promise.all([
        shared.page.evaluate(attackInPage, { attacks: ATTACKS, worker: workerOf(bench.folder) }),
        attacksInNode(JOINT),
      ]);
      const differences = inPage.map(({ pixels }, i) => apart(pixels, inNode[i].image));
      console.log(`largest differences of pixels: ${differences.map((d) => d.toExponential(0)).join(" ")}`);
      expect(inPage.map(({ success }) => success)).toEqual(inNode.map(({ success }) => success));
      expect(new Set(inNode.map(({ success }) => success)).size).toBe(2);
      const parted = [...ATTACKS.keys()].filter((i) => differences[i] >= NEAR);
      expect(parted.length).toBeLessThan(5);
      for (const i of parted) {
        const [end, kink] = await firstKink(JOINT, ATTACKS[i]);
        console.log(`${ATTACKS[i].name} parts at a ReLU: ${JSON.stringify(kink)}`);
        expect(apart(end.image, inPage[i].pixels)).toBe(0);
        expect(kink).toMatchObject({ distance: expect.toSatisfy((d) => d < NEAR) });
        expect(kink?.input).toBeLessThan(ROUNDING);
      }
    });

    test("a file of the reader's own opens, and its attack runs", async () => {
      const { page, problems } = await visit(shared, "#image=156");
      await page.getByLabel("An ONNX file of your own").setInputFiles(join(ZOO, "resnet20-cifar10-static.onnx"));
      await eventually(() => page.textContent(".facts")).toContain("One exit: it always thinks the whole way.");
      expect(await page.textContent(".facts")).toMatch(/An exit could stand at \d+ places/);
      await page.click("button.primary:has-text('Make it answer wrongly')");
      await attackEnd(page);
      expect(await page.textContent(".result")).toContain("Reached: it answers");
      expect(problems).toEqual([]);
    });

    test("a file that dynn refuses is refused in the words of the command, and the network before stays", async () => {
      const { page } = await visit(shared, "#image=156");
      const before = await page.textContent(".facts");
      for (const [name, bytes, code] of refused()) {
        await page
          .getByLabel("An ONNX file of your own")
          .setInputFiles({ name, mimeType: "", buffer: Buffer.from(bytes) });
        const said = refusal(() => dynamicModel(readModel(bytes, { name }), { name }));
        expect(said).toContain(`[${code}]`);
        await eventually(() => page.textContent(".problem p")).toBe(said);
      }
      expect(await page.textContent(".facts")).toBe(before);
      await page.click("button.primary");
      await attackEnd(page);
    });

    test("blocks that ran are listed for a network with gates, and its attack runs", async () => {
      const gated = Buffer.from(writeModel(gatedSource({ exits: [1] })));
      const { page, problems } = await visit(shared, "#image=156");
      await page
        .getByLabel("An ONNX file of your own")
        .setInputFiles({ name: "gated.onnx", mimeType: "", buffer: gated });
      await eventually(() => page.textContent(".facts")).toContain("4 blocks can be skipped");
      expect(await page.textContent(".gates h3")).toMatch(/Blocks that ran: \d of 4/);
      await eventually(() => page.textContent(".thresholds .hint")).toContain("classes of this network are not those");
      await page.click("button.primary");
      await attackEnd(page);
      expect(await page.textContent(".gates")).toMatch(/ran|skipped/);
      expect(problems).toEqual([]);
    });
  },
);

/** A picture of the reader's own. */
const DRAWN =
  '<svg xmlns="http://www.w3.org/2000/svg" width="64" height="64"><rect width="64" height="40" fill="#38f"/><circle cx="40" cy="20" r="9" fill="#fff"/></svg>';

/** What the goals say at the end of each story. */
const VERDICTS: Readonly<Record<string, unknown>> = {
  easy: [],
  slow: [expect.stringContaining("it thought the whole way. It survives")],
  early: [expect.stringMatching(/exit \d says .*, the full network cat\. It survives/)],
  three: [
    expect.stringContaining("Reached: it thought the whole way"),
    expect.stringContaining("the full network cat"),
    expect.stringContaining("Reached: it answers"),
  ],
  rounding: [expect.stringContaining("8-bit rounding undoes it")],
  thresholds: [],
  draw: [],
};

/** A wide screen and a phone's. */
const SIZES = [
  { width: 1280, height: 900 },
  { width: 400, height: 800 },
] as const;

/** Pictures of a story in both schemes, for people. Only with DYNN_SHOTS: they take as long as all tests. */
async function takeShots(page: Page, name: string): Promise<void> {
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    await page.screenshot({ path: join(SHOTS, `${name}-${colorScheme}.png`), fullPage: true });
  }
}

/** Accuracy and mean cost of all images of the sample, with one threshold. */
async function routedInNode(threshold: number): Promise<{ readonly right: number; readonly cost: number }> {
  const model = await load(JOINT);
  const data = await openDataset("sample");
  const forward = await Forward.compile(model, { backend: ortNode() });
  const routed = route(await forward.logits(await readImages(data), { batch: 50 }), {
    rule: "max-softmax",
    fallback: "final",
    thresholds: new Array<number>(6).fill(threshold),
  });
  await forward.release();
  return {
    right: routed.filter(({ label }, i) => label === data.labels[i]).length / routed.length,
    cost: routed.reduce((sum, { stop }) => sum + model.exits[stop].costFraction, 0) / routed.length,
  };
}

/** Waits until a reading is as expected, on a slow machine too. */
function eventually<T>(reading: () => T | Promise<T>) {
  return expect.poll(reading, { timeout: 60_000, interval: 50 });
}

/** What a reader sees of an attack. */
function snapshot() {
  const canvas = document.querySelector<HTMLCanvasElement>(".stage canvas");
  return {
    picture: canvas?.toDataURL(),
    answer: document.querySelector(".answer")?.textContent,
    step: document.querySelector<HTMLInputElement>('[aria-label="Step of the attack"]')?.value,
    numbers: document.querySelector(".numbers")?.textContent,
  };
}

/** What axe finds, by all rules or by some. */
async function violations(page: Page, rules?: readonly string[]): Promise<string[]> {
  const { violations: found } = await page.evaluate(
    (values) =>
      (window as unknown as { axe: typeof axe }).axe.run({
        resultTypes: ["violations"],
        ...(values ? { runOnly: { type: "rule", values: [...values] } } : {}),
      }),
    rules,
  );
  return found.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 120)).join(" | ")}`);
}

/** Files that are no classifier of images, with the code of their refusal. */
function refused(): [string, Uint8Array, string][] {
  const shape = ["n", 3, 32, 32] as const;
  const two = new GraphBuilder(emptyGraph("two", 17));
  const sum = two.op("Add", [two.input("a", "float32", shape), two.input("b", "float32", shape)]);
  const odd = new GraphBuilder(emptyGraph("odd", 17));
  const left = odd.op("NoSuchOperator", [odd.input("x", "float32", shape)]);
  return [
    ["text.onnx", new TextEncoder().encode("<!doctype html>"), "model/parse"],
    ["two.onnx", fileOf(two, two.op("Flatten", [sum])), "model/input"],
    ["odd.onnx", fileOf(odd, odd.op("Flatten", [left])), "model/op"],
  ];
}

/** The message of the error that a call throws. */
function refusal(call: () => unknown): string {
  try {
    call();
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  throw new Error("expected an error");
}

const fileOf = (builder: GraphBuilder, output: string): Uint8Array =>
  writeModel({ graph: { ...builder.build(), outputs: [{ name: output, dtype: "float32", shape: ["n", 3072] }] } });
