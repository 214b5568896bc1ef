/** @file Checks that a refactoring changes no result: runs a built dynn, and compares all that it makes with another build's.
 *  Usage: node scripts/same-behaviour.mjs --help */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { dirname, join, relative, resolve } from "node:path";
import { parseArgs } from "node:util";
import { compareManifests, reportOf } from "./same-behaviour/compare.mjs";
import { openPackage } from "./same-behaviour/package.mjs";
import { CASES } from "./same-behaviour/plan.mjs";
import { runCase } from "./same-behaviour/run-case.mjs";

const USAGE = `node scripts/same-behaviour.mjs [--dist DIR] [--only TEXT] [--write FILE] [--compare FILE] [--keep DIR] [--list]

Runs the commands of a built dynn on the bundled networks in a temporary folder. Collects every file that they write and
every graph that they give to ONNX Runtime. Takes times, versions and facts about the machine out
(scripts/same-behaviour/normal.mjs lists them) and hashes what is left.

  --dist DIR      the build to run (./dist). Its package.json lies in the folder above.
  --write FILE    write the manifest: the name of each artefact and its SHA-256
  --compare FILE  compare with a manifest; say what differs, and where first
  --keep DIR      keep the artefacts in DIR, to look at a difference (with --write: FILE's name, ending in .artefacts)
  --only TEXT     run only cases whose name holds TEXT, and the cases that they need
  --list          print the names of the cases

Floating point differs between kinds of CPU, so no manifest lies in the repository: make it on the same machine.
Exit codes: 0 done or equal, 1 something differs or a command failed, 2 the call was wrong.

Example: before a refactoring, then after each step
  npm run build && nice node scripts/same-behaviour.mjs --write .cache/same/before.json
  npm run build && nice node scripts/same-behaviour.mjs --compare .cache/same/before.json`;

const options = {
  dist: { type: "string", default: "dist" },
  write: { type: "string" },
  compare: { type: "string" },
  keep: { type: "string" },
  only: { type: "string", default: "" },
  list: { type: "boolean", default: false },
  help: { type: "boolean", short: "h", default: false },
};

/** Print what is wrong with the call, and end. */
function refuse(message) {
  console.error(`${message}\n\n${USAGE}`);
  process.exit(2);
}

function readOptions() {
  try {
    return parseArgs({ options }).values;
  } catch (error) {
    return refuse(error.message);
  }
}

/** The wanted cases, and those whose files they use. */
function chosen(only) {
  const wanted = new Set(CASES.filter(({ name }) => name.includes(only)));
  for (const { name, needs = [] } of [...CASES].reverse())
    if ([...wanted].some((one) => one.name === name))
      for (const need of needs) wanted.add(CASES.find((one) => one.name === need));
  return CASES.filter((one) => wanted.has(one));
}

/** Facts that explain a difference between two machines. They are not compared. */
const facts = ({ versionOf }) => ({
  node: process.version,
  onnxruntime: versionOf("onnxruntime-node"),
  cpu: cpus()[0].model.trim(),
});

async function runAll(built, cases, keep) {
  const work = mkdtempSync(join(tmpdir(), "dynn-same-"));
  const artefacts = {};
  try {
    for (const [i, one] of cases.entries()) {
      const start = performance.now();
      const made = await runCase(one, { built, work, keep });
      Object.assign(artefacts, made);
      const seconds = ((performance.now() - start) / 1000).toFixed(1);
      console.error(`${i + 1}/${cases.length} ${one.name}: ${Object.keys(made).length} artefacts, ${seconds} s`);
    }
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  return artefacts;
}

const values = readOptions();
if (values.help) {
  console.log(USAGE);
  process.exit(0);
}
if (values.list) {
  for (const { name, args } of CASES) console.log(`${name}: dynn ${args.join(" ")}`);
  process.exit(0);
}
const cases = chosen(values.only);
if (cases.length === 0) refuse(`--only: no case is named like "${values.only}"`);
if (values.compare !== undefined && !existsSync(values.compare)) refuse(`--compare: ${values.compare} is not there`);
const before = values.compare === undefined ? undefined : JSON.parse(readFileSync(values.compare, "utf8"));
const built = await openPackage(resolve(values.dist)).catch((error) => refuse(`--dist: ${error.message}`));

const temporary = mkdtempSync(join(tmpdir(), "dynn-kept-"));
const keep = resolve(values.keep ?? values.write?.replace(/(\.json)?$/, ".artefacts") ?? temporary);
try {
  const artefacts = await runAll(built, cases, keep);
  console.error(`${Object.keys(artefacts).length} artefacts`);
  if (values.write !== undefined) {
    const kept = relative(dirname(resolve(values.write)), keep);
    mkdirSync(dirname(resolve(values.write)), { recursive: true });
    const manifest = { made: facts(built), cases: cases.map(({ name }) => name), kept, artefacts };
    writeFileSync(values.write, `${JSON.stringify(manifest, undefined, 2)}\n`);
    console.log(`wrote ${values.write}`);
  }
  if (before !== undefined) {
    const beforeKept = join(dirname(resolve(values.compare)), before.kept);
    const now = { made: facts(built), cases: cases.map(({ name }) => name), artefacts };
    const found = compareManifests(before, now, { before: beforeKept, now: keep });
    console.log(reportOf(found));
    process.exitCode = found.differences.length > 0 ? 1 : 0;
  }
} catch (error) {
  console.error(`error: ${error.message}`);
  process.exitCode = 1;
} finally {
  rmSync(temporary, { recursive: true, force: true });
}
