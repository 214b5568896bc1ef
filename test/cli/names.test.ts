/** @file Names in errors stay on their line, outputs that links join are refused, and what is no
 *  plain file is refused as first weights. */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { cli, network, npyPair, temporaryFolder } from "./support.js";

const folder = temporaryFolder();
const data = npyPair(folder, "d", { count: 8 });
const model = join(folder, "net.onnx");
writeFileSync(model, network());

describe("a line break in a name", () => {
  test.each([
    ["of a model that is not there", ["inspect", "no\nerror: fake.onnx"]],
    ["of a file that is no model", ["inspect", join(folder, "bad\nname.onnx")]],
    ["of data", ["audit", model, "--data", "npy:a\nb.npy,c.npy"]],
  ])("%s is escaped", async (_, argv) => {
    writeFileSync(join(folder, "bad\nname.onnx"), "no model");
    const { code, err } = await cli(...argv);
    expect(code).not.toBe(0);
    expect(err.trimEnd()).not.toContain("\n");
    expect(err).toContain("\\u000a");
  });

  test("leaves the lines of dynn's own messages", async () => {
    const { err } = await cli("audit", model, "--data", "what");
    expect(err.split("\n").length).toBeGreaterThan(4);
  });
});

describe("two outputs that are one file through links", () => {
  mkdirSync(join(folder, "place"));
  symlinkSync(join(folder, "place"), join(folder, "other"));
  symlinkSync(join(folder, "place", "a.json"), join(folder, "linked.html"));
  test.each([
    ["a link to the file", join(folder, "place", "a.json"), join(folder, "linked.html")],
    ["a link to the folder", join(folder, "place", "a.json"), join(folder, "other", "a.json")],
  ])("%s", async (_, json, report) => {
    for (const command of ["audit", "profile", "calibrate"]) {
      const { code, err } = await cli(command, model, "--data", data, "--json", json, "--report", report);
      expect([code, err]).toEqual([2, expect.stringContaining("--json and --report: both are ")]);
    }
  });
});

describe("first weights that are no plain file are refused at once", () => {
  const call = (path: string) =>
    cli("train", "resnet20", "--data", data, "--recipe", "static", "--init", path, "-o", join(folder, "out.onnx"));

  test("a device and a FIFO", async () => {
    const fifo = join(folder, "pipe.onnx");
    execFileSync("mkfifo", [fifo]);
    for (const [path, kind] of [
      ["/dev/zero", "a device"],
      [fifo, "a FIFO"],
    ])
      expect((await call(path)).err).toContain(`it is ${kind}, expected a plain file`);
  });

  test("a socket", async () => {
    const path = join(mkdtempSync(join(tmpdir(), "s-")), "x.onnx");
    const server = createServer().listen(path);
    await new Promise((done) => server.once("listening", done));
    const { err } = await call(path);
    server.close();
    expect(err).toContain("it is a socket, expected a plain file");
  });
});
