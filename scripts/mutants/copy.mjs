/** @file A copy of the checkout in the temporary folder, for one mutant after the other. Sources and
 *  tests are copied, and all else is linked. */
import { spawn } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { root } from "../../bench/record.mjs";

const COPIED = ["src", "test", "package.json", "tsconfig.json", "vitest.config.ts"];
const LINKED = ["node_modules", "zoo", "samples", "docs", "examples", "bench", "scripts", "README.md"];

/** A mutant that writes without end must not fill the disk, so files of a test run have at most
 *  512 MiB, in blocks of 512 bytes. */
const MOST_BLOCKS = 2 ** 20;
/** Characters of a run's output that are kept, the last ones. */
const MOST_OUTPUT = 20_000;

const escaped = (text) => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");

/** The command under a limit for the files that its processes write. Windows has no such limit. */
const bounded = (command) =>
  process.platform === "win32" ? command : ["/bin/sh", "-c", `ulimit -f ${MOST_BLOCKS}; exec "$@"`, "sh", ...command];

export class Copy {
  #folder = mkdtempSync(join(tmpdir(), "dynn-mutants-"));
  #child;

  constructor() {
    for (const name of COPIED) cpSync(join(root, name), join(this.#folder, name), { recursive: true });
    for (const name of LINKED) symlinkSync(join(root, name), join(this.#folder, name));
    mkdirSync(join(this.#folder, "tmp"));
  }

  /** Put other text in place of a part of a file.
   * @returns what undoes it */
  replace(file, from, to, text) {
    const path = join(this.#folder, file);
    const before = readFileSync(path, "utf8");
    writeFileSync(path, before.slice(0, from) + text + before.slice(to));
    return () => writeFileSync(path, before);
  }

  /** Run test files, or only the tests whose names hold `pattern`.
   * @returns full names of all tests that ran, and of those that failed */
  async run(files, { pattern, slow = false, limitMs }) {
    const result = join(this.#folder, "result.json");
    rmSync(result, { force: true });
    const args = ["run", ...files, "--no-cache", "--reporter=json", `--outputFile=${result}`];
    if (pattern !== undefined) args.push("-t", escaped(pattern));
    const { output, timedOut } = await this.#vitest(args, slow, limitMs);
    const suites = existsSync(result) ? JSON.parse(readFileSync(result, "utf8")).testResults : [];
    const ran = suites.flatMap(({ assertionResults }) => assertionResults).filter(({ status }) => status !== "skipped");
    const names = (tests) => tests.map(({ fullName }) => fullName);
    return { tests: names(ran), failed: names(ran.filter(({ status }) => status === "failed")), timedOut, output };
  }

  #vitest(args, slow, limitMs) {
    const { DYNN_FAST, ...env } = process.env;
    const [program, ...rest] = bounded([process.execPath, join(root, "node_modules/vitest/vitest.mjs"), ...args]);
    return new Promise((done) => {
      const child = spawn(program, rest, {
        cwd: this.#folder,
        env: {
          ...env,
          TMPDIR: join(this.#folder, "tmp"),
          DYNN_SHARED: env.DYNN_SHARED ?? resolve(root, "../shared"),
          ...(slow ? {} : { DYNN_FAST: "1" }),
        },
        stdio: ["ignore", "pipe", "pipe"],
        detached: true,
      });
      this.#child = child;
      let [output, timedOut] = ["", false];
      for (const stream of [child.stdout, child.stderr])
        stream.on("data", (text) => (output = (output + text).slice(-MOST_OUTPUT)));
      const timer = setTimeout(() => {
        timedOut = true;
        this.#kill();
      }, limitMs);
      child.on("close", () => {
        clearTimeout(timer);
        this.#child = undefined;
        done({ output, timedOut });
      });
    });
  }

  /** The test run and its workers: they are one group of processes. */
  #kill() {
    if (this.#child?.pid === undefined) return;
    try {
      process.kill(-this.#child.pid, "SIGKILL");
    } catch {
      // The group has ended by itself.
    }
  }

  /** End what runs, and remove the copy. */
  remove() {
    this.#kill();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
