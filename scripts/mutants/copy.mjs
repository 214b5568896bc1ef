/** @file A copy of the checkout in the temporary folder, for one mutant after the other. Sources
 *  and tests are copied, and all else is linked. */
import { spawn } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { root } from "../../bench/record.mjs";

const COPIED = ["src", "test", "package.json", "tsconfig.json", "vitest.config.ts"];
const LINKED = ["node_modules", "zoo", "samples", "docs", "examples", "bench", "scripts", "README.md"];
/** A mutant that writes without end must not fill the disk, so files of a test run have at most
 *  512 MiB, in blocks of 512 bytes. */
const MOST_BLOCKS = 2 ** 20;
/** Characters of a process's output that are kept, the last ones. */
const MOST_OUTPUT = 20_000;

const escaped = (text) => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");

/** The command under a limit for the files that its processes write. Windows has no such limit. */
const bounded = (command) =>
  process.platform === "win32" ? command : ["/bin/sh", "-c", `ulimit -f ${MOST_BLOCKS}; exec "$@"`, "sh", ...command];

export class Copy {
  #folder = mkdtempSync(join(tmpdir(), "dynn-mutants-"));
  #slow;
  /** The process that runs the tests, and what it printed. */
  #tester;
  #output = "";
  /** Files that changed since the process has read them. */
  #changed = new Set();

  /** @param slow whether slow tests can be run too */
  constructor({ slow = false } = {}) {
    this.#slow = slow;
    for (const name of COPIED) cpSync(join(root, name), join(this.#folder, name), { recursive: true });
    for (const name of LINKED) symlinkSync(join(root, name), join(this.#folder, name));
    mkdirSync(join(this.#folder, "tmp"));
  }

  /** Put other text in place of a part of a file.
   * @returns what undoes it */
  replace(file, from, to, text) {
    const path = join(this.#folder, file);
    const before = readFileSync(path, "utf8");
    const write = (content) => {
      writeFileSync(path, content);
      this.#changed.add(file);
    };
    write(before.slice(0, from) + text + before.slice(to));
    return () => write(before);
  }

  /** Run test files, or only the tests whose names hold `pattern`.
   * @returns full names of all tests that ran and of those that failed, what else went wrong, and
   *          whether the time was over */
  async run(files, { pattern, limitMs }) {
    const tester = await this.#started();
    const changed = [...this.#changed];
    this.#changed.clear();
    const job = { changed, files, pattern: pattern === undefined ? undefined : escaped(pattern) };
    const result = await answerOf(tester, job, limitMs);
    if (result) return { ...result, timedOut: false, output: this.#output };
    this.#kill();
    return { tests: [], failed: [], errors: [], timedOut: tester.exitCode === null, output: this.#output };
  }

  /** The process that runs tests; a new one when there is none. */
  async #started() {
    if (this.#tester) return this.#tester;
    const [program, ...args] = bounded([process.execPath, join(root, "scripts/mutants/tester.mjs")]);
    const { DYNN_TESTS, ...env } = process.env;
    const tester = spawn(program, args, {
      cwd: this.#folder,
      env: {
        ...env,
        TMPDIR: join(this.#folder, "tmp"),
        DYNN_SHARED: env.DYNN_SHARED ?? resolve(root, "../shared"),
        ...(this.#slow ? {} : { DYNN_TESTS: "long" }),
      },
      stdio: ["ignore", "pipe", "pipe", "ipc"],
      detached: true,
    });
    this.#tester = tester;
    this.#output = "";
    for (const stream of [tester.stdout, tester.stderr])
      stream.on("data", (text) => {
        this.#output = (this.#output + text).slice(-MOST_OUTPUT);
      });
    if ((await answerOf(tester, undefined, 120_000)) === "ready") return tester;
    throw new Error(`the process that runs the tests did not start:\n${this.#output}`);
  }

  /** End the process that runs tests and its workers: they are one group. */
  #kill() {
    if (this.#tester?.pid === undefined) return;
    try {
      process.kill(-this.#tester.pid, "SIGKILL");
    } catch {
      // The group has ended by itself.
    }
    this.#tester = undefined;
  }

  /** End what runs, and remove the copy. */
  remove() {
    this.#kill();
    // A process that is being ended may still write for a moment.
    rmSync(this.#folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
  }
}

/** The next message of a process.
 * @param job     sent first, unless undefined
 * @returns undefined when the process ends, or when the time is over */
function answerOf(child, job, limitMs) {
  return new Promise((done) => {
    const timer = setTimeout(() => finish(undefined), limitMs);
    const finish = (message) => {
      clearTimeout(timer);
      child.off("message", finish);
      child.off("close", ended);
      done(message);
    };
    const ended = () => finish(undefined);
    child.on("message", finish);
    child.on("close", ended);
    if (job !== undefined) child.send(job);
  });
}
