/** @file Checks that a release can be made: version, changelog, citation, clean tree, tests, and what the package holds. It publishes nothing:
 *  .github/workflows/release.yml does, with provenance, when the tag is pushed.
 *  Usage: node scripts/release.mjs [--tag vVERSION] [--no-tests]   (ends with 1 and a list when something is not right) */
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";

const ROOT = resolve(import.meta.dirname, "..");
/** Bytes of the package. More is a mistake: somebody's data or a trained network by accident. */
const MOST_BYTES = 20e6;
/** Files that the package cannot do without. */
const NEEDED = [
  "dist/index.js",
  "dist/index.d.ts",
  "dist/node/index.js",
  "dist/node/index.d.ts",
  "dist/web/index.js",
  "dist/web/index.d.ts",
  "dist/cli/main.js",
  "playground/dist/index.html",
  "README.md",
  "LICENSE",
  "CHANGELOG.md",
];
/** What the package may hold, by the first part of the path. */
const ALLOWED = [
  ...["dist", "zoo", "samples", "sql", "docs", "examples", "playground"],
  ...["README.md", "CHANGELOG.md", "CITATION.cff", "LICENSE", "package.json"],
];

const read = (path) => readFileSync(join(ROOT, path), "utf8");
const output = (file, args) => execFileSync(file, args, { cwd: ROOT, encoding: "utf8" });

/** Every place that names the version names this one. */
export function versionProblems(version, { tag, changelog, citation, source }) {
  const heading = `## ${version}`;
  return [
    version.endsWith("-unreleased")
      ? `package.json: "${version}" is a build between two releases; set the version without the ending`
      : "",
    /^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version) ? "" : `package.json: "${version}" is no version, expected e.g. 1.2.3`,
    tag === undefined || tag === `v${version}` ? "" : `the tag is ${tag}, expected v${version}, as package.json says`,
    changelog.split("\n").some((line) => line === heading || line.startsWith(`${heading} `))
      ? ""
      : `CHANGELOG.md: there is no heading "${heading}"; rename "Unreleased"`,
    /^## Unreleased\s+\S/m.test(changelog) && !/^## Unreleased\s+## /m.test(changelog)
      ? 'CHANGELOG.md: "Unreleased" is not empty; move its entries to the version'
      : "",
    citation.includes(`\nversion: ${version}\n`) ? "" : `CITATION.cff: expected "version: ${version}"`,
    source.includes(`"${version}"`) ? "" : `src/core/version.ts: expected "${version}"`,
  ].filter(Boolean);
}

/** @param files of `npm pack`: path and size */
export function packageProblems(files) {
  const paths = files.map(({ path }) => path);
  const bytes = files.reduce((sum, { size }) => sum + size, 0);
  return [
    ...NEEDED.filter((path) => !paths.includes(path)).map((path) => `the package lacks ${path}`),
    ...paths.filter((path) => !ALLOWED.includes(path.split("/")[0])).map((path) => `the package holds ${path}`),
    ...(bytes > MOST_BYTES ? [`the package has ${bytes} bytes, expected at most ${MOST_BYTES}`] : []),
  ];
}

function main() {
  const { values } = parseArgs({ options: { tag: { type: "string" }, "no-tests": { type: "boolean" } } });
  const { version } = JSON.parse(read("package.json"));
  const problems = versionProblems(version, {
    tag: values.tag,
    changelog: read("CHANGELOG.md"),
    citation: read("CITATION.cff"),
    source: read("src/core/version.ts"),
  });
  const changed = output("git", ["status", "--porcelain"]).trim();
  if (changed !== "") problems.push(`the working tree is not clean:\n${changed}`);
  // The slow part comes last, and only when the rest is right.
  const npm = (...args) => spawnSync("npm", args, { cwd: ROOT, stdio: "inherit" }).status === 0;
  const steps = [...(values["no-tests"] ? [] : [["test"]]), ["run", "playground:build"]];
  const failed = problems.length === 0 && steps.find((args) => !npm(...args));
  if (failed) problems.push(`npm ${failed.join(" ")} fails`);
  if (existsSync(join(ROOT, "dist"))) {
    const [{ files }] = JSON.parse(output("npm", ["pack", "--dry-run", "--json", "--ignore-scripts"]));
    problems.push(...packageProblems(files));
  } else problems.push("dist is missing; run npm run build");
  for (const problem of problems) console.error(problem);
  if (problems.length > 0) process.exit(1);
  console.log(`${version} can be released: git tag -s v${version} && git push origin v${version}`);
}

if (process.argv[1] && resolve(process.argv[1]) === resolve(import.meta.filename)) main();
