/** @file The command as a process, as people start it: signals, terminals, pipes, a full disk. Runs
 *  what `npm run build` made. */
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
    expect(err).toBe(
      "listening\n\nInterrupted. No report was written, and nothing is kept. With --keep FOLDER, the same command goes on where it stopped.\n",
    );
    expect(filesIn(results)).toEqual([]);
  });

  it("with --keep says what is kept and how to go on, and the same command ends", async () => {
    const keep = join(folder, "kept");
    const call = ["audit", "zoo:resnet20-joint", "--samples", "64", "--attacks", "fgsm,apgd-dlr", "--eps", "1/255"];
    const running = dynn([...call, "--radii", "0", "--batch", "8", "--keep", keep]);
    while (!existsSync(keep) || !filesIn(keep).some((name) => /^apgd-dlr\.part-.*json$/.test(name))) {
      expect(running.child.exitCode).toBeNull();
      await pause(20);
    }
    running.child.kill("SIGINT");
    const { code, out, err } = await running.ended;
    expect([code, out]).toEqual([130, ""]);
    expect(err).toBe(
      `\nInterrupted. No report was written. ${keep} keeps the images of 1 of 2 attacks, and finished samples of the one that ran. The same command goes on from there.\n`,
    );
    expect((await dynn([...call, "--radii", "0", "--keep", keep]).ended).code).toBe(0);
    expect(filesIn(keep)).toContain("apgd-dlr.npy");
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
    expect(out).toContain("Interrupted. No report was written");
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

describe("standard streams", () => {
  const train = (name: string, ...more: readonly string[]): string => {
    const data = npyPair(folder, "streams", { count: 120 });
    const fixed = ["--width", "0.13", "--batch", "20", "--workers", "0", "--epochs", "2", ...more];
    const argv = ["train", "resnet20", "--data", data, "--recipe", "static", ...fixed, "-o", join(folder, name)];
    return [process.execPath, MAIN, ...argv].join(" ");
  };

  it("that nobody reads to their end do not end a training", async () => {
    const { out } = await new Process("bash", [
      "-c",
      `set -o pipefail; ${train("piped.onnx")} 2>&1 | head -1; echo ended $?`,
    ]).ended;
    expect(out).toMatch(/^epoch 1\/2 .*\nended 0\n$/);
    expect(existsSync(join(folder, "piped.onnx"))).toBe(true);
  });

  it("on a disk that is full give a message", async () => {
    const inspect = [process.execPath, MAIN, "inspect", "zoo:resnet20-joint"].join(" ");
    const { out, err } = await new Process("bash", ["-c", `(ulimit -f 0; ${inspect} > full.txt); echo ended $?`]).ended;
    expect(out).toBe("ended 1\n");
    expect(err).toMatch(/^error: standard output: cannot be written \(EFBIG.*\[file\/full\]\n$/);
  });

  it("a training that is killed in its first second starts over with --resume", async () => {
    for (const wait of ["0.1", "0.6", "1.0"]) {
      const name = `killed-${wait}.onnx`;
      const killed = `timeout -s KILL ${wait} ${train(name)}; true`;
      await new Process("bash", ["-c", killed]).ended;
      const { code, err } = await new Process("bash", ["-c", train(name, "--resume")]).ended;
      expect([wait, code]).toEqual([wait, 0]);
      if (wait !== "1.0") expect(err).toContain("holds no checkpoint yet, so the run starts over");
    }
  });

  it("a second training in the same run folder is refused, and the first goes on", async () => {
    const first = new Process("bash", ["-c", `exec ${train("shared.onnx", "--epochs", "5000")}`]);
    await first.until((printed) => /epoch +1\//.test(printed));
    const second = await new Process("bash", ["-c", train("shared.onnx", "--resume")]).ended;
    expect([second.code, second.err]).toEqual([
      1,
      expect.stringMatching(/has worked in it since .*\[file\/locked\]\n$/),
    ]);
    first.child.kill("SIGINT");
    expect((await first.ended).code).toBe(130);
  });
});
