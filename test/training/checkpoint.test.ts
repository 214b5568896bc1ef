import { describe, expect, it } from "vitest";
import type { EpochReport } from "../../src/schema/training.js";
import { checkSameRun, differences, readCheckpoint, writeCheckpoint } from "../../src/training/run/checkpoint.js";
import { readTensors, writeTensors } from "../../src/training/run/checkpoint-tensors.js";
import type { TrainingState } from "../../src/training/step/state.js";

const report: EpochReport = {
  epoch: 0,
  step: 7,
  learningRate: 0.1,
  loss: 1 / 3,
  exitLosses: [0.1, 0.2],
  trainAccuracy: [0.5, 0.75],
  validationLosses: [1e-300, 2],
  validationAccuracy: [0.25, 1],
  imagesPerSecond: 123.4,
  seconds: 5.6,
};
const state: TrainingState = {
  epoch: 1,
  step: 3,
  sums: [0.1 + 0.2, 5e-324, 2 ** 53],
  epochs: [report],
  tensors: new Map([["conv1.weight", { dtype: "float32", dims: [2], data: Float32Array.of(0.1, -0) }]]),
};
const settings = { config: { epochs: 2, clipNorm: undefined }, data: "sample" };

const refused = (bytes: Uint8Array) => expect(() => readCheckpoint(bytes, "c.safetensors"));

describe("a checkpoint", () => {
  it("gives back the state to the last bit, and its settings as JSON has them", () => {
    const read = readCheckpoint(writeCheckpoint({ state, settings }), "c");
    expect(read.state).toEqual(state);
    expect(Object.is(read.state.tensors.get("conv1.weight")?.data[1], -0)).toBe(true);
    expect(read.settings).toEqual({ config: { epochs: 2 }, data: "sample" });
  });

  it("is the same bytes for the same state", () => {
    expect(writeCheckpoint({ state, settings })).toEqual(writeCheckpoint({ state: structuredClone(state), settings }));
  });

  it("is refused when dynn did not write it, or a later dynn did", () => {
    refused(writeTensors({ tensors: state.tensors, metadata: new Map() })).toThrow(/dynn did not write it/);
    refused(writeTensors({ tensors: new Map(), metadata: new Map([["dynn.checkpoint", "9"]]) })).toThrow(
      "c.safetensors: is not a checkpoint of a run: its format version is 9, expected 1. Use another checkpoint, or start the run again. [checkpoint/format]",
    );
  });

  it.each([
    ["dynn.state", ""],
    ["dynn.state", "{}"],
    ["dynn.state", '{"epoch":-1,"step":0,"sums":[],"epochs":[]}'],
    ["dynn.state", '{"epoch":0,"step":0,"sums":[null],"epochs":[]}'],
    ["dynn.settings", "[]"],
  ])("is refused when %s is %s", (key, value) => {
    const { tensors, metadata } = readTensors(writeCheckpoint({ state, settings }), "c");
    refused(writeTensors({ tensors, metadata: new Map([...metadata, [key, value]]) })).toThrow(
      `"${key}" in it is damaged`,
    );
  });
});

describe("settings", () => {
  it("that JSON does not tell apart are the same", () => {
    expect(differences({ a: undefined, b: [1, 2] }, { b: [1, 2] })).toEqual([]);
  });

  it("differ in what is changed, new and gone, wherever it is", () => {
    const before = { config: { epochs: 2, seed: 0, crop: { pad: 4 } }, gone: 1 };
    const now = { config: { epochs: 3, seed: 0, crop: { pad: 2 } }, made: [1] };
    expect(differences(before, now)).toEqual([
      { at: "config.epochs", before: 2, now: 3 },
      { at: "config.crop.pad", before: 4, now: 2 },
      { at: "gone", before: 1, now: undefined },
      { at: "made", before: undefined, now: [1] },
    ]);
  });

  it("of another run are refused, each difference named", () => {
    expect(() => checkSameRun(settings, settings, "run")).not.toThrow();
    expect(() => checkSameRun({ seed: 1, ema: 0.9 }, { seed: 2 }, "run")).toThrow(
      "run: holds a run with other settings:\n  seed: 1 in the run, 2 now\n  ema: 0.9 in the run, not set now\nResume with the run's own settings, or give a new run another folder. [checkpoint/mismatch]",
    );
  });
});
