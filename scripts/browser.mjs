/** @file Runs the bundled network in a browser and compares its logits with Node's: the browser job of CI.
 *  Usage: npm run test:browser   (DYNN_CHROMIUM names the browser when `chromium` is not on the path) */
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { extname, join, resolve } from "node:path";
import { build } from "vite";
import { Forward, load, openDataset, ortNode, readImages } from "../dist/node/index.js";

const ROOT = resolve(import.meta.dirname, "..");
const MODEL = join(ROOT, "zoo/resnet20-cifar10-joint.onnx");
const IMAGES = 4;
/** Largest difference, as a share of the largest logit: two builds of ONNX Runtime round differently. */
const TOLERANCE = 1e-4;
const PATIENCE_MS = 120_000;
const TYPES = {
  ".html": "text/html",
  ".js": "text/javascript",
  ".mjs": "text/javascript",
  ".wasm": "application/wasm",
};

/** The page's script as one bundle, with the WebAssembly files beside it. */
async function bundle(folder) {
  await build({
    root: ROOT,
    configFile: false,
    logLevel: "warn",
    publicDir: false,
    build: {
      outDir: folder,
      emptyOutDir: true,
      target: "es2022",
      rollupOptions: {
        input: join(ROOT, "test/browser/page.ts"),
        output: { entryFileNames: "page.js" },
      },
    },
  });
}

/** Serve the page and resolve with what it posts. */
function serve(folder, images) {
  const made = {
    "/": () => '<!doctype html><script type="module" src="/page.js"></script>',
    "/model.onnx": () => readFileSync(MODEL),
    "/pixels.bin": () => Buffer.from(images.data.buffer),
  };
  let posted;
  const report = new Promise((resolveReport) => {
    posted = resolveReport;
  });
  const server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url, "http://page");
    if (request.method === "POST") {
      posted(JSON.parse(Buffer.concat(await request.toArray())));
      return response.end();
    }
    try {
      const body = made[pathname]?.() ?? readFileSync(join(folder, pathname));
      response.setHeader("content-type", TYPES[extname(pathname) || ".html"] ?? "application/octet-stream");
      response.end(body);
    } catch {
      response.writeHead(404).end();
    }
  });
  return { server, report };
}

async function nodesLogits(images) {
  const forward = await Forward.compile(await load(MODEL), { backend: ortNode() });
  const logits = await forward.logits(images, { batch: IMAGES });
  await forward.release();
  return logits.exits;
}

/** The largest difference of two logits, as a share of the largest. */
function difference(got, want) {
  if (got.length !== want.length || got.some((values, k) => values.length !== want[k].length)) return Infinity;
  const largest = Math.max(...want.map((values) => Math.max(...values.map(Math.abs))));
  const worst = got.map((values, k) => Math.max(...values.map((value, i) => Math.abs(value - want[k][i]))));
  return Math.max(...worst) / largest;
}

function openBrowser(url, profile) {
  const flags = ["--headless=new", "--no-sandbox", "--disable-gpu", `--user-data-dir=${profile}`, url];
  return spawn(process.env.DYNN_CHROMIUM || "chromium", flags, { stdio: "ignore" });
}

async function inBrowser(folder, images) {
  await bundle(join(folder, "page"));
  const { server, report } = serve(join(folder, "page"), images);
  await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
  const browser = openBrowser(`http://127.0.0.1:${server.address().port}/`, join(folder, "profile"));
  const failed = new Promise((_, reject) => {
    browser.on("error", reject);
    browser.on("exit", (code) => reject(new Error(`the browser ended with ${code} before the page said anything`)));
    setTimeout(() => reject(new Error(`the page said nothing for ${PATIENCE_MS / 1000} s`)), PATIENCE_MS).unref();
  });
  try {
    return await Promise.race([report, failed]);
  } finally {
    const gone = new Promise((exit) => browser.once("exit", exit));
    if (browser.kill()) await gone;
    server.closeAllConnections();
    server.close();
  }
}

const folder = mkdtempSync(join(tmpdir(), "dynn-browser-"));
try {
  const images = await readImages(await openDataset("sample"), [...Array(IMAGES).keys()]);
  const { logits, error } = await inBrowser(folder, images);
  if (error) throw new Error(`the page failed: ${error}`);
  const worst = difference(logits, await nodesLogits(images));
  console.log(
    `${logits.length} exits, ${IMAGES} images: the logits differ by ${worst.toExponential(1)} of the largest`,
  );
  if (!(worst <= TOLERANCE)) throw new Error(`expected at most ${TOLERANCE}`);
} finally {
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
}
