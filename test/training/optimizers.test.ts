/** Updates on the reference backend, several in a row, against the papers' formulas in float64 and against PyTorch 1.13 in
 *  float64, run once with
 *    P = [0.5, -1.25, 2.0]; G = [[0.1, -0.2, 0.3], [-0.4, 0.05, 0.2], [0.3, 0.3, -0.1], [0.02, -0.6, 0.5]]
 *    p = Parameter(tensor(P)); o = OPTIMIZER([p], lr=0.1, ...)
 *    for g in G: p.grad = tensor(g); o.step() */
import { describe, expect, test } from "vitest";
import { fromNumbers, type Tensor, toNumbers } from "../../src/core/tensor.js";
import { GraphBuilder } from "../../src/graph/builder.js";
import { checkGraph } from "../../src/graph/checker.js";
import type { Graph, ValueName } from "../../src/graph/graph.js";
import { inferShapes } from "../../src/graph/infer.js";
import { emptyGraph } from "../../src/graph/op.js";
import { ortNode } from "../../src/node/ort-node/index.js";
import { opTable } from "../../src/ops/table.js";
import type { Tensors } from "../../src/runtime/backend.js";
import { runReference } from "../../src/runtime/reference.js";
import type { AdamConfig, OptimizerConfig, SgdConfig } from "../../src/training/recipe/config.js";
import { averaged, clipGradients, optimizerOf } from "../../src/training/step/optimizers.js";
import { random } from "../support/gradcheck.js";

const START = [0.5, -1.25, 2.0];
const GRADIENTS = [
  [0.1, -0.2, 0.3],
  [-0.4, 0.05, 0.2],
  [0.3, 0.3, -0.1],
  [0.02, -0.6, 0.5],
];

const SGD: SgdConfig = { kind: "sgd", momentum: 0.9, nesterov: false, weightDecay: 0.01 };
const ADAM: AdamConfig = { kind: "adam", beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.01 };

const f32 = (values: readonly number[], dims: readonly number[] = [values.length]): Tensor<"float32"> =>
  fromNumbers("float32", dims, values);

/** A graph from what `draw` returns: its outputs by name. */
function graphOf(draw: (b: GraphBuilder) => Readonly<Record<string, ValueName>>): Graph {
  const b = new GraphBuilder(emptyGraph("g", 17));
  for (const [name, value] of Object.entries(draw(b))) {
    b.append({ opType: "Identity", domain: "", name: "", inputs: [value], outputs: [name], attributes: {} });
    b.output(name, "float32", undefined);
  }
  const graph = inferShapes(b.build(), opTable);
  checkGraph(graph, opTable);
  return graph;
}

/** One update of one parameter of three numbers. */
const updateGraph = (config: OptimizerConfig, decay: boolean): Graph =>
  graphOf((b) => {
    const [learningRate, step] = [b.input("lr", "float32", []), b.input("step", "float32", [])];
    const [param, grad] = [b.input("param", "float32", [3]), b.input("grad", "float32", [3])];
    const { slots, begin } = optimizerOf(config);
    const state = slots.map((slot) => b.input(slot, "float32", [3]));
    const next = begin(b, { learningRate, step })({ param, grad, state, decay });
    return { next: next.param, ...Object.fromEntries(slots.map((slot, i) => [`next.${slot}`, next.state[i] ?? ""])) };
  });

type Run = (feeds: Tensors) => Tensors | Promise<Tensors>;

/** The parameter after each update, with learning rate `rates[i]` at the i-th. */
async function updates(
  config: OptimizerConfig,
  { decay = true, rates = [0.1, 0.1, 0.1, 0.1], run }: { decay?: boolean; rates?: readonly number[]; run?: Run } = {},
): Promise<number[][]> {
  const graph = updateGraph(config, decay);
  const { slots } = optimizerOf(config);
  let param = f32(START) as Tensor;
  let state = slots.map(() => f32([0, 0, 0]) as Tensor);
  const seen: number[][] = [];
  for (const [i, grad] of GRADIENTS.entries()) {
    const slotFeeds = Object.fromEntries(slots.map((slot, k) => [slot, state[k]]));
    const all: Tensors = {
      param,
      grad: f32(grad),
      lr: f32([rates[i]], []),
      step: f32([i + 1], []),
      ...slotFeeds,
    };
    const results = await (run ?? ((feeds) => runReference(graph, feeds)))(all);
    param = results.next;
    state = slots.map((slot) => results[`next.${slot}`]);
    seen.push([...toNumbers(param)]);
  }
  return seen;
}

/** float32 keeps seven digits; a few updates of numbers below 4 stay within 2e-6. */
function expectNear(got: readonly number[] | undefined, want: readonly number[]): void {
  expect(got).toHaveLength(want.length);
  want.forEach((v, i) => expect(Math.abs((got?.[i] as number) - v), `element ${i}`).toBeLessThan(2e-6));
}

/** Sutskever et al. 2013 in PyTorch's form, one number at a time in float64. */
function plainSgd({ momentum, nesterov, weightDecay }: SgdConfig, rates: readonly number[]): number[][] {
  const [p, v] = [[...START], [0, 0, 0]];
  return GRADIENTS.map((gradient, step) => {
    gradient.forEach((raw, i) => {
      const g = raw + weightDecay * p[i];
      v[i] = momentum * v[i] + g;
      p[i] = p[i] - rates[step] * (nesterov ? g + momentum * v[i] : v[i]);
    });
    return [...p];
  });
}

/** Kingma & Ba 2015, algorithm 1; Loshchilov & Hutter 2019, algorithm 2. */
function plainAdam({ kind, beta1, beta2, epsilon, weightDecay }: AdamConfig, rates: readonly number[]): number[][] {
  const [p, m, v] = [[...START], [0, 0, 0], [0, 0, 0]];
  return GRADIENTS.map((gradient, step) => {
    const rate = rates[step];
    gradient.forEach((raw, i) => {
      const before = p[i];
      const g = kind === "adam" ? raw + weightDecay * before : raw;
      m[i] = beta1 * m[i] + (1 - beta1) * g;
      v[i] = beta2 * v[i] + (1 - beta2) * g * g;
      const [mHat, vHat] = [m[i] / (1 - beta1 ** (step + 1)), v[i] / (1 - beta2 ** (step + 1))];
      const shrunk = kind === "adamw" ? before - rate * weightDecay * before : before;
      p[i] = shrunk - (rate * mHat) / (Math.sqrt(vHat) + epsilon);
    });
    return [...p];
  });
}

const RATES = [0.1, 0.05, 0.2, 0.01];

describe("SGD", () => {
  test.each([
    ["plain", { momentum: 0, weightDecay: 0 }],
    ["with momentum", { weightDecay: 0 }],
    ["with momentum and weight decay", {}],
    ["with Nesterov's momentum", { nesterov: true, weightDecay: 0 }],
    ["with Nesterov's momentum and weight decay", { nesterov: true, momentum: 0.8, weightDecay: 0.1 }],
  ] as const)("%s follows its formula under a changing rate", async (_, changes) => {
    const config = { ...SGD, ...changes };
    const want = plainSgd(config, RATES);
    (await updates(config, { rates: RATES })).forEach((got, i) => expectNear(got, want[i]));
  });

  test("without momentum keeps no state", () => {
    expect(optimizerOf({ ...SGD, momentum: 0 }).slots).toEqual([]);
    expect(optimizerOf(SGD).slots).toEqual(["momentum"]);
  });
});

describe("Adam and AdamW", () => {
  test.each([
    ["Adam", { weightDecay: 0 }],
    ["Adam with weight decay in the gradient", {}],
    ["AdamW", { kind: "adamw", weightDecay: 0.1 }],
    ["AdamW with other averages and a large epsilon", { kind: "adamw", beta1: 0.5, beta2: 0.9, epsilon: 0.1 }],
  ] as const)("%s follows its formula under a changing rate", async (_, changes) => {
    const config = { ...ADAM, ...changes };
    const want = plainAdam(config, RATES);
    (await updates(config, { rates: RATES })).forEach((got, i) => expectNear(got, want[i]));
  });

  test("the first update is the rate times the gradient's sign, though 1 - 0.999 is small in float32", async () => {
    const [first] = await updates({ ...ADAM, weightDecay: 0 }, { rates: [1, 1, 1, 1] });
    [-1, 1, -1].forEach((change, i) => expect(Math.abs(first?.[i] - START[i] - change)).toBeLessThan(1e-6));
  });
});

test.each([
  ["SGD", { ...SGD, momentum: 0, weightDecay: 0 }, [0.498, -1.205, 1.91]],
  ["SGD with momentum", SGD, [0.5104606946605, -1.1806075201462498, 1.793896355632]],
  ["SGD with Nesterov", { ...SGD, nesterov: true }, [0.505354576049687, -1.137703633700557, 1.717028579941427]],
  ["Adam", ADAM, [0.4444203919192026, -1.0852975328290781, 1.6660797635936442]],
  ["AdamW", { ...ADAM, kind: "adamw" }, [0.447078297166614, -1.0944938871135144, 1.6667239128237208]],
] as const)("four updates of %s give PyTorch's numbers", async (_, config, want) => {
  expectNear((await updates(config)).at(-1), want);
});

test.each([
  ["SGD", { ...SGD, nesterov: true }],
  ["Adam", ADAM],
  ["AdamW", { ...ADAM, kind: "adamw" }],
] as const)("%s runs on ONNX Runtime as on the reference", async (_, config) => {
  const session = await ortNode({ threads: 1 }).compile(updateGraph(config, true));
  const run: Run = (feeds) => session.run(Object.fromEntries(session.inputs.map((name) => [name, feeds[name]])));
  expectNear((await updates(config, { run })).at(-1), (await updates(config)).at(-1) as number[]);
  await session.release();
});

describe("weight decay", () => {
  test.each([SGD, ADAM, { ...ADAM, kind: "adamw" as const }])(
    "of $kind leaves alone what it does not hold for",
    async (config) => {
      expect(await updates(config, { decay: false })).toEqual(await updates({ ...config, weightDecay: 0 }));
    },
  );

  test.each([
    [{ ...SGD, momentum: 0, weightDecay: 0 }, ["Mul", "Sub"]],
    [{ ...SGD, weightDecay: 0 }, ["Mul", "Add", "Mul", "Sub"]],
    [SGD, ["Mul", "Add", "Mul", "Add", "Mul", "Sub"]],
  ] as const)("and momentum cost no nodes where they are off (case %#)", (config, nodes) => {
    const types = updateGraph(config, true).nodes.map((node) => node.opType);
    expect(types.filter((type) => type !== "Identity")).toEqual(nodes);
  });

  test("and the bias corrections of Adam are computed once for all parameters", () => {
    const graph = graphOf((b) => {
      const scalars = { learningRate: b.input("lr", "float32", []), step: b.input("step", "float32", []) };
      const update = optimizerOf(ADAM).begin(b, scalars);
      const [param, grad] = [b.input("param", "float32", [3]), b.input("grad", "float32", [3])];
      const one = update({ param, grad, state: [grad, grad], decay: true });
      return { next: update({ param: one.param, grad, state: one.state, decay: true }).param };
    });
    expect(graph.nodes.filter((node) => node.opType === "Pow")).toHaveLength(2);
  });
});

describe("clipping", () => {
  /** PyTorch 1.13: clip_grad_norm_([a, c], maxNorm) with a.grad = [3, -1], c.grad = [0.5, 2, -4]. */
  const clipped = (maxNorm: number): readonly (readonly number[])[] => {
    const graph = graphOf((b) => {
      const grads = [b.input("a", "float32", [2]), b.input("c", "float32", [1, 3])];
      const [a = "", c = ""] = clipGradients(b, grads, maxNorm);
      return { A: a, C: c };
    });
    const results = runReference(graph, { a: f32([3, -1]), c: f32([0.5, 2, -4], [1, 3]) });
    return ["A", "C"].map((name) => [...toNumbers(results[name])]);
  };

  test("scales all gradients together to the norm, as PyTorch does", () => {
    const [a, c] = clipped(1);
    expectNear(a, [0.5454544462810098, -0.18181814876033658]);
    expectNear(c, [0.09090907438016829, 0.36363629752067317, -0.7272725950413463]);
  });

  test("leaves smaller gradients as they are, to the bit", () => {
    expect(clipped(10)).toEqual([
      [3, -1],
      [0.5, 2, -4],
    ]);
  });
});

test("an average follows decay * average + (1 - decay) * value", () => {
  const graph = graphOf((b) => ({
    next: averaged(b, b.input("average", "float32", [5]), b.input("value", "float32", [5]), 0.98),
  }));
  let average = f32([0, 0, 0, 0, 0]) as Tensor;
  let want = [0, 0, 0, 0, 0];
  for (const seed of [1, 2, 3, 4]) {
    const value = f32([...toNumbers(random([5], seed))]);
    average = runReference(graph, { average, value }).next;
    want = want.map((w, i) => 0.98 * w + 0.02 * toNumbers(value)[i]);
  }
  expectNear([...toNumbers(average)], want);
});
