/** Whole runs on data small enough for seconds: what is learned, what is told, and that a run is a function of its request. */
import { describe, expect, test } from "vitest";
import type { Tensor } from "../../src/core/tensor.js";
import { inMemory } from "../../src/data/dataset.js";
import type { EpochReport } from "../../src/schema/training.js";
import type { StepReport } from "../../src/training/recipe/config.js";
import type { TrainingRequest } from "../../src/training/run/request.js";
import { train } from "../../src/training/run/trainer.js";
import type { TrainingState } from "../../src/training/step/state.js";
import { failure } from "../support/failure.js";
import {
  backbone,
  bytesOf,
  earlyExits,
  patterns,
  request,
  SIDE,
  stoppedAfter,
  trainable,
} from "../support/training.js";

const finalBytes = async (r: TrainingRequest): Promise<Readonly<Record<string, string>>> =>
  bytesOf((await train(r)).state.tensors);

test("a separable problem is learned to 100 %, by every exit, and reported step by step", async () => {
  const steps: StepReport[] = [];
  const epochs: EpochReport[] = [];
  const result = await train(
    request(
      { epochs: 5 },
      {
        onStep: (report) => void steps.push(report),
        onEpoch: (report) => void epochs.push(report),
      },
    ),
  );
  expect(result.epochs.at(-1)?.trainAccuracy).toEqual([1, 1]);
  expect(result.epochs.at(-1)?.validationAccuracy).toEqual([1, 1]);
  expect(result.epochs).toEqual(epochs);
  expect(epochs.map((e) => [e.epoch, e.step])).toEqual([0, 1, 2, 3, 4].map((e) => [e, 5 * (e + 1)]));
  expect(steps.map((s) => s.totalStep)).toEqual(Array.from({ length: 25 }, (_, i) => i + 1));
  expect(steps[6]).toMatchObject({ epoch: 1, step: 2, stepsPerEpoch: 5, epochs: 5, images: 8 });
  const means = [0, 1, 2, 3, 4].map((e) => steps.filter((s) => s.epoch === e).reduce((sum, s) => sum + s.loss, 0) / 5);
  epochs.forEach((epoch, e) => {
    expect(epoch.loss).toBeCloseTo(means[e], 12);
    expect(epoch.learningRate).toBe(steps[5 * e + 4]?.learningRate);
  });
  expect(epochs.at(-1)?.loss as number).toBeLessThan(epochs[0]?.loss / 3);
});

describe("a run is a function of its request", () => {
  test("two runs end in the same bytes, another seed does not", async () => {
    const [first, second, other] = [
      await finalBytes(request()),
      await finalBytes(request()),
      await finalBytes(request({ seed: 2 })),
    ];
    expect(second).toEqual(first);
    expect(other["conv1.weight"]).not.toEqual(first["conv1.weight"]);
  });

  test.each([
    ["at the border of epochs", 5, { epoch: 1, step: 0 }],
    ["in the middle of an epoch", 8, { epoch: 1, step: 3 }],
  ])("stopped %s and resumed, it ends in the same bytes and reports", async (_, steps, place) => {
    const r = request({ ema: 0.9, augment: { flip: true, crop: { pad: 1, mode: "zero" }, cutout: 2 } });
    const whole = await train(r);
    const saved = await stoppedAfter(steps, r);
    expect(saved).toMatchObject(place);
    const resumed = await train({ ...r, resume: saved });
    expect(bytesOf(resumed.state.tensors)).toEqual(bytesOf(whole.state.tensors));
    expect(bytesOf(resumed.graph.initializers)).toEqual(bytesOf(whole.graph.initializers));
    const untimed = ({ seconds: _s, imagesPerSecond: _i, ...rest }: EpochReport) => rest;
    expect(resumed.epochs.map(untimed)).toEqual(whole.epochs.map(untimed));
  });

  test("a finished run that is resumed gives what it gave, without a step", async () => {
    const whole = await train(request());
    const steps: StepReport[] = [];
    const again = await train(request({}, { resume: whole.state, onStep: (s) => void steps.push(s) }));
    expect(bytesOf(again.graph.initializers)).toEqual(bytesOf(whole.graph.initializers));
    expect([again.epochs, steps]).toEqual([whole.epochs, []]);
  });

  test("a saved state stays as it was while training goes on", async () => {
    const saved: { readonly state: TrainingState; readonly bytes: Readonly<Record<string, string>> }[] = [];
    await train(
      request(
        {},
        {
          checkpoint: {
            everySeconds: 0,
            save: async (state) => void saved.push({ state, bytes: bytesOf(state.tensors) }),
          },
        },
      ),
    );
    expect(saved.map(({ state }) => [state.epoch, state.step])).toEqual([
      ...[1, 2, 3, 4].map((step) => [0, step]),
      ...[0, 1, 2, 3, 4].map((step) => [1, step]),
      [2, 0],
    ]);
    for (const { state, bytes } of saved) expect(bytesOf(state.tensors)).toEqual(bytes);
    expect(new Set(saved.map(({ bytes }) => bytes["conv1.weight"])).size).toBe(saved.length);
  });
});

describe("a loss that is no number", () => {
  test.each([
    ["at the second step", 1e18, 1, /^epoch 1, step 2: the loss is not a finite number at learning rate 1\.00e\+18\./],
    [
      "with the first update",
      3e38,
      100,
      /^epoch 1, step 1: a weight is not a finite number at learning rate 3\.00e\+38\./,
    ],
  ])("ends the run %s, naming the place, and what was saved last is finite", async (_, peak, weight, message) => {
    const saved: TrainingState[] = [];
    const run = train(
      request(
        { schedule: { kind: "constant", peak }, exitWeights: [weight, weight] },
        { checkpoint: { everySeconds: 0, save: async (state) => void saved.push(state) } },
      ),
    );
    await expect(run).rejects.toMatchObject({
      code: "training/diverged",
      message: expect.stringMatching(message),
      detail: { epoch: 0, learningRate: peak },
    });
    for (const state of saved)
      for (const [name, { data }] of state.tensors)
        expect(
          [...data].every((v) => Number.isFinite(Number(v))),
          name,
        ).toBe(true);
  });
});

describe("a loss that is no number, or a network that answers none, in a later epoch", () => {
  /** Steps 1 to 10, two epochs, at a fair rate; from step 11 on it is absurd. */
  const derailed = (rest: Partial<TrainingRequest> = {}): TrainingRequest =>
    request({ epochs: 3, schedule: { kind: "multi-step", peak: 0.05, milestones: [2 / 3], factor: 1e19 } }, rest);

  test("ends the run; the checkpoint of the epoch before is the last that was saved, and a calmer run takes it up", async () => {
    const saved: TrainingState[] = [];
    const checkpoint = { everySeconds: 3600, save: async (state: TrainingState) => void saved.push(state) };
    await expect(train(derailed({ checkpoint }))).rejects.toMatchObject({
      code: "training/diverged",
      message: expect.stringMatching(/^epoch 3, step 2: the loss is not a finite number at learning rate 5\.00e\+17\./),
      detail: { epoch: 2, step: 1 },
    });
    expect(saved.map(({ epoch, step }) => [epoch, step])).toEqual([
      [1, 0],
      [2, 0],
    ]);
    const [, last] = saved as [TrainingState, TrainingState];
    expect(bytesOf(last.tensors)).toEqual(bytesOf((await stoppedAfter(10, derailed())).tensors));
    const { epochs } = await train(
      request({ epochs: 3, schedule: { kind: "constant", peak: 0.01 } }, { resume: last }),
    );
    expect(epochs.slice(0, 2)).toEqual(last.epochs);
    expect(epochs[2]?.validationAccuracy).toEqual([1, 1]);
  });

  test("is not saved with validation losses that are no numbers, which no checkpoint can hold", async () => {
    const saved: TrainingState[] = [];
    const { model } = request();
    const initializers = new Map(model.graph.initializers);
    // In training form the batch's own statistics hide what the running ones are; these are finite, and their root is none.
    const variance = initializers.get("bn3.running_var") as Tensor<"float32">;
    initializers.set("bn3.running_var", { ...variance, data: variance.data.map(() => -1) });
    const run = train(
      request(
        { epochs: 1, statisticsMomentum: 1e-6 },
        {
          model: { ...model, graph: { ...model.graph, initializers } },
          checkpoint: { everySeconds: 3600, save: async (state) => void saved.push(state) },
        },
      ),
    );
    await expect(run).rejects.toMatchObject({
      code: "training/diverged",
      message: expect.stringMatching(/^epoch 1, step 5: the validation loss is not a finite number/),
    });
    expect(saved).toEqual([]);
  });
});

describe("the running average of weights", () => {
  test("is what is evaluated and returned, and follows its formula", async () => {
    const states: TrainingState[] = [];
    const { graph } = await train(
      request({ ema: 0.75 }, { checkpoint: { everySeconds: 0, save: async (state) => void states.push(state) } }),
    );
    for (const name of ["conv2.weight", "bn1.running_var"]) {
      let average = [...(earlyExits().initializers.get(name) as Tensor<"float32">).data];
      for (const { tensors } of states) {
        const now = tensors.get(name)?.data as Float32Array;
        average = average.map((v, i) => 0.75 * v + 0.25 * now[i]);
      }
      const got = graph.initializers.get(name)?.data as Float32Array;
      average.forEach((v, i) => expect(got[i]).toBeCloseTo(v, 6));
    }
  });
});

describe("what cannot be trained is refused", () => {
  const labelled = (label: number) => {
    const good = patterns(40);
    const labels = good.labels.slice();
    labels[7] = label;
    return { ...good, labels };
  };
  const ofSide = (side: number) =>
    inMemory(
      { name: "odd", shape: [3, side, side], classes: undefined, labels: new Int32Array(40) },
      new Float32Array(40 * 3 * side * side),
    );

  test.each(["joint", "ic-only"] as const)("a label out of range (%s)", async (recipe) => {
    await expect(train(request({ recipe }, { train: labelled(3) }))).rejects.toMatchObject({
      code: "data/label",
      message: expect.stringContaining("record 7 has label 3, expected an integer from 0 to 2"),
    });
  });

  test.each(["joint", "ic-only"] as const)("a pixel that is no number (%s)", async (recipe) => {
    const good = patterns(40);
    const spoiled = {
      ...good,
      read: async (rows: ArrayLike<number>, out: Float32Array) => {
        await good.read(rows, out);
        out[5] = Number.NaN;
      },
    };
    await expect(train(request({ recipe }, { train: spoiled }))).rejects.toMatchObject({ code: "data/value" });
  });

  test.each(["joint", "ic-only"] as const)("images of another size (%s)", async (recipe) => {
    await expect(train(request({ recipe }, { train: ofSide(SIDE + 1) }))).rejects.toMatchObject({
      code: "runtime/run",
    });
  });

  test("a batch larger than the data", async () => {
    await expect(train(request({ batch: 41 }))).rejects.toThrow(
      failure(
        "training/config",
        "patterns: a batch of 41 needs more than the 40 training records. Choose a smaller batch, or give more data.",
      ),
    );
  });

  test("a network without exits, when its heads are to be trained", async () => {
    await expect(train(request({ recipe: "ic-only" }, { model: trainable(backbone()) }))).rejects.toMatchObject({
      code: "training/config",
    });
  });
});

test("a parameter that no exit depends on stays as it is", async () => {
  const graph = earlyExits();
  const idle = { dtype: "float32", dims: [2], data: Float32Array.of(1, 2) } as const;
  const model = trainable({ ...graph, initializers: new Map([...graph.initializers, ["idle.weight", idle]]) });
  const result = await train(request({ epochs: 1 }, { model }));
  expect(result.graph.initializers.get("idle.weight")).toEqual(idle);
});
