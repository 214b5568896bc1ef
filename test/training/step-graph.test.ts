/** A training step as a graph: its gradients against central differences in float64, and each term of the update against its
 *  formula. Gradients are read from the velocity of SGD, which after one step from zero is the gradient. */
import { describe, expect, test } from "vitest";
import { fromNumbers, type Tensor, toNumbers } from "../../src/core/tensor.js";
import { int } from "../../src/graph/attributes.js";
import { GraphBuilder } from "../../src/graph/builder.js";
import { checkGraph } from "../../src/graph/checker.js";
import type { Graph } from "../../src/graph/graph.js";
import { emptyGraph } from "../../src/graph/op.js";
import { prune } from "../../src/graph/passes/prune.js";
import { opTable } from "../../src/ops/table.js";
import type { Tensors } from "../../src/runtime/backend.js";
import { runReference } from "../../src/runtime/reference.js";
import type { SgdConfig, TrainingConfig } from "../../src/training/recipe/config.js";
import { STEP, type StepGraph, stepGraph } from "../../src/training/step/graph.js";
import { parametersOf } from "../../src/training/step/training-form.js";
import { averageOf } from "../../src/training/step/updates.js";
import { inFloat64 } from "../support/float64.js";
import { random } from "../support/gradcheck.js";
import { CLASSES, CONFIG, earlyExits } from "../support/training.js";

const ROWS = 2;
const PLAIN: SgdConfig = { kind: "sgd", momentum: 0.9, nesterov: false, weightDecay: 0 };

/** The network with norms and statistics away from 1 and 0, so that each counts. */
function network(): Graph {
  const graph = earlyExits(3);
  const initializers = [...graph.initializers].map(([name, t], seed) => {
    if (!/^bn\d/.test(name)) return [name, t] as const;
    const noise = toNumbers(random(t.dims, seed, -0.3, 0.3));
    return [
      name,
      fromNumbers(
        "float32",
        t.dims,
        toNumbers(t).map((v, i) => v + noise[i]),
      ),
    ] as const;
  });
  return { ...graph, initializers: new Map(initializers) };
}

const build = (config: Partial<TrainingConfig> = {}, graph = network()): StepGraph =>
  stepGraph({
    graph,
    logits: graph.outputs.map((o) => o.name),
    trained: parametersOf(graph),
    frozen: false,
    config: { ...CONFIG, batch: ROWS, optimizer: PLAIN, ...config },
  });

interface Feeds {
  readonly weights?: readonly number[];
  readonly rate?: number;
  readonly count?: number;
  readonly state?: ReadonlyMap<string, Tensor>;
}

/** Everything that a step is fed, but for masks. */
function feedsOf(step: StepGraph, { weights = [0.4, 1], rate = 1, count = 1, state }: Feeds = {}): Tensors {
  const rows = step.graph.inputs[0]?.shape?.[0] as number;
  return {
    ...Object.fromEntries(state ?? step.initial),
    images: fromNumbers("float32", [rows, 3, 8, 8], toNumbers(random([rows, 3, 8, 8], 9, 0, 1))),
    [STEP.labels]: fromNumbers(
      "int64",
      [ROWS],
      Array.from({ length: ROWS }, (_, i) => (i * i) % CLASSES),
    ),
    [STEP.learningRate]: fromNumbers("float32", [], [rate]),
    [STEP.exitWeights]: fromNumbers("float32", [weights.length], weights),
    [STEP.count]: fromNumbers("float32", [], [count]),
  };
}

/** Only what the graph asks for. */
const asked = (graph: Graph, feeds: Tensors): Tensors =>
  Object.fromEntries(graph.inputs.map(({ name }) => [name, feeds[name]]));

interface Done {
  readonly loss: number;
  readonly exitLosses: readonly number[];
  readonly correct: readonly number[];
  readonly next: ReadonlyMap<string, Float64Array>;
}

function run(step: StepGraph, options: Feeds = {}): Done {
  const results = runReference(step.graph, asked(step.graph, feedsOf(step, options)));
  const numbers = (name: string): number[] => [...toNumbers(results[name])];
  return {
    loss: numbers(STEP.loss)[0],
    exitLosses: numbers(STEP.exitLosses),
    correct: numbers(STEP.correct),
    next: new Map([...step.next].map(([name, output]) => [name, toNumbers(results[output])])),
  };
}

const worst = (got: ArrayLike<number> | undefined, want: ArrayLike<number>): number =>
  Array.from(want).reduce((m, v, i) => Math.max(m, Math.abs(v - (got?.[i] as number))), 0);

const velocity = (done: Done, name: string): Float64Array => done.next.get(`${name}.momentum`) as Float64Array;

/** The step with float64 numbers throughout: outputs of these names, for given values of the state. */
function wide(step: StepGraph): (wanted: readonly string[], changed?: Tensors) => Tensors {
  const graph = inFloat64(step.graph);
  const feeds = asked(step.graph, feedsOf(step));
  const fed = Object.fromEntries(
    Object.entries(feeds).map(([name, t]) => [
      name,
      t.dtype === "float32" ? fromNumbers("float64", t.dims, toNumbers(t)) : t,
    ]),
  );
  return (wanted, changed = {}) =>
    runReference(prune({ ...graph, outputs: graph.outputs.filter((o) => wanted.includes(o.name)) }), {
      ...fed,
      ...changed,
    });
}

describe("the heads' gradient into the backbone", () => {
  const [none, tenth, whole] = [0, 0.1, undefined].map((backboneGradient) => run(build({ backboneGradient })));
  const heads = (name: string): boolean => /exit0/.test(name);

  test("is scaled in every parameter of the backbone, and in no parameter of a head", () => {
    let differ = 0;
    for (const name of parametersOf(network())) {
      const [zero, part, one] = [none, tenth, whole].map((done) => velocity(done, name));
      const wanted = heads(name) ? one : zero.map((v, i) => v + 0.1 * (one[i] - v));
      expect(worst(part, wanted), name).toBeLessThan(1e-6);
      if (worst(zero, one) > 1e-4) differ++;
      if (heads(name)) expect(worst(zero, one), name).toBe(0);
    }
    expect(differ).toBeGreaterThan(3);
  });

  test("leaves the losses of the step as they are, to the bit", () => {
    expect([none.loss, none.exitLosses]).toEqual([whole.loss, whole.exitLosses]);
    expect([tenth.loss, tenth.exitLosses]).toEqual([whole.loss, whole.exitLosses]);
  });

  test("of factor 0 is that of the final exit alone", () => {
    const final = run(build(), { weights: [0, 1] });
    const backbone = parametersOf(network()).filter((name) => !heads(name));
    expect(backbone.length).toBeGreaterThan(3);
    for (const name of backbone) expect(worst(velocity(none, name), velocity(final, name)), name).toBeLessThan(1e-7);
  });
});

describe("gradients of a step", () => {
  test("are the central differences of its loss, for every parameter", () => {
    const step = build({ labelSmoothing: 0.2 });
    const evaluate = wide(step);
    const base = evaluate(step.graph.outputs.map((o) => o.name));
    for (const name of parametersOf(network())) {
      const value = step.initial.get(name) as Tensor;
      const start = toNumbers(value);
      const direction = toNumbers(random(value.dims, 40));
      // So small that no ReLU or maximum changes sides; float64 leaves nine digits.
      const h = 1e-7;
      const along = (t: number): number => {
        const moved = start.map((v, i) => v + t * direction[i]);
        return toNumbers(evaluate([STEP.loss], { [name]: fromNumbers("float64", value.dims, moved) })[STEP.loss])[0];
      };
      const numeric = (along(h) - along(-h)) / (2 * h);
      const gradient = toNumbers(base[step.next.get(`${name}.momentum`) as string]);
      const analytic = gradient.reduce((sum, g, i) => sum + g * direction[i], 0);
      expect(Math.abs(analytic - numeric), `${name}: ${analytic}, numeric ${numeric}`).toBeLessThan(
        1e-6 * Math.max(1, Math.abs(numeric)),
      );
    }
  });

  test("with the final exit as the teacher, its own parameters get exactly the gradients of its own loss", () => {
    const weights = [0.4, 1];
    const distilled = run(build({ distill: { temperature: 3, weight: 0.5 } }), { weights });
    const own = run(build(), { weights: [0, 1] });
    const head = run(build(), { weights });
    for (const name of ["linear.weight", "linear.bias", "conv3.weight", "bn3.weight"])
      expect(velocity(distilled, name), name).toEqual(velocity(own, name));
    expect(worst(velocity(distilled, "exit0.weight"), velocity(head, "exit0.weight"))).toBeGreaterThan(1e-3);
    expect(worst(velocity(distilled, "conv1.weight"), velocity(own, "conv1.weight"))).toBeGreaterThan(1e-3);
  });
});

describe("what a step tells", () => {
  test("is the loss of each exit in order, mixed with the fed weights, and who was right", () => {
    const graph = network();
    const step = build({}, graph);
    const done = run(step, { weights: [0.25, 2] });
    expect(done.loss).toBeCloseTo(0.25 * done.exitLosses[0] + 2 * done.exitLosses[1], 5);
    const swapped = stepGraph({
      graph,
      logits: ["logits", "exit0"],
      trained: parametersOf(graph),
      frozen: false,
      config: { ...CONFIG, batch: ROWS },
    });
    const other = run(swapped, { weights: [2, 0.25] });
    expect(other.exitLosses).toEqual([...done.exitLosses].reverse());
    expect(other.correct).toEqual([...done.correct].reverse());
    for (const n of done.correct) expect([0, 1, 2]).toContain(n);
  });

  test("is a well-formed graph that keeps only the state it moves", () => {
    const step = build({ ema: 0.9 });
    expect(() => checkGraph(step.graph, opTable)).not.toThrow();
    expect([...step.initial.keys()].toSorted()).toEqual([...step.next.keys()].toSorted());
    const fed = new Set(step.graph.inputs.map((i) => i.name));
    for (const name of step.initial.keys()) expect(fed).toContain(name);
    // The batch's own statistics normalize: the running ones only move.
    expect(fed.size).toBe(step.initial.size + 5);
  });
});

describe("the update", () => {
  test("shrinks matrices alone, unless everything is to decay", () => {
    const [free, some, all] = [
      run(build()),
      run(build({ optimizer: { ...PLAIN, weightDecay: 0.1 } })),
      run(build({ optimizer: { ...PLAIN, weightDecay: 0.1 }, decayAll: true })),
    ];
    for (const name of parametersOf(network())) {
      const value = toNumbers(network().initializers.get(name) as Tensor);
      const matrix = name.endsWith(".weight") && !name.startsWith("bn");
      const decayed = [...velocity(free, name)].map((g, i) => g + 0.1 * value[i]);
      expect(worst(velocity(all, name), decayed), name).toBeLessThan(1e-6);
      expect(worst(velocity(some, name), matrix ? decayed : velocity(free, name)), name).toBeLessThan(1e-6);
    }
  });

  test("clips all gradients together to the largest norm, and leaves smaller ones alone", () => {
    const free = run(build());
    const names = parametersOf(network());
    const norm = Math.sqrt(names.flatMap((name) => [...velocity(free, name)]).reduce((sum, g) => sum + g * g, 0));
    const clipped = run(build({ clipNorm: norm / 3 }));
    const loose = run(build({ clipNorm: norm * 3 }));
    for (const name of names) {
      const third = [...velocity(free, name)].map((g) => g / 3);
      expect(worst(velocity(clipped, name), third), name).toBeLessThan(2e-6 * norm);
      expect(velocity(loose, name), name).toEqual(velocity(free, name));
    }
  });

  test("moves running statistics by the momentum towards the batch's, the variance unbiased", () => {
    const graph = network();
    const norm = graph.nodes.find((node) => node.opType === "BatchNormalization");
    const step = build({ statisticsMomentum: 0.3 }, graph);
    const { images } = feedsOf(step) as { images: Tensor };
    const x = runReference(graph, { images }, opTable, [norm?.inputs[0] as string])[norm?.inputs[0] as string];
    const numbers = toNumbers(x);
    const inner = 64;
    const done = run(step);
    for (let c = 0; c < 8; c++) {
      const values = Array.from(
        { length: ROWS * inner },
        (_, i) => numbers[(Math.floor(i / inner) * 8 + c) * inner + (i % inner)],
      );
      const mean = values.reduce((sum, v) => sum + v, 0) / values.length;
      const variance = values.reduce((sum, v) => sum + (v - mean) ** 2, 0) / (values.length - 1);
      const old = (part: string): number => toNumbers(graph.initializers.get(`bn1.running_${part}`) as Tensor)[c];
      expect(done.next.get("bn1.running_mean")?.[c]).toBeCloseTo(0.7 * old("mean") + 0.3 * mean, 6);
      expect(done.next.get("bn1.running_var")?.[c]).toBeCloseTo(0.7 * old("var") + 0.3 * variance, 6);
    }
  });

  test("averages parameters and statistics, from their first values on", () => {
    const step = build({ ema: 0.8 });
    const done = run(step);
    for (const name of ["conv1.weight", "exit0.mix", "bn2.running_mean"]) {
      const first = toNumbers(step.initial.get(name) as Tensor);
      expect(toNumbers(step.initial.get(averageOf(name)) as Tensor)).toEqual(first);
      const now = done.next.get(name) as Float64Array;
      const average = [...first].map((v, i) => 0.8 * v + 0.2 * now[i]);
      expect(worst(done.next.get(averageOf(name)), average), name).toBeLessThan(1e-6);
    }
    expect([...step.next.keys()].filter((name) => name.endsWith(".ema"))).toHaveLength(14 + 6);
  });

  test("moves all vectors end to end, in one update, one blend of statistics and one average", () => {
    const step = build({ ema: 0.8 });
    const shapes = [...step.initial].filter(([name]) => step.next.has(name) && /^[^.]*[.][^.]*$/.test(name));
    const vectors = shapes.filter(([, t]) => t.dims.length === 1);
    const others = parametersOf(network()).filter((name) => network().initializers.get(name)?.dims.length !== 1);
    expect(vectors.length).toBeGreaterThan(10);
    const joins = step.graph.nodes.filter((node) => node.opType === "Concat" && node.inputs.includes("bn1.bias"));
    expect(joins).toHaveLength(1);
    expect(step.graph.nodes.filter((node) => node.outputs[0]?.startsWith("param"))).toHaveLength(others.length + 1);
    expect(step.graph.nodes.filter((node) => node.inputs.includes("bn1.bias.ema"))).toHaveLength(1);
  });

  test("leaves a parameter as it is whose gradient no loss has", () => {
    const graph = network();
    const b = new GraphBuilder(graph);
    const idle = b.parameter("idle.weight", fromNumbers("float32", [], [2]));
    const sign = b.op("Sign", [idle]);
    b.clearOutputs();
    b.output("exit0", "float32", ["n", CLASSES]);
    b.output(b.op("Mul", ["logits", b.op("Cast", [b.op("Cast", [sign], { to: int(7) })], { to: int(1) })]), "float32", [
      "n",
      CLASSES,
    ]);
    const step = build({}, b.build());
    expect([...(run(step).next.get("idle.weight") as Float64Array)]).toEqual([2]);
    expect(step.next.has("idle.weight.momentum")).toBe(false);
  });
});

test("a loss that depends on no parameter is refused", () => {
  const b = new GraphBuilder(emptyGraph("fixed", 17));
  const images = b.input("images", "float32", ["n", CLASSES]);
  b.output(b.op("Relu", [images], {}, "logits"), "float32", ["n", CLASSES]);
  expect(() =>
    stepGraph({
      graph: b.build(),
      logits: ["logits"],
      trained: [],
      frozen: false,
      config: { ...CONFIG, batch: ROWS },
    }),
  ).toThrow(
    expect.objectContaining({
      code: "training/config",
      message:
        "fixed: the loss depends on no parameter. Parameters are float initializers whose names end in .weight, .bias or .mix. [training/config]",
    }),
  );
});
