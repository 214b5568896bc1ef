/** @file Training runs that are repeated, stopped, killed and starved of disk: all end with the same bytes, or say what to do.
 *  Runs in this process make batches between the steps; those in a process of their own run what `npm run build` made. */
import { spawn } from "node:child_process";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { run } from "../../src/cli/run.js";
import { readCheckpoint } from "../../src/training/run/checkpoint.js";
import { cli, filesIn, npyPair, type Ran, temporaryFolder } from "./support.js";

const MAIN = join(import.meta.dirname, "../../dist/cli/main.js");
const folder = temporaryFolder();
const at = (name: string): string => join(folder, name);
const data = npyPair(folder, "train", { count: 120 });
const JOINT = ["resnet20", "--data", data, "--recipe", "joint", "--exits", "30,60", "--epochs", "3", "--width", "0.13"];
const HERE = [...JOINT, "--batch", "10", "--workers", "0"];
const train = (out: string, ...argv: readonly string[]): Promise<Ran> => cli("train", ...argv, "-o", at(out));
const bytes = (name: string): Buffer => readFileSync(at(name));
const same = (a: string, b: string): boolean => bytes(a).equals(bytes(b));

/** The same in this process, with Ctrl-C some milliseconds after the first epoch. */
async function interrupted(out: string, after: number, ...argv: readonly string[]): Promise<Ran> {
  let err = "";
  const stop = () => process.emit("SIGINT", "SIGINT");
  const code = await run(["train", ...argv, "-o", at(out)], {
    out: () => {},
    err: (text) => {
      err += text;
      if (text.startsWith("epoch 1/")) {
        if (after === 0) stop();
        else setTimeout(stop, after);
      }
    },
  });
  return { code, out: "", err };
}

beforeAll(async () => {
  if (!existsSync(MAIN)) throw new Error("there is no dist/cli/main.js: run `npm run build` first");
  expect((await train("whole.onnx", ...HERE)).code).toBe(0);
});

describe("a run", () => {
  it("gives the same bytes again, and others from another seed", async () => {
    await train("again.onnx", ...HERE);
    expect(same("again.onnx", "whole.onnx")).toBe(true);
    await train("other.onnx", ...HERE, "--seed", "1");
    expect(same("other.onnx", "whole.onnx")).toBe(false);
  });

  it("that is finished is finished once more with --resume, and begun anew without", async () => {
    rmSync(at("again.onnx"));
    expect((await train("again.onnx", ...HERE, "--resume")).code).toBe(0);
    expect(same("again.onnx", "whole.onnx")).toBe(true);
    expect((await train("again.onnx", ...HERE)).code).toBe(0);
    expect(same("again.onnx", "whole.onnx")).toBe(true);
  });
});

describe("a run that is stopped", () => {
  it.each([
    ["after an epoch", 0, "the end of epoch 1"],
    ["within an epoch", 30, "epoch 2, step \\d+"],
  ])("%s says so, and ends with the same bytes when resumed", async (_, after, place) => {
    const out = `stopped-${after}.onnx`;
    const { code, err } = await interrupted(out, after, ...HERE);
    expect(code).toBe(130);
    expect(err).toMatch(
      new RegExp(
        `Interrupted\\. The run is saved up to ${place}: the same command with --resume continues from there\\.\n$`,
      ),
    );
    expect(existsSync(at(out))).toBe(false);
    const resumed = await train(out, ...HERE, "--resume");
    expect(resumed.err).toMatch(new RegExp(`^continuing from ${place}\n`));
    expect(resumed.code).toBe(0);
    expect(same(out, "whole.onnx")).toBe(true);
    const metrics = bytes(`stopped-${after}.run/metrics.jsonl`).toString().trimEnd().split("\n");
    expect(metrics.map((line) => JSON.parse(line).epoch)).toEqual([0, 1, 2]);
  });
});

/** A process that trains; `before` is a module that runs first. */
function started(
  out: string,
  argv: readonly string[],
  before = "",
): { kill: () => void; ended: Promise<Ran>; err: () => string } {
  const first = before === "" ? [] : ["--import", `data:text/javascript,${encodeURIComponent(before)}`];
  const child = spawn(process.execPath, [...first, MAIN, "train", ...argv, "-o", at(out)], { cwd: folder });
  let [text, err] = ["", ""];
  child.stdout.on("data", (part: Buffer) => {
    text += part;
  });
  child.stderr.on("data", (part: Buffer) => {
    err += part;
  });
  const ended = new Promise<Ran>((resolve) =>
    child.on("close", (code) => resolve({ code: code ?? -1, out: text, err })),
  );
  return { kill: () => void child.kill("SIGKILL"), ended, err: () => err };
}

const pause = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds));

describe("a process", () => {
  const THERE = [...JOINT, "--batch", "10"];

  it("with worker threads gives the same bytes as without", async () => {
    const { code, err } = await started("workers.onnx", [...THERE, "--workers", "2"]).ended;
    expect([code, err.match(/^epoch/gm)?.length]).toEqual([0, 3]);
    expect(same("workers.onnx", "whole.onnx")).toBe(true);
  });

  it("that is killed at any time is resumed to the same bytes", async () => {
    const running = started("killed.onnx", THERE);
    while (!running.err().includes("epoch 1/")) await pause(5);
    running.kill();
    await running.ended;
    expect(existsSync(at("killed.onnx"))).toBe(false);
    const { code, err } = await started("killed.onnx", [...THERE, "--resume"]).ended;
    expect(code).toBe(0);
    expect(err).toMatch(/^continuing from /);
    expect(same("killed.onnx", "whole.onnx")).toBe(true);
    expect(bytes("killed.run/metrics.jsonl").toString().match(/\n/g)).toHaveLength(3);
  });

  it("whose disk fills up keeps the last good checkpoint, says so, and goes on when there is room", async () => {
    const full = `
      import fs from "node:fs";
      import { syncBuiltinESMExports } from "node:module";
      const write = fs.promises.writeFile;
      let checkpoints = 0;
      fs.promises.writeFile = async (path, bytes) => {
        // The header of a checkpoint is JSON from byte 8 on.
        if (bytes[8] !== 123 || ++checkpoints < 2) return write(path, bytes);
        await write(path, bytes.subarray(0, bytes.length / 2));
        throw Object.assign(new Error("ENOSPC: no space left on device, write"), { code: "ENOSPC" });
      };
      syncBuiltinESMExports();`;
    const { code, err } = await started("full.onnx", THERE, full).ended;
    expect(code).toBe(1);
    expect(err).toMatch(
      /The run is saved up to the end of epoch 1 in \S+checkpoint\.safetensors; the same command with --resume continues from there\.\nerror: .*checkpoint\.safetensors: the disk is too full for \d+ bytes .*\[file\/full\]\n$/,
    );
    expect(readCheckpoint(bytes("full.run/checkpoint.safetensors"), "c").state.epoch).toBe(1);
    expect(filesIn(at("full.run"))).toEqual(["checkpoint.safetensors", "config.json", "metrics.jsonl", "report.html"]);
    expect((await started("full.onnx", [...THERE, "--resume"]).ended).code).toBe(0);
    expect(same("full.onnx", "whole.onnx")).toBe(true);
  });
});
