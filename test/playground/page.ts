/** @file The built page in Debian's Chromium, for tests. */
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import { build } from "vite";
import { type Host, serveFolder } from "./host.js";

const ROOT = resolve(import.meta.dirname, "../..");
/** Pictures of the page, for people. Git ignores the folder. */
export const SHOTS = join(ROOT, "playground/shots");

/** The browser to test in, or undefined. DYNN_CHROMIUM names another than `chromium`. */
export function findChromium(): string | undefined {
  const wanted = process.env.DYNN_CHROMIUM || "chromium";
  const found = spawnSync("sh", ["-c", 'command -v "$0"', wanted], { encoding: "utf8" });
  return found.status === 0 ? found.stdout.trim() : undefined;
}

/** Most milliseconds that a page may take for one step, on a busy machine. */
const PATIENCE_MS = 90_000;

const WIDE = { width: 1280, height: 900 };

/** Why tests in a browser are skipped. */
export const WITHOUT = "there is no chromium here (apt-get install chromium, or name one in DYNN_CHROMIUM)";

/** The built page and a browser. */
export interface Bench {
  readonly folder: string;
  readonly browser: Browser;
  readonly host: Host;
  readonly close: () => Promise<void>;
}

/** Build the page and start a browser. */
export async function openBench(executablePath: string): Promise<Bench> {
  const folder = mkdtempSync(join(tmpdir(), "dynn-playground-"));
  mkdirSync(SHOTS, { recursive: true });
  storeLogits();
  await build({
    configFile: join(ROOT, "playground/vite.config.ts"),
    root: join(ROOT, "playground"),
    logLevel: "error",
    build: { outDir: folder, reportCompressedSize: false },
  });
  const host = await serveFolder(folder);
  const browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
  return {
    folder,
    browser,
    host,
    close: async () => {
      await browser.close();
      await host.close();
      rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

/** Make what the page reads from the build.
 * @throws when the command is not built */
function storeLogits(): void {
  const script = join(ROOT, "playground/make-logits.mjs");
  const { status, stderr } = spawnSync(process.execPath, [script], { encoding: "utf8" });
  if (status !== 0) throw new Error(`${script} failed; run npm run build first. ${stderr}`);
}

/** What went wrong in a page, and which addresses it asked for. */
export interface Watched {
  readonly page: Page;
  readonly problems: string[];
  readonly requests: string[];
}

/** Open the page at a place, and wait until the engine is ready. */
export async function openPage(
  bench: Bench,
  place = "",
  options: BrowserContextOptions & { url?: string } = {},
): Promise<Watched> {
  const context = await bench.browser.newContext({ viewport: WIDE, ...options });
  context.setDefaultTimeout(PATIENCE_MS);
  const page = await context.newPage();
  const [problems, requests]: [string[], string[]] = [[], []];
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) problems.push(message.text());
  });
  page.on("pageerror", (error) => problems.push(error.message));
  context.on("request", (request) => requests.push(request.url()));
  await page.goto((options.url ?? bench.host.url) + place);
  await page.waitForSelector('main[data-visits="1"]');
  return { page, problems, requests };
}

/** Show a place in an open page. What went wrong before is forgotten; requests are not. */
export async function visit(watched: Watched, place: string): Promise<Watched> {
  const { page, problems } = watched;
  await page.setViewportSize(WIDE);
  problems.length = 0;
  const before = await page.getAttribute("main", "data-visits");
  await page.evaluate((hash) => {
    history.replaceState(null, "", " ");
    location.hash = hash;
  }, place);
  await page.waitForSelector(`main[data-visits="${Number(before) + 1}"]`);
  return watched;
}

/** Load the page anew at the same address: nothing of the state is left but the link. */
export async function openAgain({ page }: Watched): Promise<void> {
  await page.reload();
  await page.waitForSelector('main[data-visits="1"]');
}

/** Wait until no attack runs and the chosen one has ended. */
export const attackEnd = (page: Page): Promise<unknown> => page.waitForSelector('.result[role="status"]');
