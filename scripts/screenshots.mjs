/** @file Takes pictures of every report, so that a person can look at all of them: at 400 and 1200 pixels, light and dark, and as a PDF on
 *  paper. The reports are of small runs of the bundled networks; a report that is there already is not made again.
 *  Usage: npm run build && node scripts/screenshots.mjs [--again] [NAME...]   (out/screenshots; CHROMIUM names the browser when it is not on
 *  the path)
 *  --again    run the commands again
 *  NAME...    only these reports: audit, static, calibrate, profile, train, convert, transfer, study */
import { execFileSync, spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";

const ROOT = resolve(import.meta.dirname, "..");
const OUT = join(ROOT, "out/screenshots");
const WIDTHS = [400, 1200];
const SCHEMES = ["light", "dark"];
/** Pages are cut off below. Chromium draws no larger picture. */
const TALLEST = 16_000;
const BROWSER = process.env.CHROMIUM ?? "chromium";

const few = "--samples 64 --batch 32";
const joint = "zoo:resnet20-joint";

/** For each report: its folder in src/report, and the command lines that make it. HTML and OUT stand for places. A report that a command
 *  does not ask for is in a folder of the run, at `place`. */
export const REPORTS = {
  audit: { of: "audit", commands: [`audit ${joint} ${few} --report HTML`] },
  static: { of: "audit", commands: [`audit zoo:resnet20-static ${few} --attacks fgsm,pgd,pgd-l2 --report HTML`] },
  calibrate: {
    of: "calibration",
    commands: [`calibrate ${joint} --samples 200 --thresholds per-exit --temperature --report HTML`],
  },
  profile: { of: "profile", commands: [`profile ${joint} --samples 128 --rounds 2 --report HTML`] },
  train: {
    of: "training",
    place: "train.run/report.html",
    commands: [
      "train resnet20 --data sample --epochs 3 --batch 32 --width 0.25 --validation 30% --recipe joint -o OUT/train.onnx",
    ],
  },
  convert: {
    of: "conversion",
    place: "convert.run/report.html",
    commands: ["convert zoo:resnet20-static --data sample --batch 32 -o OUT/convert.onnx"],
  },
  transfer: {
    of: "transfer",
    commands: [`transfer ${joint} zoo:resnet20-static zoo:resnet56-joint ${few} --attacks pgd,mim --report HTML`],
  },
  study: {
    of: "study",
    commands: [
      "study plan --tier demo -o OUT/study.json",
      "study run OUT/study.json --out OUT/study",
      "study report OUT/study -o HTML",
    ],
  },
};

const reportOf = (name) => join(OUT, REPORTS[name].place ?? `${name}.html`);

/** Run the commands of a report. A run of before would be continued, so it is removed. */
function make(name) {
  const { place, commands } = REPORTS[name];
  if (place !== undefined) rmSync(join(OUT, dirname(place)), { recursive: true, force: true });
  for (const line of commands) {
    console.log(`dynn ${line}`);
    const words = line.split(" ").map((word) => (word === "HTML" ? reportOf(name) : word.replace(/^OUT/, OUT)));
    execFileSync("node", [join(ROOT, "dist/cli/main.js"), ...words], { stdio: ["ignore", "ignore", "inherit"] });
  }
}

/** Chromium without a window, told what to do through a pipe (the Chrome DevTools Protocol).
 * @returns `send` of a method, and `close`; undefined where there is no Chromium */
export async function openBrowser() {
  const folder = mkdtempSync(join(tmpdir(), "dynn-screenshots-"));
  const quiet = ["--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync"];
  const args = [
    "--headless",
    "--hide-scrollbars",
    "--no-sandbox",
    "--no-first-run",
    ...quiet,
    `--user-data-dir=${folder}`,
  ];
  const browser = spawn(BROWSER, [...args, "--remote-debugging-pipe"], {
    stdio: ["ignore", "ignore", "ignore", "pipe", "pipe"],
  });
  const ended = new Promise((done) => browser.once("exit", done));
  const close = async () => {
    browser.kill();
    await ended;
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  };
  const started = await new Promise((done) => {
    browser.once("error", () => done(false));
    browser.once("spawn", () => done(true));
  });
  if (!started) {
    rmSync(folder, { recursive: true, force: true });
    return undefined;
  }
  const [write, read] = [browser.stdio[3], browser.stdio[4]];
  const waiting = new Map();
  let [rest, last] = ["", 0];
  read.setEncoding("utf8").on("data", (text) => {
    const parts = `${rest}${text}`.split("\0");
    rest = parts.pop();
    for (const part of parts) answer(JSON.parse(part), waiting);
  });
  const send = (method, params = {}, sessionId) =>
    new Promise((done, fail) => {
      last += 1;
      waiting.set(last, { done, fail, method });
      write.write(`${JSON.stringify({ id: last, method, params, sessionId })}\0`);
    });
  return { send, close };
}

function answer({ id, error, result }, waiting) {
  const one = waiting.get(id);
  if (one === undefined) return;
  waiting.delete(id);
  if (error) one.fail(new Error(`${one.method}: ${error.message}`));
  else one.done(result);
}

/** A page that shows a file. `send` speaks to that page. */
export async function openPage(browser, file) {
  const { targetId } = await browser.send("Target.createTarget", { url: "about:blank" });
  const { sessionId } = await browser.send("Target.attachToTarget", { targetId, flatten: true });
  const send = (method, params) => browser.send(method, params, sessionId);
  await send("Page.enable");
  await send("Page.navigate", { url: pathToFileURL(file).href });
  const ready =
    "new Promise((done) => document.readyState === 'complete' ? done() : addEventListener('load', () => done()))";
  await send("Runtime.evaluate", { expression: ready, awaitPromise: true });
  return { send, close: () => browser.send("Target.closeTarget", { targetId }) };
}

/** The whole page as PNG bytes. */
export async function photograph(page, width, scheme) {
  const features = [{ name: "prefers-color-scheme", value: scheme }];
  await page.send("Emulation.setEmulatedMedia", { media: "screen", features });
  const size = { width, deviceScaleFactor: 1, mobile: false };
  await page.send("Emulation.setDeviceMetricsOverride", { ...size, height: 900 });
  const { cssContentSize } = await page.send("Page.getLayoutMetrics");
  const height = Math.min(TALLEST, Math.ceil(cssContentSize.height));
  await page.send("Emulation.setDeviceMetricsOverride", { ...size, height });
  const { data } = await page.send("Page.captureScreenshot", { format: "png" });
  return { png: Buffer.from(data, "base64"), wider: cssContentSize.width > width };
}

/** The page on A4 as PDF bytes. The page's own style sheet sets its margins. */
export async function print(page) {
  await page.send("Emulation.setEmulatedMedia", { media: "", features: [] });
  await page.send("Emulation.clearDeviceMetricsOverride");
  const size = { paperWidth: 8.27, paperHeight: 11.69, preferCSSPageSize: true, printBackground: false };
  const { data } = await page.send("Page.printToPDF", size);
  return Buffer.from(data, "base64");
}

/** All pictures of one report, beside it. */
export async function picture(browser, file) {
  const page = await openPage(browser, file);
  const bare = file.replace(/\.html$/, "");
  for (const width of WIDTHS)
    for (const scheme of SCHEMES) {
      const { png, wider } = await photograph(page, width, scheme);
      writeFileSync(`${bare}-${width}-${scheme}.png`, png);
      if (wider) console.log(`${file}: wider than ${width} pixels, so the whole page scrolls to the side`);
    }
  writeFileSync(`${bare}-print.pdf`, await print(page));
  await page.close();
  console.log(`wrote ${bare}-*.png and ${bare}-print.pdf`);
}

async function main(given) {
  const again = given.includes("--again");
  const named = given.filter((word) => word !== "--again");
  const names = named.length === 0 ? Object.keys(REPORTS) : named;
  const unknown = names.filter((name) => !(name in REPORTS));
  if (unknown.length > 0)
    throw new Error(`unknown report ${unknown.join(", ")}; there are ${Object.keys(REPORTS).join(", ")}`);
  const browser = await openBrowser();
  if (browser === undefined) {
    console.log(`skipped: there is no "${BROWSER}" here. Install Chromium, or name it: CHROMIUM=/path/to/chromium.`);
    return;
  }
  try {
    mkdirSync(OUT, { recursive: true });
    for (const name of names) {
      if (again || !existsSync(reportOf(name))) make(name);
      await picture(browser, reportOf(name));
    }
  } finally {
    await browser.close();
  }
}

if (process.argv[1] && resolve(process.argv[1]) === resolve(import.meta.filename)) await main(process.argv.slice(2));
