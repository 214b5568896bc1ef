/** @file Makes docs/pictures/report.png, the README's picture: two parts of the demo's report, side by side, as Chromium draws them.
 *  Usage: npm run demo && node scripts/make-picture.mjs   (CHROMIUM names the browser when it is not on the path) */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import sharp from "sharp";

const WINDOW = { width: 1150, height: 1060 };
/** What is hidden in each part: all after the summary, and all but the adversarial images. */
const HIDDEN = ["#summary ~ section", "header, section:not(#gallery)"];
const WIDTH = 800;
const root = resolve(import.meta.dirname, "..");

/** A part of the report as PNG bytes, scaled to WIDTH. */
function photograph(folder, hidden) {
  const [shot, part] = [join(folder, "shot.png"), join(folder, "part.html")];
  const report = readFileSync(join(root, "demo/report.html"), "utf8");
  writeFileSync(part, report.replace("</head>", `<style>${hidden} { display: none }</style></head>`));
  const url = pathToFileURL(part).href;
  const quiet = ["--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run"];
  const page = [`--window-size=${WINDOW.width},${WINDOW.height}`, "--hide-scrollbars", `--screenshot=${shot}`, url];
  const profile = `--user-data-dir=${join(folder, "profile")}`;
  const args = ["--headless", "--no-sandbox", "--disable-gpu", ...quiet, profile, ...page];
  execFileSync(process.env.CHROMIUM ?? "chromium", args, { stdio: "ignore" });
  return sharp(shot).resize(WIDTH).png().toBuffer();
}

const folder = mkdtempSync(join(tmpdir(), "dynn-picture-"));
try {
  const parts = [];
  for (const hidden of HIDDEN) parts.push(await photograph(folder, hidden));
  const { height } = await sharp(parts[0]).metadata();
  const target = join(root, "docs/pictures/report.png");
  const { size } = await sharp({ create: { width: WIDTH * parts.length, height, channels: 3, background: "white" } })
    .composite(parts.map((input, i) => ({ input, left: i * WIDTH, top: 0 })))
    .png({ palette: true, colours: 128, effort: 10 })
    .toFile(target);
  console.log(`wrote ${target}, ${size} bytes`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
