/** @file PyTorch's record of ten training steps (scripts/training-reference.py), and the small network that they train. */
import { readFileSync } from "node:fs";
import { expect } from "vitest";
import { fromNumbers, type Tensor, toNumbers } from "../../src/core/tensor.js";
import { int, ints } from "../../src/graph/attributes.js";
import { GraphBuilder } from "../../src/graph/builder.js";
import type { Graph } from "../../src/graph/graph.js";
import { emptyGraph } from "../../src/graph/op.js";
import type { Backend } from "../../src/runtime/backend.js";
import type { Recipe } from "../../src/schema/training.js";
import type { OptimizerConfig, TrainingConfig } from "../../src/training/recipe/config.js";
import { stepGraph } from "../../src/training/step/graph.js";
import { type StepResult, StepRunner } from "../../src/training/step/runner.js";

export interface Recorded {
  readonly dims: readonly number[];
  readonly data: readonly number[];
  /** Largest absolute difference of PyTorch's own float32 from these float64 numbers. */
  readonly float32Difference: number;
}

export type RecordedTensors = Readonly<Record<string, Recorded>>;

export interface TenSteps {
  readonly config: {
    readonly recipe: Recipe;
    readonly optimizer: OptimizerConfig;
    readonly labelSmoothing: number;
    readonly clipNorm: number | null;
    readonly decayAll: boolean;
    readonly statisticsMomentum: number;
  };
  readonly learningRate: readonly number[];
  readonly exitWeights: readonly (readonly number[])[];
  readonly trained: readonly string[];
  readonly steps: { readonly loss: Recorded; readonly exitLosses: Recorded; readonly gradientNorm: Recorded };
  readonly gradientsOfStep1: RecordedTensors;
  readonly afterStep1: RecordedTensors;
  readonly afterStep10: RecordedTensors;
}

interface Setup {
  readonly parameters: RecordedTensors;
  readonly images: { readonly dims: readonly number[]; readonly base64Float32: string };
  readonly labels: readonly (readonly number[])[];
}

const read = (name: string): unknown =>
  JSON.parse(readFileSync(new URL(`../fixtures/training/ten-steps-${name}.json`, import.meta.url), "utf8"));

export const RUNS = ["sgd", "adamw", "adam-heads"] as const;
export type RunName = (typeof RUNS)[number];

export const tenSteps = (name: RunName): TenSteps => read(name) as TenSteps;

const setup = read("setup") as Setup;

/** Images a step. */
export const ROWS = 8;

/** Images float32 [8,3,8,8] and labels int64 [8] of each step. */
export const BATCHES: readonly { readonly images: Tensor<"float32">; readonly labels: Tensor<"int64"> }[] =
  setup.labels.map((labels, step) => {
    const [, ...dims] = setup.images.dims;
    const bytes = Uint8Array.from(Buffer.from(setup.images.base64Float32, "base64"));
    const each = bytes.length / setup.labels.length;
    return {
      images: { dtype: "float32", dims, data: new Float32Array(bytes.slice(step * each, (step + 1) * each).buffer) },
      labels: fromNumbers("int64", [ROWS], labels),
    };
  });

/** The recorded network at its start, in inference form; outputs exit0 and logits. */
export function recordedNetwork(): Graph {
  const b = new GraphBuilder(emptyGraph("ten-steps", 17));
  const images = b.input("images", "float32", ["n", 3, 8, 8]);
  const own = (name: string): string => {
    const { dims, data } = setup.parameters[name];
    return b.parameter(name, fromNumbers("float32", dims, data));
  };
  const conv = (name: string, x: string, stride = 1, group = 1): string =>
    b.op("Conv", [x, own(`${name}.weight`)], {
      pads: ints([1, 1, 1, 1]),
      strides: ints([stride, stride]),
      group: int(group),
    });
  const norm = (name: string, x: string): string =>
    b.op("BatchNormalization", [
      x,
      ...["weight", "bias", "running_mean", "running_var"].map((part) => own(`${name}.${part}`)),
    ]);
  const linear = (name: string, x: string, output: string): void => {
    const inputs = [b.op("Flatten", [x]), own(`${name}.weight`), own(`${name}.bias`)];
    b.output(b.op("Gemm", inputs, { transB: int(1) }, output), "float32", ["n", 5]);
  };
  const skip = b.op("Relu", [norm("bn1", conv("conv1", images))]);
  const hidden = b.op("Relu", [b.op("Add", [norm("bn2", conv("conv2", skip)), skip])]);
  linear("exit0", b.op("AveragePool", [hidden], { kernel_shape: ints([2, 2]), strides: ints([2, 2]) }), "exit0");
  const deep = b.op("Relu", [norm("bn3", conv("conv3", hidden, 2))]);
  const deeper = b.op("Relu", [norm("bn4", conv("conv4", deep, 1, 16))]);
  linear("fc", b.op("GlobalAveragePool", [deeper]), "logits");
  return b.build();
}

/** The recorded settings as a whole configuration. */
export const recordedConfig = ({ config }: TenSteps): TrainingConfig => ({
  ...config,
  epochs: 1,
  batch: ROWS,
  seed: 0,
  schedule: { kind: "constant", peak: 1 },
  augment: { flip: false, crop: undefined, cutout: undefined },
  exitWeights: "equal",
  clipNorm: config.clipNorm ?? undefined,
  ema: undefined,
  distill: undefined,
  adversarial: undefined,
});

/** Assert that numbers are as near to PyTorch's float64 as its own float32 is, within a factor.
 *  Another order of sums spreads rounding otherwise, so 8 times PyTorch's own error is allowed; and where that came out small by
 *  luck, 2e-6 of the largest number: 16 roundings of float32. */
export function expectRecorded(got: ArrayLike<number>, want: Recorded, what: string): void {
  expect(got.length, what).toBe(want.data.length);
  const scale = want.data.reduce((m, v) => Math.max(m, Math.abs(v)), 0);
  const tolerance = Math.max(8 * want.float32Difference, 2e-6 * scale);
  const worst = want.data.reduce((m, v, i) => Math.max(m, Math.abs(got[i] - v)), 0);
  expect(worst, `${what}: off by ${worst}, allowed ${tolerance}`).toBeLessThanOrEqual(tolerance);
}

/** Assert that all recorded tensors are there, as near as {@link expectRecorded} says. */
export function expectAllRecorded(got: ReadonlyMap<string, Tensor>, want: RecordedTensors, when: string): void {
  for (const [name, recorded] of Object.entries(want)) {
    const tensor = got.get(name) as Tensor;
    expect(tensor?.dims, name).toEqual(recorded.dims);
    expectRecorded(toNumbers(tensor), recorded, `${name} ${when}`);
  }
}

/** The recorded network under a configuration, before its first step. */
export const runnerOf = (record: TenSteps, backend: Backend, config: TrainingConfig): Promise<StepRunner> =>
  StepRunner.compile(
    backend,
    stepGraph({
      graph: recordedNetwork(),
      logits: ["exit0", "logits"],
      trained: record.trained,
      frozen: config.recipe === "ic-only",
      config,
    }),
  );

const stepOf = (runner: StepRunner, record: TenSteps, done: number): Promise<StepResult> =>
  runner.step({
    data: { images: BATCHES[done]?.images },
    labels: BATCHES[done]?.labels,
    indices: Uint32Array.from({ length: ROWS }, (_, i) => i),
    learningRate: record.learningRate[done],
    exitWeights: record.exitWeights[done],
    done,
    seed: 0,
  });

/** Assert that ten steps of a run give the recorded losses, parameters and statistics. */
export async function expectTenSteps(name: RunName, backend: Backend): Promise<void> {
  const record = tenSteps(name);
  const runner = await runnerOf(record, backend, recordedConfig(record));
  const results = [await stepOf(runner, record, 0)];
  expectAllRecorded(runner.state, record.afterStep1, "after step 1");
  for (let done = 1; done < BATCHES.length; done++) results.push(await stepOf(runner, record, done));
  expectAllRecorded(runner.state, record.afterStep10, "after step 10");
  expectRecorded(
    results.map((r) => r.loss),
    record.steps.loss,
    "losses",
  );
  expectRecorded(
    results.flatMap((r) => r.exitLosses),
    record.steps.exitLosses,
    "losses of the exits",
  );
  await runner.release();
}

/** Assert that the gradients of the first step are the recorded ones. Velocity starts at zero, so without weight decay and clipping
 *  it is the gradient after one step. */
export async function expectFirstGradients(name: RunName, backend: Backend): Promise<void> {
  const record = tenSteps(name);
  const optimizer = { kind: "sgd", momentum: 0.9, nesterov: false, weightDecay: 0 } as const;
  const runner = await runnerOf(record, backend, { ...recordedConfig(record), optimizer, clipNorm: undefined });
  await stepOf(runner, record, 0);
  const gradients = new Map(
    record.trained.map((param) => [param, runner.state.get(`${param}.momentum`) as Tensor] as const),
  );
  expectAllRecorded(gradients, record.gradientsOfStep1, "gradient");
  const squares = [...gradients.values()].flatMap((g) => [...toNumbers(g)].map((v) => v * v));
  const norm = Math.sqrt(squares.reduce((sum, v) => sum + v, 0));
  expect(norm).toBeCloseTo(record.steps.gradientNorm.data[0], 5);
  await runner.release();
}
