/** @file Standard output and error that fail, and names that would steer a terminal. */
import { EventEmitter } from "node:events";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import sharp from "sharp";
import { describe, expect, test } from "vitest";
import { guardStreams } from "../../src/cli/shared/streams.js";
import { cli, network, temporaryFolder } from "./support.js";

const folder = temporaryFolder();

class FakeStream extends EventEmitter {
  text = "";
  write(text: string): boolean {
    this.text += text;
    return true;
  }
  fail(code: string): void {
    this.emit("error", Object.assign(new Error(`${code}: no`), { code }));
  }
}

const guarded = () => {
  const [stdout, stderr] = [new FakeStream(), new FakeStream()];
  let told = 0;
  const failed = guardStreams(stdout as never, stderr as never, () => told++);
  return { stdout, stderr, failed, told: () => told };
};

describe("a stream that fails", () => {
  test("for lack of a reader ends nothing", () => {
    const { stdout, stderr, failed } = guarded();
    stdout.fail("EPIPE");
    stderr.fail("EPIPE");
    expect([failed(), stderr.text]).toEqual([false, ""]);
  });

  test("for lack of space is said once", () => {
    const { stdout, stderr, failed, told } = guarded();
    stdout.fail("ENOSPC");
    stdout.fail("ENOSPC");
    expect([failed(), told(), stderr.text]).toEqual([
      true,
      1,
      "error: standard output: cannot be written (ENOSPC: no). Free some space or print to another place. [file/full]\n",
    ]);
  });
});

test("names of classes and files cannot steer the terminal", async () => {
  const data = join(folder, "data");
  for (const name of ["a\u001b[2J", "b\u202e", "c", "d"]) {
    mkdirSync(join(data, name), { recursive: true });
    await sharp({ create: { width: 8, height: 8, channels: 3, background: "#aa5500" } })
      .png()
      .toFile(join(data, name, "x\u001b]0;t\u0007.png"));
  }
  writeFileSync(join(folder, "net.onnx"), network());
  const results = [
    await cli(
      "classify",
      join(folder, "net.onnx"),
      join(data, "a\u001b[2J"),
      join(data, "b\u202e"),
      "--threshold",
      "0.9",
    ),
    await cli("audit", join(folder, "net.onnx"), "--data", `folder:${data}`, "--attacks", "none", "--threshold", "0.9"),
    await cli("inspect", join(folder, "none\u001b[2J.onnx")),
  ];
  for (const { out, err } of results) {
    expect(out + err).not.toMatch(/(?![\n])[\p{Cc}\p{Bidi_Control}]/u);
  }
  expect(results.map(({ code }) => code)).toEqual([0, 0, 2]);
  expect(results[0].out).toContain("\\u001b]0;t\\u0007.png");
  expect(results[2].err).toContain("none\\u001b[2J.onnx");
});
