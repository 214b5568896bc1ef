/** Gradients through gates: every surrogate against central differences in float64 of what it stands for, and against the closed form. */
import { describe, expect, test } from "vitest";
import { type HardGate, SURROGATES, type Surrogate, withSurrogates } from "../../src/autodiff/gates.js";
import { gradientGraph } from "../../src/autodiff/gradient.js";
import { fromNumbers, type Tensor, toNumbers } from "../../src/core/tensor.js";
import { int, ints } from "../../src/graph/attributes.js";
import { GraphBuilder } from "../../src/graph/builder.js";
import type { Graph, ValueName } from "../../src/graph/graph.js";
import { inferShapes } from "../../src/graph/infer.js";
import { emptyGraph } from "../../src/graph/op.js";
import { ortNode } from "../../src/node/ort-node/index.js";
import { cast } from "../../src/ops/support/mask.js";
import { opTable } from "../../src/ops/table.js";
import type { Tensors } from "../../src/runtime/backend.js";
import { runReference } from "../../src/runtime/reference.js";
import { inFloat64 } from "../support/float64.js";
import { random } from "../support/gradcheck.js";

const [ROWS, CHANNELS, SIDE] = [4, 3, 5];
const DIMS = [ROWS, CHANNELS, SIDE, SIDE];

/** Two gated blocks in a row. Each gate reads the input of its block, so the second score depends on the first gate. */
function network(): {
  readonly graph: Graph;
  readonly gates: readonly HardGate[];
  readonly branches: readonly ValueName[];
} {
  const b = new GraphBuilder(emptyGraph("gates", 17));
  const constant = (seed: number, ...dims: number[]): ValueName =>
    b.constant(fromNumbers("float32", dims, toNumbers(random(dims, seed, -0.5, 0.5))), "w");
  let x = b.input("x", "float32", DIMS);
  const branches: ValueName[] = [];
  const gates = [0, 1].map((k) => {
    const branch = b.op("Tanh", [
      b.op("Conv", [x, constant(k + 1, CHANNELS, CHANNELS, 3, 3)], { pads: ints([1, 1, 1, 1]) }),
    ]);
    const mean = b.op("Flatten", [b.op("GlobalAveragePool", [x])], { axis: int(1) });
    const score = b.op(
      "Reshape",
      [b.op("MatMul", [mean, constant(k + 9, CHANNELS, 1)]), b.ints([-1])],
      {},
      `score${k}`,
    );
    const open = b.op("GreaterOrEqual", [score, b.scalar(0)]);
    const value = b.op("Reshape", [cast(b, open, "float32"), b.ints([-1, 1, 1, 1])], {}, `gate${k}`);
    x = b.op("Add", [x, b.op("Mul", [branch, value])]);
    branches.push(branch);
    return { score, value };
  });
  b.output(b.op("ReduceSum", [b.op("Mul", [x, x])], { keepdims: int(0) }, "loss"), "float32", []);
  return { graph: inferShapes(b.build(), opTable), gates, branches };
}

const feeds = (seed = 3) => ({ x: fromNumbers("float64", DIMS, toNumbers(random(DIMS, seed))) });

/** Values of a graph in float64. */
function values(
  graph: Graph,
  fed: Readonly<Record<string, Tensor>>,
  names: readonly ValueName[],
): readonly (readonly number[])[] {
  const results = runReference(inFloat64(graph), fed, opTable, names);
  return names.map((name) => [...toNumbers(results[name])]);
}

/** The gradient of the loss for x. */
function gradient(graph: Graph, constants: ReadonlySet<ValueName>, fed = feeds()): readonly number[] {
  const typed = inferShapes(graph, opTable);
  const made = gradientGraph(typed, opTable, { loss: "loss", wrt: ["x"], names: ["dx"], keep: [], constants });
  return values(made, fed, ["dx"])[0];
}

/** The graph with some values as the numbers that they have at the base. */
function frozen(graph: Graph, names: readonly ValueName[]): Graph {
  const found = values(graph, feeds(), names);
  const types = inferShapes(graph, opTable).types;
  const initializers = new Map(graph.initializers);
  names.forEach((name, i) => {
    const dims = types.get(name)?.shape as number[];
    initializers.set(name, fromNumbers("float32", dims, found[i]));
  });
  const nodes = graph.nodes.filter((node) => !node.outputs.some((name) => names.includes(name)));
  return { ...graph, nodes, initializers, types: new Map() };
}

function expectDifferences(path: Graph, analytic: readonly number[]): void {
  for (let trial = 0; trial < 3; trial++) {
    const direction = toNumbers(random(DIMS, 50 + trial));
    const along = (t: number): number => {
      const moved = [...toNumbers(feeds().x)].map((v, i) => v + t * direction[i]);
      return values(path, { x: fromNumbers("float64", DIMS, moved) }, ["loss"])[0][0];
    };
    const h = 1e-6;
    const numeric = (along(h) - along(-h)) / (2 * h);
    const got = analytic.reduce((sum, g, i) => sum + g * direction[i], 0);
    expect(Math.abs(got - numeric), `direction ${trial}: ${got}, numeric ${numeric}`).toBeLessThan(
      2e-7 * Math.max(1, Math.abs(numeric)),
    );
  }
}

const SLOPES = [1, 3];

describe("a gradient through gates", () => {
  const { graph, gates } = network();

  test("starts where some gates are open and some are closed, none at its threshold", () => {
    const [first, second, ...scores] = values(graph, feeds(), ["gate0", "gate1", "score0", "score1"]);
    for (const bits of [first, second]) expect(new Set(bits)).toEqual(new Set([0, 1]));
    for (const z of scores.flat()) expect(Math.abs(z)).toBeGreaterThan(1e-3);
  });

  test("of hard gates is the difference of the network with its gates held", () => {
    const { graph: hard, constants } = withSurrogates(graph, gates, { kind: "hard" });
    const analytic = gradient(hard, constants);
    expectDifferences(frozen(graph, ["gate0", "gate1"]), analytic);
    // No score is within reach of its threshold, so the network itself has the same differences.
    expectDifferences(graph, analytic);
  });

  test.each(SLOPES)("of soft gates is the difference of the soft network, slope %f", (slope) => {
    const soft = withSurrogates(graph, gates, { kind: "soft", slope });
    expectDifferences(soft.graph, gradient(soft.graph, soft.constants));
  });

  test.each(SLOPES)("straight through is the difference along the soft path, slope %f", (slope) => {
    const made = withSurrogates(graph, gates, { kind: "straight-through", slope });
    expect(made.constants.size).toBe(2);
    const analytic = gradient(made.graph, made.constants);
    // hard - soft stays as it is at the base, and soft moves.
    expectDifferences(frozen(made.graph, [...made.constants]), analytic);
    const blind = gradient(graph, new Set());
    expect(Math.max(...analytic.map((g, i) => Math.abs(g - blind[i])))).toBeGreaterThan(1e-3);
  });

  test("follows a threshold", () => {
    const moved: HardGate[] = [gates[0], { ...gates[1], threshold: 0.2 }];
    const soft = withSurrogates(graph, moved, { kind: "soft", slope: 2 });
    const [value, score] = values(soft.graph, feeds(), ["gate1", "score1"]) as [number[], number[]];
    expect(value).toHaveLength(ROWS);
    value.forEach((v, i) => {
      expect(v).toBeCloseTo(1 / (1 + Math.exp(-2 * (score[i] - 0.2))), 7);
    });
    expectDifferences(soft.graph, gradient(soft.graph, soft.constants));
  });
});

test("straight through, a score gets slope * s(1 - s) times the sum of dy * branch", () => {
  const { graph, gates, branches } = network();
  const slope = 1.5;
  const made = withSurrogates(graph, gates.slice(1), { kind: "straight-through", slope });
  const typed = inferShapes(made.graph, opTable);
  const wrt = ["score1"];
  const withGradient = gradientGraph(typed, opTable, {
    loss: "loss",
    wrt,
    names: ["dz"],
    keep: [],
    constants: made.constants,
  });
  const [dz, score, branch] = values(withGradient, feeds(), ["dz", "score1", branches[1]]) as [
    number[],
    number[],
    number[],
  ];
  const size = CHANNELS * SIDE * SIDE;
  // The loss is the sum of y squared, so dy is 2y.
  const [out] = values(graph, feeds(), [lastSum(graph)]) as [number[]];
  for (let i = 0; i < ROWS; i++) {
    const s = 1 / (1 + Math.exp(-slope * score[i]));
    let sum = 0;
    for (let k = i * size; k < (i + 1) * size; k++) sum += 2 * out[k] * branch[k];
    expect(dz[i]).toBeCloseTo(slope * s * (1 - s) * sum, 6);
  }
});

const lastSum = (graph: Graph): ValueName =>
  graph.nodes.findLast((node) => node.opType === "Add")?.outputs[0] as ValueName;

test("straight through, values are 0 or 1 to the bit, and answers stay, on each backend", async () => {
  const { graph, gates } = network();
  const kinds = SURROGATES.map((kind): Surrogate => ({ kind, slope: 7 }));
  const [hard, through, soft] = kinds.map((surrogate) => withSurrogates(graph, gates, surrogate).graph) as [
    Graph,
    Graph,
    Graph,
  ];
  const outputs = (source: Graph): Graph =>
    inferShapes(
      {
        ...source,
        outputs: ["loss", "gate0", "gate1"].map((name) => ({ name, dtype: "float32" as const, shape: undefined })),
      },
      opTable,
    );
  const fed = { x: fromNumbers("float32", DIMS, toNumbers(random(DIMS, 3))) };
  const onOrt = async (source: Graph): Promise<Tensors> => {
    const session = await ortNode({ threads: 1 }).compile(source);
    const results = await session.run(fed);
    await session.release();
    return results;
  };
  for (const run of [(source: Graph) => runReference(source, fed), onOrt]) {
    const [want, got, other] = [await run(outputs(hard)), await run(outputs(through)), await run(outputs(soft))];
    for (const name of ["loss", "gate0", "gate1"]) expect(got[name]?.data, name).toEqual(want[name]?.data);
    expect(new Set(got.gate0?.data as Float32Array)).toEqual(new Set([0, 1]));
    expect(other.gate0?.data).not.toEqual(want.gate0?.data);
  }
});
