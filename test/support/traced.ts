/** @file Runs a program as a child in fresh folders and says all that it wrote and whom it spoke to. The system calls come from strace,
 *  which sees native code as well as JavaScript, and files that were removed again. */
import { spawn, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative, resolve } from "node:path";

/** System calls that make, change or remove a file, or reach beyond the process. `?`: not there on every processor. */
const CALLS =
  "%network,?open,openat,?openat2,?creat,?mkdir,mkdirat,?rename,?renameat,renameat2,?link,linkat,?symlink,symlinkat,?mknod,mknodat,truncate,?unlink,unlinkat";
const STRACE = ["-D", "-f", "--seccomp-bpf", "-qq", "-y", "-s", "4096", "-e", `trace=${CALLS}`, "-e", "signal=none"];

/** Why programs cannot be traced here, or nothing. */
export const untraceable = ((): string | undefined => {
  if (process.platform !== "linux") return "strace is a program for Linux";
  const folder = mkdtempSync(join(tmpdir(), "dynn-traced-"));
  const tried = spawnSync("strace", [...STRACE, "-o", join(folder, "calls"), "true"], { encoding: "utf8" });
  rmSync(folder, { recursive: true });
  if (tried.error) return "strace is not installed";
  return tried.status === 0 ? undefined : `strace cannot trace here: ${tried.stderr.trim()}`;
})();

/** What a program left and did. Paths are relative to its folder of work; those of others are absolute. */
export interface Footprint {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
  /** Top-level names in the folder of work. */
  readonly outputs: readonly string[];
  /** Files and folders in its home, cache, configuration and temporary folders. */
  readonly strays: readonly string[];
  /** Paths outside the folder of work that were opened for writing, made, renamed or removed, even for a moment. */
  readonly touched: readonly string[];
  /** Each call that named an address: `connect 127.0.0.1:80`, `bind ::1:80`, `send 1.2.3.4:53`, `connect /path/of/socket`. */
  readonly addresses: readonly string[];
}

export interface Traced {
  readonly pid: number;
  /** Wait for something in standard output.
   * @throws Error when the program ends before */
  readonly said: (pattern: RegExp) => Promise<RegExpExecArray>;
  readonly ended: Promise<Footprint>;
}

const STRAY_PLACES = ["home", "config", "cache", "data", "state", "tmp"] as const;

/** The environment of a machine on which nothing was said of telemetry. ONNX Runtime is silent where CI is set, so that is left out. */
const environment = (root: string, more: NodeJS.ProcessEnv): NodeJS.ProcessEnv => ({
  PATH: process.env.PATH,
  HOME: join(root, "home"),
  TMPDIR: join(root, "tmp"),
  ...Object.fromEntries(
    ["config", "cache", "data", "state"].map((k) => [`XDG_${k.toUpperCase()}_HOME`, join(root, k)]),
  ),
  // strace does not see what goes through io_uring.
  UV_USE_IO_URING: "0",
  ...more,
});

/** Start node in fresh folders, its current folder among them. */
export function traced(argv: readonly string[], more: NodeJS.ProcessEnv = {}): Traced {
  const root = realpathSync(mkdtempSync(join(tmpdir(), "dynn-traced-")));
  for (const place of [...STRAY_PLACES, "work"]) mkdirSync(join(root, place));
  const log = join(root, "calls");
  const child = spawn("strace", [...STRACE, "-o", log, process.execPath, ...argv], {
    cwd: join(root, "work"),
    env: environment(root, more),
  });
  const printed = { out: "", err: "" };
  child.stdout.on("data", (part: Buffer) => {
    printed.out += part;
  });
  child.stderr.on("data", (part: Buffer) => {
    printed.err += part;
  });
  const ended = new Promise<Footprint>((done, failed) => {
    child.on("error", failed);
    // strace is a process apart (-D) that holds the same pipes: when they close, its file is whole.
    child.on("close", (code) => {
      done({ code, ...printed, ...footprint(root, readFileSync(log, "utf8")) });
      rmSync(root, { recursive: true, force: true });
    });
  });
  const said = async (pattern: RegExp): Promise<RegExpExecArray> => {
    for (;;) {
      const found = pattern.exec(printed.out);
      if (found) return found;
      if (child.exitCode !== null) throw new Error(`it ended with ${child.exitCode}: ${printed.out}${printed.err}`);
      await new Promise((again) => setTimeout(again, 20));
    }
  };
  return { pid: child.pid ?? 0, said, ended };
}

function footprint(root: string, log: string): Pick<Footprint, "outputs" | "strays" | "touched" | "addresses"> {
  const lines = log.split("\n").map((line) => line.replace(/^\d+ +/, ""));
  const work = join(root, "work");
  const paths = new Set(lines.flatMap((line) => pathsOf(line, work)));
  return {
    outputs: readdirSync(work).sort(),
    strays: STRAY_PLACES.flatMap((place) =>
      readdirSync(join(root, place), { recursive: true, encoding: "utf8" }).map((name) => `${place}/${name}`),
    ).sort(),
    touched: [...paths]
      .filter((path) => !path.startsWith(`${work}/`) && !IGNORED.test(path))
      .map((path) => (path.startsWith(root) ? relative(root, path) : path))
      .sort(),
    addresses: [...new Set(lines.flatMap(addressOf))].sort(),
  };
}

/** No files: they keep nothing. */
const IGNORED = /^\/dev\/(null|tty)$|^\/proc\/self\//;

/** Paths that a system call changes; relative ones start at a folder in the call or at `current`. */
function pathsOf(line: string, current: string): string[] {
  const [, call = "", args = ""] = /^(\w+)\((.*)$/.exec(line) ?? [];
  if (!/^(open|creat|mk|rename|link|symlink|truncate|unlink)/.test(call)) return [];
  if (call.startsWith("open") && !/O_(WRONLY|RDWR|CREAT|TRUNC)/.test(args)) return [];
  return [...args.matchAll(/(?:<([^>]*)>, )?"((?:[^"\\]|\\.)*)"/g)].map(([, base = current, path = ""]) =>
    resolve(base, path),
  );
}

/** The address in a system call, if it has one. */
function addressOf(line: string): string[] {
  const [, call = "", family = ""] = /^(connect|bind|sendto|sendmsg|sendmmsg)\(.*?sa_family=(\w+)/.exec(line) ?? [];
  if (family === "") return [];
  const [, host] = /inet_(?:addr\(|pton\(AF_INET6, )"([^"]*)"/.exec(line) ?? [];
  const [, port] = /sin6?_port=htons\((\d+)\)/.exec(line) ?? [];
  const [, path] = /sun_path=@?"([^"]*)"/.exec(line) ?? [];
  const verb = call.startsWith("send") ? "send" : call;
  return [`${verb} ${path ?? (host === undefined ? family : `${host}:${port}`)}`];
}
