// How long does the command take to start? Bare Node and the command, turn by turn in one run.
// Usage: node bench/startup.mjs [--rounds N] [--beside DIST] [--record]     DIST: another build, such as an earlier one
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { environment, report, root } from "./record.mjs";

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "15" },
    beside: { type: "string" },
    record: { type: "boolean", default: false },
  },
});

const BARE = "node -e 0";
const builds = { "": join(root, "dist"), ...(values.beside === undefined ? {} : { " (other build)": values.beside }) };
const calls = [["--version"], ["--help"], ["inspect", "--help"], ["audit", "--help"]];
const candidates = new Map([
  [BARE, ["-e", "0"]],
  ...Object.entries(builds).flatMap(([label, dist]) =>
    calls.map((argv) => [`dynn ${argv.join(" ")}${label}`, [join(dist, "cli/main.js"), ...argv]]),
  ),
]);

/** Wall time of one process, milliseconds. */
function timeOf(argv) {
  const start = performance.now();
  const { status, stderr } = spawnSync(process.execPath, argv, { encoding: "utf8" });
  if (status !== 0) throw new Error(`node ${argv.join(" ")} ended with ${status}: ${stderr}`);
  return performance.now() - start;
}

const times = new Map([...candidates.keys()].map((name) => [name, []]));
for (let round = 0; round <= Number(values.rounds); round++)
  for (const [name, argv] of candidates) {
    const time = timeOf(argv);
    // The first round fills the file cache.
    if (round > 0) times.get(name).push(time);
  }

const sorted = (list) => [...list].sort((a, b) => a - b);
const median = (list) => sorted(list)[Math.floor(list.length / 2)];
const line = ([name, list]) => {
  const above = median(list.map((time, round) => time - times.get(BARE)[round]));
  const shown = [median(list), sorted(list)[0], sorted(list).at(-1), above].map((ms) => ms.toFixed(0).padStart(8));
  return `${name.padEnd(36)}${shown.join("")}`;
};
report("startup", [
  environment(),
  `wall time of a process, ms, ${values.rounds} rounds in turns`,
  `${"".padEnd(36)}  median     low    high  above bare Node`,
  ...[...times].map(line),
]);
