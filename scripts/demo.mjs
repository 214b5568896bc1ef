/** @file The demo: audits the bundled network with its report, and then two networks with the same attacks on the same images, beside each
 *  other.
 *  Usage: npm run demo   (writes the folder demo) */
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";

const ROOT = resolve(import.meta.dirname, "..");
const OUT = join(ROOT, "demo");
/** The network of the report, then the robust one that stands beside it. */
const NETWORKS = ["zoo:resnet20-joint", "zoo:resnet20-cifar10-adversarial"];
const SAMPLES = 100;
const RADII = [2, 8];

/** PGD on the answer that the deployed network gives, at each radius. */
const ATTACKS = RADII.map((radius) => ({
  ...{ name: `pgd-${radius}`, goal: "routed", method: "pgd", norm: "linf" },
  ...{ radius: `${radius}/255`, steps: 20, stepSize: `${radius / 4}/255` },
}));

const percent = (share) => (100 * share).toFixed(1);
const rate = ({ value, low, high }) => `${percent(value)} % (${percent(low)}-${percent(high)})`;

/** Audits of several networks as one table in Markdown: a row per network, a column per attack. Cells come from the records alone.
 * @throws Error when the audits do not share images and attacks */
export function sideBySide(records) {
  const [first] = records;
  const about = ({ data, attacks }) =>
    JSON.stringify([
      data.name,
      data.samples,
      data.seed,
      attacks.map(({ name, radius, parameters }) => [name, radius, parameters]),
    ]);
  for (const record of records)
    if (about(record) !== about(first))
      throw new Error(
        `${record.model.name}: audited with other images or attacks than ${first.model.name}. Audit both alike.`,
      );
  const heads = first.attacks.map(({ method, radius, parameters }) => {
    const steps = parameters.steps === undefined ? "" : `-${parameters.steps}`;
    return `${method.toUpperCase()}${steps}, ${Math.round(255 * radius)}/255`;
  });
  const row = ({ model, clean, attacks }) => [
    model.name,
    `${percent(clean.routed.accuracy)} %`,
    `${percent(clean.routed.meanCostFraction)} %`,
    ...attacks.map(({ robustAccuracy }) => rate(robustAccuracy)),
  ];
  const line = (cells) => `| ${cells.join(" | ")} |\n`;
  const table = [
    ["network", "accuracy, clean", "mean cost", ...heads],
    heads.concat(0, 0, 0).map(() => "---"),
    ...records.map(row),
  ];
  return `${table.map(line).join("")}\nAnswers of the deployed network on ${first.data.samples} images of ${first.data.name}. Under attack: share of all images that are still answered right, with 95 % Wilson intervals.\n`;
}

function dynn(...argv) {
  execFileSync(process.execPath, [join(ROOT, "dist/cli/main.js"), ...argv], { stdio: "inherit" });
}

function main() {
  mkdirSync(OUT, { recursive: true });
  const at = (name) => join(OUT, name);
  dynn("audit", NETWORKS[0], "--report", at("report.html"), "--json", at("audit.json"));
  writeFileSync(at("attacks.json"), JSON.stringify(ATTACKS));
  const records = NETWORKS.map((network, i) => {
    const path = at(`compared-${i + 1}.json`);
    dynn(
      "audit",
      network,
      "--samples",
      String(SAMPLES),
      "--attack-file",
      at("attacks.json"),
      "--radii",
      "0",
      "--json",
      path,
    );
    return JSON.parse(readFileSync(path, "utf8"));
  });
  const text = sideBySide(records);
  writeFileSync(at("compared.md"), text);
  console.log(`\n${text}\nwrote ${at("report.html")} and ${at("compared.md")}`);
}

if (process.argv[1] && resolve(process.argv[1]) === resolve(import.meta.filename)) main();
