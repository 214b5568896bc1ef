/** @file The command as a process, as people start it: signals, terminals, pipes, a full disk. Runs what `npm run build` made. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { auditRecordSchema } from "../../src/schema/audit-record.js";
import { filesIn, network, npyPair, temporaryFolder } from "./support.js";

const ROOT = join(import.meta.dirname, "../..");
const MAIN = join(ROOT, "dist/cli/main.js");
const folder = temporaryFolder();
const results = join(folder, "results");
const OUTPUTS = ["--json", join(results, "audit.json"), "--report", join(results, "report.html")];
/** Takes much longer than any test waits. */
const LONG = ["audit", "zoo:resnet20-joint", "--samples", "500", "--attacks", "all", ...OUTPUTS];
/** Takes a few seconds. */
const SHORT = ["audit", "zoo:resnet20-joint", "--samples", "32", "--attacks", "pgd", "--radii", "0"];
const hasPty = spawnSync("script", ["--version"]).status === 0;

/** The environment of a process, without what vitest and the tester's shell say of colours. */
const environment = (more: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv => {
  const { NO_COLOR: _, FORCE_COLOR: __, CI: ___, ...rest } = process.env;
  return { ...rest, TERM: "xterm", ...more };
};

interface Ended {
  readonly code: number | null;
  readonly signal: string | null;
  readonly out: string;
  readonly err: string;
}

class Process {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
  out = "";
  err = "";

  constructor(command: string, args: readonly string[], env = environment()) {
    this.child = spawn(command, args, { cwd: folder, env });
    this.child.stdout?.on("data", (part: Buffer) => {
      this.out += part;
    });
    this.child.stderr?.on("data", (part: Buffer) => {
      this.err += part;
    });
    this.ended = new Promise((resolve) =>
      this.child.on("close", (code, signal) => resolve({ code, signal, out: this.out, err: this.err })),
    );
  }

  /** Wait until what it printed satisfies a test. */
  async until(met: (printed: string) => boolean): Promise<void> {
    while (!met(this.out + this.err)) {
      if (this.child.exitCode !== null) throw new Error(`it ended with ${this.child.exitCode}: ${this.out}${this.err}`);
      await pause(20);
    }
  }
}

const pause = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds));

const dynn = (args: readonly string[], env?: NodeJS.ProcessEnv): Process =>
  new Process(process.execPath, [MAIN, ...args], env);

/** Start with a module that runs first. */
const dynnAfter = (module: string, args: readonly string[]): Process =>
  new Process(process.execPath, ["--import", `data:text/javascript,${encodeURIComponent(module)}`, MAIN, ...args]);

/** A module that puts `body` in place of writing a file; `write` is what was there. */
const patchedWrite = (body: string): string => `
  import fs from "node:fs";
  import { syncBuiltinESMExports } from "node:module";
  const write = fs.promises.writeFile;
  fs.promises.writeFile = async (path, bytes) => {${body}};
  syncBuiltinESMExports();`;

/** Start on a terminal of its own. */
const onTerminal = (args: readonly string[], env?: NodeJS.ProcessEnv): Process =>
  new Process("script", ["-qec", [process.execPath, MAIN, ...args].join(" "), "/dev/null"], env);

const [ESCAPE, HIDE, SHOW] = ["\u001b", "\u001b[?25l", "\u001b[?25h"];
/** Whether anything is coloured or bold. */
const coloured = (text: string): boolean => text.split(ESCAPE).some((part) => /^\[[\d;]*m/.test(part));
/** What was last done to the cursor. */
const cursor = (text: string): string => (text.lastIndexOf(SHOW) > text.lastIndexOf(HIDE) ? "shown" : "hidden");

beforeAll(() => {
  if (!existsSync(MAIN)) throw new Error("there is no dist/cli/main.js: run `npm run build` first");
});
beforeEach(() => mkdirSync(results));
afterEach(() => rmSync(results, { recursive: true }));

describe("an interrupted audit", () => {
  const ANNOUNCE =
    'process.on("newListener", (event) => { if (event === "SIGINT") process.stderr.write("listening\\n"); })';

  async function interrupted(...signals: NodeJS.Signals[]): Promise<Ended> {
    const running = dynnAfter(ANNOUNCE, LONG);
    await running.until((printed) => printed.includes("listening"));
    await pause(3000);
    for (const signal of signals) running.child.kill(signal);
    return running.ended;
  }

  it.each(["SIGINT", "SIGTERM"] as const)("by %s says so, exits with 130 and leaves nothing", async (signal) => {
    const { code, out, err } = await interrupted(signal);
    expect([code, out]).toEqual([130, ""]);
    expect(err).toBe("listening\n\nInterrupted. No report was written.\n");
    expect(filesIn(results)).toEqual([]);
  });

  it("twice stops at once and leaves nothing", async () => {
    const { code, out } = await interrupted("SIGINT", "SIGINT");
    expect([code, out]).toEqual([130, ""]);
    expect(filesIn(results)).toEqual([]);
  });

  it.skipIf(!hasPty)("by Ctrl-C on a terminal gives the cursor back", async () => {
    const running = onTerminal(LONG);
    await running.until((printed) => printed.includes("ETA") && cursor(printed) === "hidden");
    running.child.stdin?.write("\x03");
    const { code, out } = await running.ended;
    expect(code).toBe(130);
    expect(out).toContain("Interrupted. No report was written.");
    expect(cursor(out)).toBe("shown");
    expect(filesIn(results)).toEqual([]);
  });

  it.skipIf(!hasPty)("by Ctrl-C twice on a terminal gives the cursor back", async () => {
    const running = onTerminal(LONG);
    await running.until((printed) => printed.includes("ETA") && cursor(printed) === "hidden");
    running.child.stdin?.write("\x03\x03");
    const { code, out } = await running.ended;
    expect(code).toBe(130);
    expect(cursor(out)).toBe("shown");
    expect(filesIn(results)).toEqual([]);
  });
});

describe("an audit interrupted while it writes", () => {
  /** Sends signals to itself, once, when the bytes of a file are about to be written. */
  const whileWriting = (times: number): string =>
    patchedWrite(`
      for (let i = 0; i < ${times} && !globalThis.sent; i++) process.kill(process.pid, "SIGINT");
      globalThis.sent = true;
      await new Promise((resolve) => setTimeout(resolve, 200));
      return write(path, bytes);`);
  const small = (): string[] => {
    writeFileSync(join(folder, "net.onnx"), network());
    const data = npyPair(folder, "data");
    return ["audit", join(folder, "net.onnx"), "--data", data, "--threshold", "0.5", "--attacks", "fgsm", ...OUTPUTS];
  };

  it("once finishes: the files are whole and alone", async () => {
    const { code } = await dynnAfter(whileWriting(1), small()).ended;
    expect(code).toBe(0);
    expect(filesIn(results)).toEqual(["audit.json", "report.html"]);
    auditRecordSchema.parse(JSON.parse(readFileSync(join(results, "audit.json"), "utf8")));
    expect(readFileSync(join(results, "report.html"), "utf8").trimEnd().endsWith("</html>")).toBe(true);
  });

  it("twice leaves no temporary file", async () => {
    const { code } = await dynnAfter(whileWriting(2), small()).ended;
    expect(code).toBe(130);
    expect(filesIn(results)).toEqual([]);
  });
});

describe("progress and colours", () => {
  it("are left out of pipes, even where CI is set", async () => {
    const { code, out, err } = await dynn(SHORT, environment({ CI: "true" })).ended;
    expect([code, err]).toEqual([0, ""]);
    expect(out).toContain("pgd");
    expect(out).not.toContain(ESCAPE);
  });

  it.skipIf(!hasPty)("are shown on a terminal, with an ETA", async () => {
    const { code, out } = await onTerminal(SHORT).ended;
    expect(code).toBe(0);
    expect(out).toMatch(/pgd +█*░* \d+\/32 {2}ETA \S+/);
    expect(coloured(out)).toBe(true);
    expect(cursor(out)).toBe("shown");
  });

  it.skipIf(!hasPty)("are shown without colours where NO_COLOR is set", async () => {
    const { out } = await onTerminal(SHORT, environment({ NO_COLOR: "1" })).ended;
    expect(out).toContain("ETA");
    expect(coloured(out)).toBe(false);
  });

  it("colours can be forced", async () => {
    expect(coloured((await dynn(["inspect", "zoo:resnet20-joint"], environment({ FORCE_COLOR: "1" })).ended).out)).toBe(
      true,
    );
  });
});

describe("a pipe", () => {
  it("whose reader leaves early is no failure", async () => {
    const line = `("${process.execPath}" "${MAIN}" inspect zoo:resnet20-joint --graph; echo "exit $?" >&2) | head -n 1`;
    const { out, err } = await new Process("sh", ["-c", line]).ended;
    expect(out).toBe("graph resnet20 (opset 17)\n");
    expect(err).toBe("exit 0\n");
  });

  it("gets the whole JSON", async () => {
    const { code, out } = await dynn(["inspect", "zoo:resnet20-joint", "--json", "-"]).ended;
    expect(code).toBe(0);
    expect(JSON.parse(out).exits).toHaveLength(7);
  });
});

describe("a disk without room", () => {
  const FULL = patchedWrite(`
    await write(path, bytes.subarray(0, bytes.length / 2));
    throw Object.assign(new Error("ENOSPC: no space left on device, write"), { code: "ENOSPC" });`);

  it("is named, and what was there before stays", async () => {
    const file = join(results, "found.json");
    writeFileSync(file, "before");
    const { code, err } = await dynnAfter(FULL, ["inspect", "zoo:resnet20-joint", "--json", file]).ended;
    expect(err.replace(/\d+ bytes/, "N bytes").replace(file, "found.json")).toBe(
      "error: found.json: the disk is too full for N bytes (ENOSPC: no space left on device, write). Free some space or choose another place. [file/full]\n",
    );
    expect(code).toBe(1);
    expect(readFileSync(file, "utf8")).toBe("before");
    expect(filesIn(results)).toEqual(["found.json"]);
  });
});

describe("a failure", () => {
  it("is one line on standard error, without a stack", async () => {
    expect(await dynn(["inspect", "nowhere.onnx"]).ended).toEqual({
      code: 2,
      signal: null,
      out: "",
      err: "error: nowhere.onnx: there is no such file. Check the path. [file/missing]\n",
    });
  });
});
