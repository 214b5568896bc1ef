/** A training step of a network with gates: gradients against central differences in float64, losses against their formulas, noise and
 *  bounds against their definitions. */
import { describe, expect, test } from "vitest";
import { fromNumbers, type Tensor, toNumbers } from "../../../src/core/tensor.js";
import type { Graph, ValueName } from "../../../src/graph/graph.js";
import { prune } from "../../../src/graph/passes/prune.js";
import { GATE_PARAMETER } from "../../../src/nn/gates/index.js";
import { opTable } from "../../../src/ops/table.js";
import type { Backend, Tensors } from "../../../src/runtime/backend.js";
import { runReference } from "../../../src/runtime/reference.js";
import { attachGates, type GatedGraph } from "../../../src/training/gates/attach.js";
import { attachHalting } from "../../../src/training/gates/halting.js";
import type { GatesConfig, TrainingConfig } from "../../../src/training/recipe/config.js";
import { gateInputs } from "../../../src/training/recipe/gate-schedule.js";
import { GATE_STEP } from "../../../src/training/step/gates.js";
import { STEP, type StepGraph, stepGraph } from "../../../src/training/step/graph.js";
import { StepRunner } from "../../../src/training/step/runner.js";
import { parametersOf } from "../../../src/training/step/training-form.js";
import { inFloat64 } from "../../support/float64.js";
import { random } from "../../support/gradcheck.js";
import { images, narrow, spread } from "../../support/spread-gates.js";
import { CLASSES, CONFIG } from "../../support/training.js";

const ROWS = 4;
const SGD = { kind: "sgd", momentum: 0.9, nesterov: false, weightDecay: 0 } as const;
const BUDGET = { kind: "budget", target: 0.3, weight: 10, relax: 1 / 3, floor: 0.1, quiet: 0.2 } as const;
const PONDER = { kind: "ponder", weight: 0.5 } as const;
/** Bounds that some rates violate on each side. */
const BOUNDS = [0.3, 0.6];

/** Smooth activations: a closed gate passes exact zeros on, where ReLU has no derivative. */
const smooth = (graph: Graph): Graph => ({
  ...graph,
  nodes: graph.nodes.map((node) => (node.opType === "Relu" ? { ...node, opType: "Tanh" } : node)),
});

const spreadOf = ({ graph, gates }: GatedGraph, bias: number): GatedGraph => ({
  graph: smooth(spread(graph, { bias, weight: 4 })),
  gates,
});

const NETWORKS = {
  pooled: spreadOf(attachGates(narrow(14), { gate: "pooled", places: "all", seed: 3 }), 0),
  recurrent: spreadOf(attachGates(narrow(20), { gate: "recurrent", seed: 3 }), 0),
  policy: spreadOf(attachGates(narrow(14), { gate: "policy", places: "all", seed: 3 }), 0),
  halting: spreadOf(attachHalting(narrow(20), { seed: 3 }), -0.5),
} as const;
type Name = keyof typeof NETWORKS;
const configOf = (name: Name): GatesConfig => (name === "halting" ? PONDER : BUDGET);

const build = (name: Name, config: Partial<TrainingConfig> = {}): StepGraph => {
  const { graph, gates } = NETWORKS[name];
  return stepGraph({
    graph,
    gates,
    logits: ["logits"],
    trained: parametersOf(graph),
    frozen: false,
    config: { ...CONFIG, batch: ROWS, optimizer: SGD, gates: configOf(name), ...config },
  });
};

const noiseOf = (gates: number): Tensor => fromNumbers("float32", [ROWS, gates], toNumbers(random([ROWS, gates], 21)));

function feedsOf(step: StepGraph, gates: number): Tensors {
  const all: Tensors = {
    ...Object.fromEntries(step.initial),
    images: images(ROWS),
    [STEP.labels]: fromNumbers(
      "int64",
      [ROWS],
      Array.from({ length: ROWS }, (_, i) => i % CLASSES),
    ),
    [STEP.learningRate]: fromNumbers("float32", [], [1]),
    [STEP.exitWeights]: fromNumbers("float32", [1], [1]),
    [STEP.count]: fromNumbers("float32", [], [1]),
    [GATE_STEP.noise]: noiseOf(gates),
    [GATE_STEP.bounds]: fromNumbers("float32", [2], BOUNDS),
  };
  return Object.fromEntries(step.graph.inputs.map(({ name }) => [name, all[name]]));
}

const wideFeeds = (feeds: Tensors): Tensors =>
  Object.fromEntries(
    Object.entries(feeds).map(([name, t]) => [
      name,
      t.dtype === "float32" ? fromNumbers("float64", t.dims, toNumbers(t)) : t,
    ]),
  );

/** Values of the step in float64. */
const values = (graph: Graph, feeds: Tensors, names: readonly ValueName[]): Tensors =>
  runReference(graph, feeds, opTable, names);

/** The graph with the constants of the straight-through gradient held at their values. */
function held(graph: Graph, feeds: Tensors): Graph {
  const names = graph.nodes.flatMap((node) => node.outputs.filter((name) => name.endsWith(".gate.rest")));
  const found = values(graph, feeds, names);
  const nodes = graph.nodes.filter((node) => !node.outputs.some((name) => names.includes(name)));
  return {
    ...graph,
    nodes,
    initializers: new Map([...graph.initializers, ...Object.entries(found)]),
    types: new Map(),
  };
}

describe.each(Object.keys(NETWORKS) as Name[])("a step with gates: %s", (name) => {
  const { gates } = NETWORKS[name];
  const step = build(name);
  const wide = inFloat64(step.graph);
  const feeds = wideFeeds(feedsOf(step, gates.length));
  const results = values(wide, feeds, [
    STEP.loss,
    GATE_STEP.rates,
    STEP.exitLosses,
    ...gates.flatMap((g) => [g.score, g.value]),
  ]);
  const numbers = (value: ValueName): readonly number[] => [...toNumbers(results[value])];

  test("opens some gates and closes others, none at its threshold", () => {
    const bits = gates.flatMap(({ value }) => numbers(value));
    expect(new Set(bits)).toEqual(new Set([0, 1]));
    for (const z of gates.flatMap(({ score }) => numbers(score))) expect(Math.abs(z)).toBeGreaterThan(1e-5);
  });

  test("has the gradient along the soft path, for each parameter of a gate and for all others together", () => {
    const path = prune({ ...held(wide, feeds), outputs: [{ name: STEP.loss, dtype: "float64", shape: [] }] });
    const lossAt = (moved: Tensors): number =>
      toNumbers(values(path, { ...feeds, ...moved }, [STEP.loss])[STEP.loss])[0];
    const all = parametersOf(NETWORKS[name].graph);
    const own = all.filter((parameter) => GATE_PARAMETER.test(parameter));
    const momentumOf = (parameter: string): string => step.next.get(`${parameter}.momentum`) as string;
    const gradients = values(wide, feeds, all.map(momentumOf));
    const slopes = [...own.map((parameter) => [parameter]), all.filter((p) => !own.includes(p))].map((group) => {
      const directions = group.map((parameter) => toNumbers(random((step.initial.get(parameter) as Tensor).dims, 40)));
      const moved = (t: number): Tensors =>
        Object.fromEntries(
          group.map((parameter, i) => {
            const start = step.initial.get(parameter) as Tensor;
            const changed = [...toNumbers(start)].map((v, k) => v + t * directions[i][k]);
            return [parameter, fromNumbers("float64", start.dims, changed)];
          }),
        );
      const h = 1e-6;
      const numeric = (lossAt(moved(h)) - lossAt(moved(-h))) / (2 * h);
      const dots = group.map((parameter, i) =>
        toNumbers(gradients[momentumOf(parameter)]).reduce((sum, g, k) => sum + g * directions[i][k], 0),
      );
      const analytic = dots.reduce((sum, dot) => sum + dot, 0);
      expect(Math.abs(analytic - numeric), `${group[0]}: ${analytic}, numeric ${numeric}`).toBeLessThan(
        1e-6 * Math.max(1, Math.abs(numeric)),
      );
      return numeric;
    });
    expect(slopes.filter((slope) => Math.abs(slope) > 1e-6).length).toBeGreaterThanOrEqual(3);
  });

  test("tells how often each gate is open", () => {
    expect(numbers(GATE_STEP.rates)).toEqual(
      gates.map(({ value }) => numbers(value).reduce((sum, v) => sum + v, 0) / ROWS),
    );
  });

  test("adds the loss of its gates to that of its exit", () => {
    const rates = numbers(GATE_STEP.rates);
    const [total, own] = [numbers(STEP.loss)[0], numbers(STEP.exitLosses)[0]];
    expect(total - own).toBeCloseTo(name === "halting" ? ponderOf(numbers, gates) : budgetOf(rates, gates), 6);
  });

  test("never lets parameters of gates decay", () => {
    const decay = { optimizer: { ...SGD, weightDecay: 0.1 }, decayAll: true };
    const [free, all] = [build(name), build(name, decay)].map((s) => {
      const names = parametersOf(NETWORKS[name].graph).map((p) => s.next.get(`${p}.momentum`) as string);
      const found = runReference(s.graph, feedsOf(s, gates.length), opTable, names);
      return new Map(names.map((key, i) => [parametersOf(NETWORKS[name].graph)[i], toNumbers(found[key])]));
    }) as [Map<string, Float64Array>, Map<string, Float64Array>];
    for (const parameter of parametersOf(NETWORKS[name].graph)) {
      const start = toNumbers(step.initial.get(parameter) as Tensor);
      (free.get(parameter) as Float64Array).forEach((g, i) => {
        const want = GATE_PARAMETER.test(parameter) ? g : g + 0.1 * start[i];
        expect(Math.abs((all.get(parameter)?.[i] as number) - want), parameter).toBeLessThan(
          1e-5 * Math.max(1, Math.abs(want)),
        );
      });
    }
  });
});

/** 10 [(c - t)^2 + mean of what lies outside the bounds, squared]. */
function budgetOf(rates: readonly number[], gates: GatedGraph["gates"]): number {
  const [lower, upper] = [Math.fround(BOUNDS[0]), Math.fround(BOUNDS[1])];
  const all = gates.reduce((sum, { macs }) => sum + macs, 0);
  const done = rates.reduce((sum, rate, k) => sum + (rate * gates[k]?.macs) / all, 0);
  const outside = rates.map((rate) => Math.max(0, rate - upper) ** 2 + Math.max(0, lower - rate) ** 2);
  expect(rates.some((rate) => rate > upper) && rates.some((rate) => rate < lower)).toBe(true);
  return 10 * ((done - Math.fround(0.3)) ** 2 + outside.reduce((sum, v) => sum + v, 0) / rates.length);
}

/** Half of the mean of blocks plus remainder, from the scores alone: what is left in front of a block is its score + 0.01. */
function ponderOf(numbers: (value: ValueName) => readonly number[], gates: GatedGraph["gates"]): number {
  let sum = 0;
  for (let row = 0; row < ROWS; row++)
    for (const stage of new Set(gates.map((gate) => gate.stage))) {
      const own = gates.filter((gate) => gate.stage === stage);
      const open = own.filter(({ score }) => numbers(score)[row] >= 0);
      const last = open.at(-1);
      sum += 1 + open.length + (last ? numbers(last.score)[row] + Math.fround(0.01) : 1);
    }
  return (0.5 * sum) / ROWS;
}

describe("noise on scores", () => {
  /** What a step is fed for some records. */
  async function fed(
    indices: readonly number[],
    { seed = 1, done = 0, noise = 1 } = {},
  ): Promise<readonly (readonly number[])[]> {
    const { graph, gates } = NETWORKS.pooled;
    const config = { ...CONFIG, batch: indices.length, gates: BUDGET };
    const step = stepGraph({ graph, gates, logits: ["logits"], trained: parametersOf(graph), frozen: false, config });
    let seen: Tensors = {};
    const backend: Backend = {
      name: "spy",
      compile: async (source) => ({
        inputs: source.inputs.map((i) => i.name),
        outputs: source.outputs.map((o) => o.name),
        run: async (feeds) => {
          seen = feeds;
          return Object.fromEntries(source.outputs.map(({ name }) => [name, fromNumbers("float32", [1], [0])]));
        },
        release: async () => {},
      }),
    };
    const runner = await StepRunner.compile(backend, step);
    await runner.step({
      data: { images: images(indices.length) },
      labels: fromNumbers("int64", [indices.length], new Float64Array(indices.length)),
      indices: Uint32Array.from(indices),
      learningRate: 1,
      exitWeights: [1],
      ...{ done, seed, gates: { noise, bounds: [0, 1] } },
    });
    const all = [...toNumbers(seen[GATE_STEP.noise])];
    return indices.map((_, i) => all.slice(i * gates.length, (i + 1) * gates.length));
  }

  test("hangs on the seed, the record and the step, not on the batch", async () => {
    const [[a, b], [c, d], [alone]] = [await fed([7, 3]), await fed([3, 7]), await fed([7])];
    expect([c, d, alone]).toEqual([b, a, a]);
    const others = [await fed([7], { seed: 2 }), await fed([7], { done: 1 })].flat();
    const all = [a, b, ...others].flat();
    expect(new Set(all).size).toBe(all.length);
  });

  test("is 0 without noise, and half with half of it", async () => {
    expect(new Set((await fed([7, 3], { noise: 0 })).flat())).toEqual(new Set([0]));
    const [all, half] = [(await fed([7, 3])).flat(), (await fed([7, 3], { noise: 0.5 })).flat()];
    half.forEach((e, i) => expect(e).toBeCloseTo(all[i] / 2, 6));
  });

  test("opens a gate of score z with probability sigmoid(z)", async () => {
    const draws = (await fed(Array.from({ length: 1000 }, (_, i) => i))).flat();
    expect(draws).toHaveLength(5000);
    for (const z of [-2, 0, 1]) {
      const p = 1 / (1 + Math.exp(-z));
      const share = draws.filter((e) => z + e >= 0).length / draws.length;
      // Four deviations of a share of 5000 draws.
      expect(Math.abs(share - p)).toBeLessThan(4 * Math.sqrt((p * (1 - p)) / draws.length));
    }
    expect(draws.every(Number.isFinite)).toBe(true);
  });
});

describe("the schedule of gates", () => {
  const at = (progress: number, more: Partial<typeof BUDGET> | object = {}) =>
    gateInputs({ ...BUDGET, target: 0.4, ...more }, progress) as NonNullable<ReturnType<typeof gateInputs>>;

  test("relaxes bounds from the target to the floor in the first third", () => {
    expect(at(0).bounds).toEqual([0.4, 0.4]);
    expect(at(1 / 6).bounds[0]).toBeCloseTo(0.25, 12);
    expect(at(1 / 6).bounds[1]).toBeCloseTo(0.65, 12);
    for (const progress of [1 / 3, 0.5, 0.99]) {
      expect(at(progress).bounds[0]).toBeCloseTo(0.1, 12);
      expect(at(progress).bounds[1]).toBeCloseTo(0.9, 12);
    }
    expect(at(0, { relax: 0, floor: 0 }).bounds).toEqual([0, 1]);
  });

  test("never asks for rates that exclude the target", () => {
    expect(at(0.5, { target: 0.05 }).bounds[0]).toBeCloseTo(0.05, 12);
    expect(at(0.5, { target: 0.97 }).bounds[1]).toBeCloseTo(0.97, 12);
  });

  test("shrinks the noise, and ends it in the last fifth", () => {
    expect(at(0).noise).toBe(1);
    expect(at(0.4).noise).toBeCloseTo(0.5, 12);
    expect(at(0.79).noise).toBeGreaterThan(0);
    expect([0.8, 0.99].map((progress) => at(progress).noise)).toEqual([0, 0]);
    expect(at(0, { quiet: 1 }).noise).toBe(0);
    expect(at(0.5, { quiet: 0 }).noise).toBe(0.5);
  });

  test("has nothing for gates that halt, and for none", () => {
    expect(gateInputs(PONDER, 0.5)).toBeUndefined();
    expect(gateInputs(undefined, 0.5)).toBeUndefined();
  });
});
