/** @file Mutation testing: breaks dynn in one named place after the other, and asks whether the
 *  test that should notice does. The mutants stand in mutants/tables. Run by hand or weekly.
 *  It works on copies in the temporary folder, so the checkout
 *  stays as it is, also after Ctrl-C. It ends with 1 when a mutant survived or a table does not fit
 *  the code, 2 when the call was wrong. */
import { parseArgs } from "node:util";
import { environment, report } from "../bench/record.mjs";
import { Copy } from "./mutants/copy.mjs";
import { locate } from "./mutants/locate.mjs";
import { EQUIVALENT, MUTANTS } from "./mutants/table.mjs";

const USAGE = `node scripts/mutants.mjs [--only NAME ...] [--jobs N] [--slow] [--list] [--check] [--record]

  --only NAME  mutants whose name begins with NAME (attacks/, measures/wilson-middle); repeatable
  --jobs N     mutants tried at the same time, each in its own copy of the checkout; default 1
  --slow       also try the mutants that only a slow test notices
  --list       print the mutants and the tests that should notice them, and try none
  --check      find the place of every mutant in src/, and try none
  --record     keep the result under bench/records/
  --help       print this text

Example: node scripts/mutants.mjs --only attacks/ --jobs 2`;

/** Longest time for one test run; a mutant that never ends is noticed too. */
const LIMIT_MS = { fast: 120_000, slow: 1_800_000 };

function readOptions() {
  const off = { type: "boolean", default: false };
  const { values } = parseArgs({
    options: {
      only: { type: "string", multiple: true, default: [] },
      jobs: { type: "string", default: "1" },
      help: { ...off, short: "h" },
      slow: off,
      list: off,
      check: off,
      record: off,
    },
  });
  if (!/^[1-9]\d*$/.test(values.jobs)) throw new Error(`--jobs: got "${values.jobs}", expected a whole number above 0`);
  const unknown = values.only.find((start) => !MUTANTS.some(({ name }) => name.startsWith(start)));
  if (unknown !== undefined) throw new Error(`--only: no mutant's name begins with "${unknown}"; --list prints all`);
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

const named = MUTANTS.filter(({ name }) => values.only.length === 0 || values.only.some((o) => name.startsWith(o)));
const chosen = named.filter(({ slow }) => values.slow || !slow);
const { places, problems } = locate(chosen);
for (const problem of problems) console.error(problem);
if (values.list) for (const { name, test, killedBy } of chosen) console.log(`${name}\n    ${test}: ${killedBy}`);
if (problems.length > 0) process.exit(1);
if (values.list || values.check) {
  console.error(`${chosen.length} mutants, each with one place in src/`);
  process.exit(0);
}

const copies = Array.from(
  { length: Math.min(Number(values.jobs), chosen.length) },
  () => new Copy({ slow: values.slow }),
);
const stop = (code) => {
  for (const copy of copies) copy.remove();
  process.exit(code);
};
process.once("SIGINT", () => {
  console.error("Stopped. The copies are removed, and the checkout is as it was.");
  stop(130);
});
process.once("SIGTERM", () => stop(143));

/** The tests must pass on the code as it is, before the first mutant and after the last one, and
 *  the named ones must be there. Otherwise a failure tells nothing. */
async function checkTests(copy) {
  const fast = chosen.filter(({ slow }) => !slow);
  const files = [...new Set(fast.map(({ test }) => test))];
  if (files.length > 0) await checkFiles(copy, files, fast, { limitMs: 900_000 });
  for (const mutant of chosen.filter(({ slow }) => slow))
    await checkFiles(copy, [mutant.test], [mutant], { pattern: mutant.killedBy, limitMs: LIMIT_MS.slow });
}

async function checkFiles(copy, files, mutants, options) {
  console.error(`the tests of ${files.length} files on the code as it is`);
  const { tests, failed, errors, output } = await copy.run(files, options);
  if (failed.length + errors.length > 0 || tests.length === 0)
    throw new Error(`tests fail without any mutant: ${[...failed, ...errors].join("; ") || "none ran"}\n${output}`);
  const missing = mutants.filter(({ killedBy }) => !tests.some((name) => name.includes(killedBy)));
  if (missing.length > 0)
    throw new Error(missing.map(({ name, test, killedBy }) => `${name}: ${test} has no test "${killedBy}"`).join("\n"));
}

/** A broken mutant is no code that runs, so it says nothing about the test. */
const stateOf = ({ broken, killed, timedOut }) =>
  broken ? "BROKEN" : timedOut ? "killed (no end)" : killed ? "killed" : "SURVIVED";

/** Try one mutant. */
async function attempt(copy, { name, replace, test, killedBy, slow }) {
  const { file, from, to } = places.get(name);
  const start = performance.now();
  const undo = copy.replace(file, from, to, replace);
  try {
    const limitMs = slow ? LIMIT_MS.slow : LIMIT_MS.fast;
    const { failed, tests, errors, timedOut, output } = await copy.run([test], { pattern: killedBy, limitMs });
    const broken = !timedOut && (tests.length === 0 || errors.length > 0);
    if (broken) console.error(`${name}: the tests could not run. ${errors.join("\n")}\n${output}`);
    const seconds = (performance.now() - start) / 1000;
    const killed = !broken && (timedOut || failed.length > 0);
    return { name, file, test, killedBy, state: stateOf({ broken, killed, timedOut }), killed, seconds };
  } finally {
    undo();
  }
}

const results = [];
const waiting = [...chosen];
async function work(copy) {
  for (let mutant = waiting.shift(); mutant; mutant = waiting.shift()) {
    const result = await attempt(copy, mutant);
    results.push(result);
    const { state, name, seconds } = result;
    console.error(`${results.length}/${chosen.length} ${state} ${name} (${seconds.toFixed(1)} s)`);
  }
}

try {
  await checkTests(copies[0]);
  await Promise.all(copies.map(work));
  for (const copy of copies) await checkTests(copy);
} catch (error) {
  console.error(error.message);
  stop(1);
}

const killed = results.filter((result) => result.killed);
const order = new Map(chosen.map(({ name }, i) => [name, i]));
results.sort((a, b) => order.get(a.name) - order.get(b.name));
const left = named.length - chosen.length;
report("mutants", [
  `scripts/mutants   ${environment()}`,
  `${killed.length} of ${results.length} mutants killed, score ${((100 * killed.length) / results.length).toFixed(1)} %`,
  ...(left > 0 ? [`${left} that only a slow test notices were not tried (--slow)`] : []),
  ...results.map(
    ({ name, file, test, killedBy, state }) =>
      `  ${state.padEnd(8)}  ${name}\n              in ${file}\n              by ${test}: ${killedBy}`,
  ),
  `left out because they change no answer: ${EQUIVALENT.length}`,
  ...EQUIVALENT.map(({ what, why }) => `  ${what}: ${why}`),
]);
stop(killed.length === results.length ? 0 : 1);
