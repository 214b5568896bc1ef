/** @file Makes the documentation site in out/site: guides, decisions, the API reference, the report of the study and the playground. All pages are
 *  static and work from a folder. It ends with 1 when a link leads nowhere.
 *  Usage: npm run docs:site   (the playground is in it after npm run playground:build) */
import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { brokenLinks } from "./site/links.mjs";
import { stageDocuments } from "./site/stage.mjs";

const root = resolve(import.meta.dirname, "..");
const site = join(root, "out/site");
const stage = join(root, ".cache/site");

/** Pages beside the documents: where they come from, and the text of the page that shows them. */
const EMBEDDED = [
  { title: "Playground", name: "playground", from: "playground/dist", start: "index.html" },
  { title: "A report of the study", name: "study-report", from: newestReport(), start: "report.html" },
];

/** The newest recorded report of a study. */
function newestReport() {
  const records = join(root, "bench/records");
  const found = readdirSync(records)
    .filter((name) => name.includes("study") && existsSync(join(records, name, "report.html")))
    .sort();
  return join("bench/records", found.at(-1) ?? "none");
}

rmSync(site, { recursive: true, force: true });
rmSync(stage, { recursive: true, force: true });
mkdirSync(stage, { recursive: true });
const embedded = EMBEDDED.filter(({ from, start }) => existsSync(join(root, from, start)));
for (const { title, from } of EMBEDDED)
  if (!embedded.some((one) => one.title === title)) console.log(`left out: ${title}, because ${from} is not there`);
const { documents } = stageDocuments({ root, stage, embedded });
execFileSync("npx", ["typedoc", "--options", "site.json"], { cwd: join(root, "tools/api-docs"), stdio: "inherit" });
for (const { name, from } of embedded) cpSync(join(root, from), join(site, name), { recursive: true });

const { pages, links, broken } = brokenLinks(
  site,
  embedded.map(({ name }) => name),
);
console.log(`${pages} pages from ${documents} documents, ${links} links checked, ${broken.length} lead nowhere`);
for (const text of broken) console.log(text);
process.exitCode = broken.length > 0 ? 1 : 0;
