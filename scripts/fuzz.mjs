/** @file Feeds hostile model files to dynn for as long as you like. Each input meets every reader of model files in a process of its own, with
 *  limits on time and memory; docs/security.md says what counts as a failure.
 *  Usage: npm run fuzz -- --help
 *  Writes failing inputs to FOLDER (out/fuzz) as they are found, prints a summary (--record keeps it under bench/records/), also when
 *  stopped with Ctrl-C, and ends with 1 when there was a failure. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { environment, report } from "../bench/record.mjs";
import "../test/fuzz/typescript.mjs";

const USAGE = `npm run fuzz -- [--seconds N] [--inputs N] [--seed S] [--from I] [--sessions-every K] [--out FOLDER] [--record]

  --seconds N         how long to go on (60)
  --inputs N          stop after N inputs, when the time has not ended before
  --seed S            which inputs (1); an input depends on the seed and its number alone
  --from I            number of the first input (0), to go on where a run ended
  --sessions-every K  open sessions of ONNX Runtime for every K-th input only (1)
  --out FOLDER        where failing inputs are written (out/fuzz)
  --record            keep the summary under bench/records/

Example: npm run fuzz -- --seconds 900 --seed 2`;

function readOptions() {
  const text = (fallback) => ({ type: "string", default: fallback });
  const numbers = {
    seconds: text("60"),
    inputs: text(String(2 ** 31)),
    seed: text("1"),
    from: text("0"),
    "sessions-every": text("1"),
  };
  const switches = {
    record: { type: "boolean", default: false },
    help: { type: "boolean", short: "h", default: false },
  };
  const { values } = parseArgs({ options: { ...numbers, out: text("out/fuzz"), ...switches } });
  for (const name of Object.keys(numbers))
    if (!/^\d+$/.test(values[name])) throw new Error(`--${name}: got "${values[name]}", expected a whole number`);
  return values;
}

let values;
try {
  values = readOptions();
} catch (error) {
  console.error(`${error.message}\n\n${USAGE}`);
  process.exit(2);
}
if (values.help) {
  console.log(USAGE);
  process.exit(0);
}

const { run } = await import("../test/fuzz/campaign.ts");
const { makeCase } = await import("../test/fuzz/mutate.ts");

const [seed, from, seconds, inputs] = ["seed", "from", "seconds", "inputs"].map((name) => Number(values[name]));
const start = Date.now();
const elapsed = () => (Date.now() - start) / 1000;
let shown = 0;
let stopped = false;
process.once("SIGINT", () => {
  stopped = true;
});

/** Write the input of a finding, as small as leaving out edits made it. */
function keep({ kind, what, stage, index, keep }) {
  const { bytes } = makeCase(seed, index, (edit) => keep.includes(edit));
  mkdirSync(values.out, { recursive: true });
  writeFileSync(pathOf({ kind, index }), bytes);
  console.error(`${kind}${stage ? ` in ${stage}` : ""}: ${what}; written to ${pathOf({ kind, index })}`);
}

function pathOf({ kind, index }) {
  return join(values.out, `${kind}-${seed}-${index}.onnx`);
}

const summary = await run({
  seed,
  from,
  sessionEvery: Number(values["sessions-every"]),
  more: (index) => !stopped && elapsed() < seconds && index < from + inputs,
  found: keep,
  progress: (tried, findings) => {
    if (elapsed() - shown < 10) return;
    shown = elapsed();
    const left = Math.max(0, seconds - shown).toFixed(0);
    process.stderr.write(`${shown.toFixed(0)} s, ${tried} inputs, ${findings} kinds of failure, ${left} s left\n`);
  },
});

const descending = (counts) => [...counts].sort(([, a], [, b]) => b - a);
const counted = (counts) => descending(counts).map(([what, count]) => `  ${String(count).padStart(8)}  ${what}`);
const mebibytes = (bytes) => `${(bytes / 2 ** 20).toFixed(0)} MiB`;

function describe({ finding, count }) {
  const { kind, what, stage, index, keep } = finding;
  const { edits } = makeCase(seed, index, (edit) => keep.includes(edit));
  return `FAILED ${count} times, ${kind}${stage ? ` in ${stage}` : ""}: ${what}\n  after: ${edits.join("; ")}\n  written to ${pathOf(finding)}`;
}

const { tried, accepted, sessions, ways, refused, findings, slowest, hungriest, peakBytes } = summary;
const failures = [...findings.values()].reduce((sum, { count }) => sum + count, 0);
report("fuzz", [
  `npm run fuzz   ${environment()}`,
  `seed ${seed}, cases ${from} to ${from + tried - 1}: ${tried} inputs in ${elapsed().toFixed(0)} s, ${accepted} accepted by every stage, ${sessions} sessions of ONNX Runtime asked for`,
  `slowest stage: ${slowest.value.toFixed(0)} ms of processor time (${slowest.stage}, case ${slowest.index})`,
  `memory: the process at most ${mebibytes(peakBytes)}, grown at most ${mebibytes(hungriest.value)} by one input (case ${hungriest.index})`,
  "inputs by the way that they were made",
  ...counted(ways),
  "refused, by stage and code (an input may be refused by several stages)",
  ...counted(refused),
  ...[...findings.values()].map(describe),
  failures === 0 ? "no failures" : `${failures} failures of ${findings.size} kinds`,
]);
process.exitCode = failures === 0 ? 0 : 1;
