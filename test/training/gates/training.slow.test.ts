/** Whole runs of networks with gates on data small enough for seconds: open rates reach their target, a run is a function of its request,
 *  and what is returned is the deployed network. */
import { beforeAll, describe, expect, test } from "vitest";
import { type Tensor, toNumbers } from "../../../src/core/tensor.js";
import { trainingStream } from "../../../src/data/batches.js";
import type { Graph } from "../../../src/graph/graph.js";
import { GATE_PARAMETER, type GateName } from "../../../src/nn/gates/index.js";
import { resnet } from "../../../src/nn/resnet.js";
import { ortNode } from "../../../src/node/ort-node/index.js";
import { opTable } from "../../../src/ops/table.js";
import { runReference } from "../../../src/runtime/reference.js";
import { attachGates, type GatedGraph } from "../../../src/training/gates/attach.js";
import { attachHalting } from "../../../src/training/gates/halting.js";
import type { GatesConfig } from "../../../src/training/recipe/config.js";
import type { TrainingRequest } from "../../../src/training/run/request.js";
import { type TrainingResult, train } from "../../../src/training/run/trainer.js";
import { trainingForm } from "../../../src/training/step/training-form.js";
import { bytesOf, CLASSES, patterns, request, SIDE, stoppedAfter, trainable } from "../../support/training.js";

const RECORDS = 120;
const EPOCHS = 8;
const data = patterns(RECORDS, { noise: 0.3 });
const BUDGET = { kind: "budget", target: 0.5, weight: 10, relax: 1 / 3, floor: 0.1, quiet: 0.2 } as const;

/** Two blocks in each of three stages, so three gates. */
const plain = (): Graph => resnet(14)({ classes: CLASSES, imageSize: SIDE, width: 0.5, seed: 1 }).graph;

/** A trained network without gates. */
let start: Graph;
beforeAll(async () => {
  start = (await train(request({ recipe: "static", epochs: 6 }, { model: trainable(plain()), train: data }))).graph;
}, 60_000);

function gated(made: GatedGraph, gates: GatesConfig, config: Partial<TrainingRequest["config"]> = {}): TrainingRequest {
  return request(
    { recipe: "gates", epochs: EPOCHS, gates, ...config },
    {
      model: { ...trainable(made.graph), gates: made.gates },
      train: data,
      validation: patterns(60, { seed: 2, noise: 0.3 }),
    },
  );
}

const pooled = (
  config: Partial<TrainingRequest["config"]> = {},
  gates: Partial<typeof BUDGET> | object = {},
): TrainingRequest => gated(attachGates(start, { gate: "pooled", seed: 3 }), { ...BUDGET, ...gates }, config);

/** Share of the gated work that a network does on the training records, as it is deployed. */
async function workOf({ graph }: Pick<TrainingResult, "graph">, gates: GatedGraph["gates"]): Promise<number> {
  const outputs = gates.map(({ value }) => ({ name: value, dtype: "float32" as const, shape: undefined }));
  const session = await ortNode({ threads: 1 }).compile({ ...graph, outputs, types: new Map() });
  const pixels = new Float32Array(RECORDS * 3 * SIDE * SIDE);
  await data.read(
    Uint32Array.from({ length: RECORDS }, (_, i) => i),
    pixels,
  );
  const results = await session.run({ images: { dtype: "float32", dims: [RECORDS, 3, SIDE, SIDE], data: pixels } });
  await session.release();
  const all = gates.reduce((sum, { macs }) => sum + macs, 0);
  const open = (value: string): number => toNumbers(results[value]).reduce((sum, v) => sum + v, 0) / RECORDS;
  return gates.reduce((sum, { value, macs }) => sum + (open(value) * macs) / all, 0);
}

describe("open rates go to the target", () => {
  test.each([
    ["pooled", 0.3],
    ["pooled", 0.7],
    ["recurrent", 0.5],
    ["policy", 0.5, 12],
  ] as [GateName, number, number?][])(
    "gates: %s, target %f",
    async (gate, target, epochs = EPOCHS) => {
      const made = attachGates(start, { gate, seed: 3 });
      expect(await workOf({ graph: made.graph }, made.gates)).toBeCloseTo(1, 9);
      const result = await train(gated(made, { ...BUDGET, target }, { epochs }));
      expect(await workOf(result, made.gates)).toBeGreaterThan(target - 0.12);
      expect(await workOf(result, made.gates)).toBeLessThan(target + 0.12);
      expect(result.epochs.at(-1)?.validationAccuracy[0]).toBeGreaterThan(0.9);
      expect(result.epochs.map(({ gateRates }) => gateRates?.length)).toEqual(
        new Array(epochs).fill(made.gates.length),
      );
      const rates = result.epochs.at(-1)?.validationGateRates ?? [];
      const all = made.gates.reduce((sum, { macs }) => sum + macs, 0);
      const work = made.gates.reduce((sum, { macs }, k) => sum + (macs * (rates[k] ?? 0)) / all, 0);
      expect(Math.abs(work - (await workOf(result, made.gates)))).toBeLessThan(0.1);
    },
    60_000,
  );

  test("halting: a higher price stops samples earlier", async () => {
    const made = attachHalting(start, { seed: 3 });
    const works: number[] = [];
    for (const [weight, epochs] of [
      [0.001, 2],
      [0.3, 12],
      [1, 12],
    ] as const) {
      const result = await train(gated(made, { kind: "ponder", weight }, { recipe: "act", epochs }));
      works.push(await workOf(result, made.gates));
      expect(result.epochs.at(-1)?.validationAccuracy[0]).toBeGreaterThan(0.9);
    }
    expect(works[0]).toBeCloseTo(1, 9);
    expect(works[1]).toBeLessThan(0.8);
    expect(works[2]).toBeLessThan(works[1]);
  }, 60_000);
});

describe("a run with gates is a function of its request", () => {
  const short = { epochs: 2, ema: 0.9 } as const;
  const taught = { ...short, distill: { temperature: 3, weight: 0.5 } };

  /** The run that the others are compared with. */
  let whole: TrainingResult;
  beforeAll(async () => {
    whole = await train(pooled(short));
  }, 60_000);

  test("two runs end in the same bytes, another seed does not", async () => {
    const [second, other] = [await train(pooled(short)), await train(pooled({ ...short, seed: 2 }))];
    expect(bytesOf(second.graph.initializers)).toEqual(bytesOf(whole.graph.initializers));
    expect(bytesOf(other.graph.initializers)).not.toEqual(bytesOf(whole.graph.initializers));
  });

  test.each([
    ["before the first epoch ends", 4],
    ["where the noise ends", 24],
    ["in the last step, before the statistics are estimated", 30],
  ])("stopped %s and resumed, it ends in the same bytes", async (_, steps) => {
    const r = pooled(short);
    const saved = await stoppedAfter(steps, r);
    expect(saved.epoch * 15 + saved.step).toBe(steps);
    const resumed = await train({ ...r, resume: saved });
    expect(bytesOf(resumed.state.tensors)).toEqual(bytesOf(whole.state.tensors));
    expect(bytesOf(resumed.graph.initializers)).toEqual(bytesOf(whole.graph.initializers));
    expect(resumed.epochs.map((e) => e.gateRates)).toEqual(whole.epochs.map((e) => e.gateRates));
  });

  test("one that learns from the network without gates, too; and it learns something else", async () => {
    const [first, second] = [await train(pooled(taught)), await train(pooled(taught))];
    expect(bytesOf(second.graph.initializers)).toEqual(bytesOf(first.graph.initializers));
    expect(bytesOf(whole.graph.initializers)).not.toEqual(bytesOf(first.graph.initializers));
    expect(first.epochs.at(-1)?.validationAccuracy[0]).toBeGreaterThan(0.9);
  });

  test("a finished run that is resumed gives what it gave", async () => {
    const again = await train({ ...pooled(short), resume: whole.state });
    expect(bytesOf(again.graph.initializers)).toEqual(bytesOf(whole.graph.initializers));
  });
});

test("running statistics are in the end the means over the first batches of the run, of the deployed network", async () => {
  const r = pooled({ epochs: 2, statisticsMomentum: 0.01 });
  const { graph } = await train(r);
  const { graph: form, statistics } = trainingForm(graph, { batch: 8, trained: [], frozen: false });
  const sums = new Map<string, number[]>();
  let steps = 0;
  const options = {
    batch: 8,
    seed: 1,
    epochs: 2,
    classes: CLASSES,
    from: { epoch: 0, step: 0 },
    augmentation: r.config.augment,
    fill: [],
  };
  for await (const { images } of trainingStream(data, options)) {
    const fed = { dtype: "float32", dims: [8, 3, SIDE, SIDE], data: images } as const;
    const state = Object.fromEntries(statistics.map(({ name }) => [name, graph.initializers.get(name) as Tensor]));
    const names = statistics.map(({ batch }) => batch);
    const results = runReference(form, { images: fed, ...state }, opTable, names);
    for (const { name, batch, correction } of statistics) {
      const now = [...toNumbers(results[batch])].map((v) => v * correction);
      sums.set(
        name,
        (sums.get(name) ?? now.map(() => 0)).map((v, i) => v + now[i]),
      );
    }
    steps++;
  }
  expect(steps).toBe(30);
  for (const [name, sum] of sums)
    [...toNumbers(graph.initializers.get(name) as Tensor)].forEach((v, i) => {
      const want = sum[i] / steps;
      expect(Math.abs(v - want), name).toBeLessThan(1e-4 * Math.max(0.1, Math.abs(want)));
    });
}, 60_000);

test("without gates in its recipe, a network with gates keeps their weights as they are", async () => {
  const { model, ...rest } = pooled();
  const { gates: _, ...config } = rest.config;
  const result = await train({ ...rest, model, config: { ...config, recipe: "static", epochs: 1 } });
  for (const [name, t] of model.graph.initializers)
    if (GATE_PARAMETER.test(name) && !name.includes(".running_"))
      expect(result.graph.initializers.get(name)?.data, name).toEqual(t.data);
  expect(result.epochs[0]).not.toHaveProperty("gateRates");
});
