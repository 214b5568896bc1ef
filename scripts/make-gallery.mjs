/** @file Makes the pictures of docs/gallery.md: the top of each kind of report, as Chromium draws it. The reports are small; they show the
 *  form, not results.
 *  Usage: npm run build && node scripts/make-gallery.mjs [NAME...]   (CHROMIUM names the browser when it is not on the path) */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import sharp from "sharp";

const root = resolve(import.meta.dirname, "..");
const NET = "zoo:resnet20-joint";

/** The command behind each picture. "OUT" stands for the report. */
const REPORTS = {
  audit: ["audit", NET, "--samples", "100", "--attacks", "pgd,slowdown,early", "--eps", "2/255", "--report", "OUT"],
  calibration: ["calibrate", NET, "--target", "rad:5%", "--report", "OUT", "-o", "calibrated.onnx"],
  profile: [
    "profile",
    NET,
    "--samples",
    "32",
    "--rounds",
    "2",
    "--batch",
    "1,8",
    "--rules",
    "max-softmax",
    "--report",
    "OUT",
  ],
  training: [
    ...["train", "zoo:resnet20-static", "--data", "sample", "--recipe", "ic-only", "--exits", "50,75"],
    ...["--epochs", "20", "--batch", "25", "--run", "run", "-o", "trained.onnx"],
  ],
};
const WINDOW = { width: 1100, height: 900 };
const WIDTH = 720;

/** Everything is written to one folder, so that nothing stays behind. */
async function photograph(name, args, folder) {
  // A training run writes its report into its own folder.
  const report = join(folder, args.includes("OUT") ? `${name}.html` : "run/report.html");
  const shot = join(folder, `${name}.png`);
  const command = args.map((word) => (word === "OUT" ? report : word));
  execFileSync(process.execPath, [join(root, "dist/cli/main.js"), ...command], { cwd: folder, stdio: "ignore" });
  const quiet = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--hide-scrollbars"];
  const page = [`--window-size=${WINDOW.width},${WINDOW.height}`, `--screenshot=${shot}`, pathToFileURL(report).href];
  const profile = `--user-data-dir=${join(folder, "profile")}`;
  execFileSync(process.env.CHROMIUM ?? "chromium", [...quiet, profile, ...page], { stdio: "ignore" });
  const target = join(root, `docs/pictures/gallery/${name}.png`);
  const { size } = await sharp(shot).resize(WIDTH).png({ palette: true, colours: 64, effort: 10 }).toFile(target);
  console.log(`wrote ${target}, ${size} bytes`);
}

const folder = mkdtempSync(join(tmpdir(), "dynn-gallery-"));
mkdirSync(join(root, "docs/pictures/gallery"), { recursive: true });
try {
  const wanted = process.argv.slice(2);
  for (const [name, args] of Object.entries(REPORTS))
    if (wanted.length === 0 || wanted.includes(name)) await photograph(name, args, folder);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
