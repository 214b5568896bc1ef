/** @file Runs one case in a folder of its own and collects what it made. */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { pathToFileURL } from "node:url";
import { artefactsOf, LEFT_OUT, sessionArtefact } from "./normal.mjs";

const HOOK = pathToFileURL(join(import.meta.dirname, "record-sessions.mjs")).href;
const sha256 = (bytes) => createHash("sha256").update(bytes).digest("hex");

/** Run a case.
 * @returns the SHA-256 of each artefact by its name; the artefacts themselves lie in `keep`
 * @throws Error when the command fails */
export async function runCase({ name, args, files = {}, stdout }, { built, work, keep }) {
  const [folder, sessions] = [join(work, name), join(work, `${name}.sessions`)];
  rmSync(join(keep, name), { recursive: true, force: true });
  for (const one of [folder, sessions]) mkdirSync(one, { recursive: true });
  for (const [file, value] of Object.entries(files)) writeFileSync(join(folder, file), JSON.stringify(value));
  const printed = runCommand(args, { folder, sessions, built });
  if (stdout !== undefined) writeFileSync(join(folder, stdout), printed);
  const made = filesIn(folder)
    .filter((path) => !LEFT_OUT.test(path) && !Object.hasOwn(files, relative(folder, path)))
    .flatMap((path) => artefactsOf(`${name}/${relative(folder, path)}`, readFileSync(path), built));
  return keepAll([...made, ...sessionsIn(sessions, name, built)], keep);
}

function runCommand(args, { folder, sessions, built }) {
  const env = {
    ...process.env,
    NO_COLOR: "1",
    NODE_OPTIONS: `--import ${HOOK}`,
    DYNN_SAME_SESSIONS: sessions,
    DYNN_SAME_ROOT: built.root,
  };
  const run = spawnSync(process.execPath, [built.command, ...args], {
    cwd: folder,
    env,
    encoding: "utf8",
    maxBuffer: 2 ** 28,
  });
  if (run.status === 0) return run.stdout;
  throw new Error(`dynn ${args.join(" ")} ended with ${run.status ?? run.signal}:\n${run.stderr}`);
}

const filesIn = (folder) =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();

/** Each distinct graph that ONNX Runtime opened, numbered by its first appearance. */
function sessionsIn(folder, name, built) {
  const order = join(folder, "order.txt");
  const hashes = existsSync(order) ? new Set(readFileSync(order, "utf8").trim().split("\n")) : new Set();
  return [...hashes].map((hash, i) =>
    sessionArtefact(
      `${name}/sessions/${String(i).padStart(3, "0")}.txt`,
      readFileSync(join(folder, `${hash}.onnx`)),
      JSON.parse(readFileSync(join(folder, `${hash}.json`), "utf8")),
      built,
    ),
  );
}

function keepAll(made, keep) {
  for (const [name, bytes] of made) {
    mkdirSync(dirname(join(keep, name)), { recursive: true });
    writeFileSync(join(keep, name), bytes);
  }
  return Object.fromEntries(made.map(([name, bytes]) => [name, sha256(bytes)]));
}
