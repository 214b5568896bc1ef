/** @file Outputs: names, links, temporary files of killed runs, locks, and the exchange of two
 *  folders. */
import { spawn, spawnSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeEach, describe, expect, test } from "vitest";
import { openBundle } from "../../src/node/deploy/bundle.js";
import { exportConditional, exportStaged } from "../../src/node/deploy/export.js";
import { checkReplaceable } from "../../src/node/deploy/files.js";
import { LOCK, lockFolder } from "../../src/node/folder-lock.js";
import { ortNode } from "../../src/node/ort-node/index.js";
import { checkWritable, replaceFile, sweep, TARGET } from "../../src/node/output-files.js";
import { hostKey, startOf } from "../../src/node/processes.js";
import type { Policy } from "../../src/schema/policy.js";
import { images, randomModel } from "../deploy/support.js";

const root = mkdtempSync(join(tmpdir(), "dynn-outputs-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));
let folder = root;
beforeEach(() => {
  folder = mkdtempSync(join(root, "case-"));
});

const said = (work: Promise<unknown>): Promise<string> => work.then(() => "nothing was thrown", String);
/** The number of a process that was and has ended. */
const deadPid = (): number => spawnSync(process.execPath, ["-e", ""]).pid;
const text = (value: string): Uint8Array => new TextEncoder().encode(value);

describe("the name of an output", () => {
  test.each([
    ["longer than file systems take", "x".repeat(256)],
    ["that was not UTF-8", "caf\ufffd.json"],
  ])("%s is refused before the work, and nothing is left", async (_, name) => {
    expect(await said(checkWritable(join(folder, name)))).toMatch(/cannot be written.*\[file\/unwritable\]$/);
    expect(await said(checkReplaceable(join(folder, name)))).toMatch(/cannot be written.*\[file\/unwritable\]$/);
    expect(readdirSync(folder)).toEqual([]);
  });

  test("as long as file systems take it is written", async () => {
    const path = join(folder, "x".repeat(255));
    await checkWritable(path);
    await replaceFile(path, text("whole"));
    expect(readdirSync(folder)).toEqual(["x".repeat(255)]);
  });

  test("of a folder that can be made leaves no folder", async () => {
    await checkReplaceable(join(folder, "bundle"));
    expect(readdirSync(folder)).toEqual([]);
  });
});

describe.skipIf(process.platform === "win32")("an output that is a link", () => {
  const backend = ortNode({ threads: 1 });
  const model = randomModel({ kind: "branches", exits: 3, classes: 4, seed: 3 });
  const policy: Policy = { rule: "max-softmax", thresholds: [0.6, 0.7], fallback: "final" };
  const options = { backend, policy, images: images(2) };

  test("stays a link: the file that it names is replaced, and keeps its mode", async () => {
    mkdirSync(join(folder, "store"));
    writeFileSync(join(folder, "store", "real"), "old", { mode: 0o640 });
    symlinkSync(join("store", "real"), join(folder, "link"));
    await checkWritable(join(folder, "link"));
    await replaceFile(join(folder, "link"), text("new"));
    expect(readlinkSync(join(folder, "link"))).toBe(join("store", "real"));
    expect(readFileSync(join(folder, "store", "real"), "utf8")).toBe("new");
    expect(statSync(join(folder, "store", "real")).mode & 0o777).toBe(0o640);
  });

  test("to a file that is not there makes it", async () => {
    symlinkSync("later", join(folder, "link"));
    await replaceFile(join(folder, "link"), text("new"));
    expect([lstatSync(join(folder, "link")).isSymbolicLink(), readFileSync(join(folder, "later"), "utf8")]).toEqual([
      true,
      "new",
    ]);
  });

  test("in a circle is refused", async () => {
    symlinkSync("b", join(folder, "a"));
    symlinkSync("a", join(folder, "b"));
    expect(await said(checkWritable(join(folder, "a")))).toMatch(/lead in a circle.*\[file\/unwritable\]$/);
  });

  test("stays a link for an exported file and an exported folder too", async () => {
    mkdirSync(join(folder, "store"));
    symlinkSync(join("store", "early.onnx"), join(folder, "early.onnx"));
    symlinkSync(join("store", "bundle"), join(folder, "bundle"));
    for (let times = 0; times < 2; times++) {
      await exportConditional(model, join(folder, "early.onnx"), options);
      await exportStaged(model, join(folder, "bundle"), options);
    }
    expect(["early.onnx", "bundle"].map((name) => lstatSync(join(folder, name)).isSymbolicLink())).toEqual([
      true,
      true,
    ]);
    expect(readdirSync(join(folder, "store")).sort()).toEqual(["bundle", "early.onnx"]);
    expect((await openBundle(join(folder, "bundle"))).parts).toHaveLength(3);
    expect(readdirSync(folder).sort()).toEqual(["bundle", "early.onnx", "store"]);
  });

  test("a replaced folder that was killed between its two renames is put in its place when it is opened", async () => {
    await exportStaged(model, join(folder, "bundle"), options);
    const temporary = join(folder, `.dynn-${hostKey()}-${deadPid()}-0.tmp`);
    mkdirSync(temporary);
    writeFileSync(join(temporary, TARGET), "bundle");
    cpSync(join(folder, "bundle"), join(temporary, "new"), { recursive: true });
    cpSync(join(folder, "bundle"), join(temporary, "old"), { recursive: true });
    rmSync(join(folder, "bundle"), { recursive: true });
    expect((await openBundle(join(folder, "bundle"))).parts).toHaveLength(3);
    expect(readdirSync(folder)).toEqual(["bundle"]);
  });

  test("the export is killed at the worst moment: the next look at the bundle finds the new one", async () => {
    const bundle = join(folder, "bundle");
    mkdirSync(bundle);
    writeFileSync(join(bundle, "which"), "old");
    const out = JSON.stringify(join(folder, `.dynn-${hostKey()}-`));
    const child = spawnSync(process.execPath, [
      "-e",
      `const fs = require("fs"); const t = ${out} + process.pid + "-0.tmp"; fs.mkdirSync(t + "/new", { recursive: true });
       fs.writeFileSync(t + "/new/which", "new"); fs.writeFileSync(t + "/${TARGET}", "bundle");
       fs.renameSync(${JSON.stringify(bundle)}, t + "/old"); process.kill(process.pid, "SIGKILL");`,
    ]);
    expect([child.signal, existsSync(bundle)]).toEqual(["SIGKILL", false]);
    sweep(folder);
    expect([readdirSync(folder), readFileSync(join(bundle, "which"), "utf8")]).toEqual([["bundle"], "new"]);
  });
});

describe("temporary files", () => {
  test("of processes that have ended are swept at the next output; those of others stay", async () => {
    const names = {
      dead: `.dynn-${hostKey()}-${deadPid()}-3.tmp`,
      alive: `.dynn-${hostKey()}-${process.ppid}-3.tmp`,
      elsewhere: `.dynn-00000000-${deadPid()}-3.tmp`,
      foreign: ".dynn-notes.tmp",
    };
    for (const name of Object.values(names)) writeFileSync(join(folder, name), "");
    await checkWritable(join(folder, "out"));
    expect(readdirSync(folder).sort()).toEqual([names.alive, names.elsewhere, names.foreign].sort());
  });
});

describe("the lock of a folder", () => {
  test("keeps another process out while it runs, and not when it was killed", async () => {
    const lock = { host: hostKey(), since: "2026-01-01T00:00:00.000Z" };
    const child = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"]);
    const { pid } = child as { pid: number };
    writeFileSync(join(folder, LOCK), JSON.stringify({ ...lock, pid, start: startOf(pid) }));
    expect(() => lockFolder(folder)).toThrow(
      new RegExp(`process ${pid} has worked in it since 2026.*\\[file/locked\\]`),
    );
    const ended = new Promise((resolve) => child.on("exit", resolve));
    child.kill("SIGKILL");
    await ended;
    lockFolder(folder).release();
    expect(readdirSync(folder)).toEqual([]);
  });

  test.skipIf(process.platform !== "linux")("counts for nothing when its process number is another's by now", () => {
    const lock = { pid: process.ppid, host: hostKey(), start: "1", since: "2026-01-01T00:00:00.000Z" };
    writeFileSync(join(folder, LOCK), JSON.stringify(lock));
    lockFolder(folder).release();
    expect(readdirSync(folder)).toEqual([]);
  });

  test.skipIf(process.platform !== "linux")("counts for nothing when its process is a zombie", async () => {
    // The shell starts a process, becomes one that never asks how it ended, and says its number.
    const parent = spawn("bash", ["-c", "sleep 0.05 & echo $!; exec sleep 20"], {
      stdio: ["ignore", "pipe", "ignore"],
    });
    const pid = Number(await new Promise<Buffer>((said) => parent.stdout.once("data", said)));
    await new Promise((resolve) => setTimeout(resolve, 400));
    const lock = { pid, host: hostKey(), start: startOf(pid), since: "2026-01-01T00:00:00.000Z" };
    writeFileSync(join(folder, LOCK), JSON.stringify(lock));
    lockFolder(folder).release();
    expect(readdirSync(folder)).toEqual([]);
    parent.kill();
  });

  test("of another machine is respected", () => {
    const lock = { pid: deadPid(), host: "00000000", since: "2026-01-01T00:00:00.000Z" };
    writeFileSync(join(folder, LOCK), JSON.stringify(lock));
    expect(() => lockFolder(folder)).toThrow(/of another machine.*remove \.dynn-lock.*\[file\/locked\]/);
  });

  test("that is being written is respected", () => {
    writeFileSync(join(folder, LOCK), "");
    expect(() => lockFolder(folder)).toThrow(/\[file\/locked\]/);
  });
});
