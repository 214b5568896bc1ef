/** @file Feeds hostile model files to dynn for as long as you like. Each input meets every reader of model files in a process of its own, with
 *  limits on time and memory; docs/security.md says what counts as a failure.
 *  Usage: npm run fuzz -- [--seconds N] [--seed S] [--from I] [--sessions-every K] [--out FOLDER]
 *  Writes failing inputs to FOLDER (out/fuzz), prints a summary, and ends with 1 when there was a failure. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import "../test/fuzz/typescript.mjs";

const { values } = parseArgs({
  options: {
    seconds: { type: "string", default: "60" },
    seed: { type: "string", default: "1" },
    from: { type: "string", default: "0" },
    "sessions-every": { type: "string", default: "1" },
    out: { type: "string", default: "out/fuzz" },
  },
});

const { run } = await import("../test/fuzz/campaign.ts");
const { makeCase } = await import("../test/fuzz/mutate.ts");

const [seed, seconds] = [Number(values.seed), Number(values.seconds)];
const start = Date.now();
const elapsed = () => (Date.now() - start) / 1000;
let shown = 0;

const summary = await run({
  seed,
  from: Number(values.from),
  sessionEvery: Number(values["sessions-every"]),
  more: () => elapsed() < seconds,
  progress: (tried, findings) => {
    if (elapsed() - shown < 10) return;
    shown = elapsed();
    const left = Math.max(0, seconds - shown).toFixed(0);
    process.stderr.write(`${shown.toFixed(0)} s, ${tried} inputs, ${findings} kinds of failure, ${left} s left\n`);
  },
});

console.log(
  `seed ${seed}: ${summary.tried} inputs in ${elapsed().toFixed(0)} s, ${summary.accepted} accepted by every stage`,
);
for (const [what, count] of [...summary.refused].sort(([, a], [, b]) => b - a))
  console.log(`  ${String(count).padStart(8)}  ${what}`);
let failures = 0;
for (const { finding, count } of summary.findings.values()) {
  failures += count;
  const { bytes, edits } = makeCase(seed, finding.index, (edit) => finding.keep.includes(edit));
  mkdirSync(values.out, { recursive: true });
  const path = join(values.out, `${finding.kind}-${seed}-${finding.index}.onnx`);
  writeFileSync(path, bytes);
  console.log(
    `FAILED ${count} times, ${finding.kind}: ${finding.what}\n  after: ${edits.join("; ")}\n  written to ${path}`,
  );
}
console.log(failures === 0 ? "no failures" : `${failures} failures of ${summary.findings.size} kinds`);
process.exitCode = failures === 0 ? 0 : 1;
