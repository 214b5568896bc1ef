/** @file The playground in Chromium: first paint, when the engine is ready, the longest frame while three attacks run, and what the page loads.
 *  Frames and tasks wait for a core while the browser compiles WebAssembly. The processor's time of the longest task is
 *  what the page itself takes.
 *  Usage: node bench/playground.mjs [--record]      (after npm run playground:build; DYNN_CHROMIUM names another browser) */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { chromium } from "playwright-core";
import { createPlayServer } from "../dist/node/play/server.js";
import { environment, report, root } from "./record.mjs";

const ROUNDS = 5;
const DIST = join(root, "playground/dist");
const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];

/** Runs in the page: the frames and long tasks from now on. */
function watchFrames() {
  const seen = { frames: [], tasks: [] };
  let last = performance.now();
  const tick = (now) => {
    seen.frames.push(now - last);
    last = now;
    requestAnimationFrame(tick);
  };
  requestAnimationFrame(tick);
  new PerformanceObserver((list) => seen.tasks.push(...list.getEntries().map(({ duration }) => duration))).observe({
    type: "longtask",
  });
  window.seen = seen;
}

/** Milliseconds of processor time of the longest task of the page, from a trace. */
function longestWork(trace) {
  const { traceEvents } = JSON.parse(trace.toString());
  const threadOf = ({ pid, tid }) => `${pid} ${tid}`;
  const main = new Set(
    traceEvents.filter(({ name, args }) => name === "thread_name" && args.name === "CrRendererMain").map(threadOf),
  );
  const tasks = traceEvents.filter((event) => /RunTask$/.test(event.name) && main.has(threadOf(event)));
  return Math.max(...tasks.map(({ tdur = 0 }) => tdur / 1000));
}

async function round(browser, url) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
  const page = await context.newPage();
  const begin = Date.now();
  await page.goto(url);
  await page.waitForSelector('main[data-stage="ready"]');
  const ready = await page.evaluate(() => performance.now());
  const paint = await page.evaluate(() => performance.getEntriesByName("first-contentful-paint")[0]?.startTime);
  await page.waitForSelector(".cost p:has-text('measured here')");
  const attack = async (button, end) => {
    await page.evaluate(watchFrames);
    const start = Date.now();
    await page.click(button);
    await page.waitForFunction(end);
    const { frames, tasks } = await page.evaluate(() => window.seen);
    return { ms: Date.now() - start, frame: Math.max(...frames), task: Math.max(0, ...tasks) };
  };
  const first = await attack("button.primary", () => document.querySelector('.result[role="status"]'));
  await page.waitForSelector(".answer:has-text('after the whole way')");
  const path = Date.now() - begin;
  const again = await attack("button.primary", () => document.querySelector('.result[role="status"]'));
  const all = () =>
    attack("button:has-text('Run all three')", () => document.querySelectorAll(".verdict.good").length === 3);
  const three = await all();
  // A trace takes time of its own, so the attacks run once more for it.
  await browser.startTracing(page, { categories: ["toplevel", "devtools.timeline"] });
  await all();
  const work = longestWork(await browser.stopTracing());
  await context.close();
  return { paint, ready, path, work, first, again, three };
}

/** Sizes of the scripts after gzip, by what loads them. */
function sizes() {
  const all = readdirSync(join(DIST, "assets")).filter((file) => /\.m?js$/.test(file));
  const kb = (names) =>
    names.reduce((sum, name) => sum + gzipSync(readFileSync(join(DIST, "assets", name))).length, 0) / 1000;
  const lazy = { "WebGPU, behind its switch": /^ort\.webgpu/ };
  const own = all.filter((name) => !Object.values(lazy).some((form) => form.test(name)));
  const line = (what, names) => `${what.padEnd(50)} ${kb(names).toFixed(1).padStart(8)} kB gzip`;
  return [
    line("scripts that the page loads", own),
    ...Object.entries(lazy).map(([what, form]) =>
      line(
        what,
        all.filter((name) => form.test(name)),
      ),
    ),
  ];
}

const server = await createPlayServer();
const url = await server.listen(0);
const browser = await chromium.launch({
  executablePath: process.env.DYNN_CHROMIUM || "/usr/bin/chromium",
  args: ["--no-sandbox"],
});
try {
  const rounds = [];
  for (let k = 0; k < ROUNDS; k++) rounds.push(await round(browser, url));
  const of = (what, pick) =>
    `${what.padEnd(50)} ${median(rounds.map(pick)).toFixed(0).padStart(8)} ${Math.max(...rounds.map(pick))
      .toFixed(0)
      .padStart(8)}`;
  report("playground", [
    environment(),
    `${"milliseconds".padEnd(50)}   median  largest of ${ROUNDS}`,
    of("first paint", ({ paint }) => paint),
    of("engine ready", ({ ready }) => ready),
    of("first screen to a cat that takes the whole way", ({ path }) => path),
    of("first attack, sessions opened", ({ first }) => first.ms),
    of("the same attack again", ({ again }) => again.ms),
    of("three attacks side by side", ({ three }) => three.ms),
    of("longest frame, first attack", ({ first }) => first.frame),
    of("longest frame, the same attack again", ({ again }) => again.frame),
    of("longest frame, three attacks side by side", ({ three }) => three.frame),
    of("longest task of the page meanwhile", ({ first, again, three }) => Math.max(first.task, again.task, three.task)),
    of("its processor time, longest task", ({ work }) => work),
    ...sizes(),
  ]);
} finally {
  await browser.close();
  await server.close();
}
