// The record of a run: what machine it was, and what it printed.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { cpus, loadavg, totalmem } from "node:os";
import { dirname, join, resolve } from "node:path";

export const root = resolve(import.meta.dirname, "..");

/** Load before the benchmark adds its own. */
const loadBefore = loadavg()[0].toFixed(2);

/** With more processes that wait for a core, times say little. */
const QUIET = 1.5;

/** Ends the process on a busy machine, unless the option --busy asks for figures all the same. The record then says so.
 * @returns a line for the record */
export function quietLine() {
  const busy = Number(loadBefore) > QUIET;
  if (busy && !process.argv.includes("--busy")) {
    process.stderr.write(
      `The load is ${loadBefore}, and a quiet machine has less than ${QUIET}. Wait, or measure all the same with --busy.\n`,
    );
    process.exit(1);
  }
  return busy
    ? `  A BUSY MACHINE (load ${loadBefore} before the run): compare processor seconds; times are indicative`
    : `  a quiet machine (load ${loadBefore} before the run)`;
}

/** Machine, versions and load, for the head of a record. */
export function environment() {
  const version = (name) => JSON.parse(readFileSync(join(root, "node_modules", name, "package.json"), "utf8")).version;
  return `node ${process.version}, onnxruntime-node ${version("onnxruntime-node")}, ${cpus().length} cores ${cpus()[0].model.trim()}, ${(totalmem() / 2 ** 30).toFixed(0)} GiB, load before ${loadBefore}`;
}

/** Print lines; with --record, keep them under bench/records/DATE-NAME/. */
export function report(name, lines) {
  const text = `${lines.join("\n")}\n`;
  process.stdout.write(text);
  if (!process.argv.includes("--record")) return;
  const file = join(root, "bench/records", `${new Date().toISOString().slice(0, 10)}-${name}`, "result.txt");
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
}
