import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { normal, uniform } from "../../src/core/rng.js";
import { type Shape, sizeOf } from "../../src/core/shape.js";
import { fromNumbers, type Tensor, toNumbers } from "../../src/core/tensor.js";
import { int, ints } from "../../src/graph/attributes.js";
import { GraphBuilder } from "../../src/graph/builder.js";
import { checkGraph } from "../../src/graph/checker.js";
import type { Graph, ValueName } from "../../src/graph/graph.js";
import { emptyGraph, type OpTable } from "../../src/graph/op.js";
import { dropIdentities } from "../../src/graph/passes/drop-identities.js";
import { foldAffine } from "../../src/graph/passes/fold-affine.js";
import { foldConstants } from "../../src/graph/passes/fold-constants.js";
import { prune } from "../../src/graph/passes/prune.js";
import { simplify } from "../../src/graph/passes/simplify.js";
import { ortNode } from "../../src/node/ort-node/index.js";
import { readModel } from "../../src/onnx/read.js";
import { opTable } from "../../src/ops/table.js";
import { runReference } from "../../src/runtime/reference.js";
import { GRADIENT_CASES, referenceFile } from "../support/reference-cases.js";

const draw = (seed: number, ...dims: number[]): Tensor<"float64"> =>
  fromNumbers("float64", dims, normal({ seed, sample: 0, purpose: "test", step: 0 }, sizeOf(dims)));
const positive = (seed: number, n: number): Tensor<"float64"> =>
  fromNumbers("float64", [n], uniform({ seed, sample: 0, purpose: "test", step: 1 }, n, 0.5, 2));

const types = (graph: Graph): string[] => graph.nodes.map((node) => node.opType);

/** A builder with x [n,3,6,6] of float64. */
function start(): { b: GraphBuilder; x: ValueName } {
  const b = new GraphBuilder(emptyGraph("g", 17));
  return { b, x: b.input("x", "float64", ["n", 3, 6, 6]) };
}

const conv = (b: GraphBuilder, x: ValueName, channels = 3, seed = 1): ValueName =>
  b.op("Conv", [x, b.constant(draw(seed, 4, channels, 3, 3)), b.constant(draw(seed + 1, 4))], {
    pads: ints([1, 1, 1, 1]),
  });

const batchNorm = (b: GraphBuilder, x: ValueName, seed = 5): ValueName =>
  b.op("BatchNormalization", [
    x,
    ...[draw(seed, 4), draw(seed + 1, 4), draw(seed + 2, 4), positive(seed, 4)].map((t) => b.constant(t)),
  ]);

function finish(b: GraphBuilder, ...outputs: readonly ValueName[]): Graph {
  for (const name of outputs) b.output(name, "float64", undefined);
  return b.build();
}

/** Assert that a pass leaves the answers (in float64, to rounding), the signature and a well-formed graph. */
function expectSame(before: Graph, after: Graph): void {
  checkGraph(after, opTable);
  expect(after.inputs.map((i) => i.name)).toEqual(before.inputs.map((i) => i.name));
  expect(after.outputs.map((o) => o.name)).toEqual(before.outputs.map((o) => o.name));
  const dims = (shape: Shape | undefined) => (shape ?? []).map((d) => (typeof d === "number" ? d : 2));
  const feeds = Object.fromEntries(before.inputs.map((input, i) => [input.name, draw(90 + i, ...dims(input.shape))]));
  const [want, got] = [runReference(before, feeds), runReference(after, feeds)];
  for (const { name } of before.outputs) {
    const [a, b] = [toNumbers(want[name]), toNumbers(got[name])];
    expect(got[name]?.dims).toEqual(want[name]?.dims);
    expect(a.reduce((worst, v, i) => Math.max(worst, Math.abs(v - b[i])), 0)).toBeLessThan(1e-10);
  }
}

describe("folding affine maps", () => {
  test("a BatchNormalization after a convolution goes into its weights", () => {
    const { b, x } = start();
    const graph = finish(b, b.op("Relu", [batchNorm(b, conv(b, x))]));
    const folded = foldAffine(graph, opTable);
    expect(types(folded)).toEqual(["Conv", "Relu"]);
    expectSame(graph, folded);
  });

  test("so does a chain of maps after a convolution without bias, and the last name stays", () => {
    const { b, x } = start();
    const plain = b.op("Conv", [x, b.constant(draw(1, 4, 3, 1, 1))]);
    const scaled = b.op("Mul", [batchNorm(b, plain), b.constant(draw(2, 4, 1, 1))]);
    const graph = finish(
      b,
      b.op("Sub", [b.op("Div", [scaled, b.constant(draw(3, 1))]), b.constant(draw(4, 1, 4, 1, 1))], {}, "y"),
    );
    const folded = foldAffine(graph, opTable);
    expect(types(folded)).toEqual(["Conv"]);
    expectSame(graph, folded);
  });

  test("a map after Gemm goes into it", () => {
    const { b, x } = start();
    const flat = b.op("Flatten", [x]);
    const gemm = b.op("Gemm", [flat, b.constant(draw(1, 4, 108)), b.constant(draw(2, 4))], { transB: int(1) });
    const graph = finish(b, batchNorm(b, gemm));
    const folded = foldAffine(graph, opTable);
    expect(types(folded)).toEqual(["Flatten", "Gemm"]);
    expectSame(graph, folded);
  });

  test("two convolutions that share weights do not get each other's map", () => {
    const { b, x } = start();
    const w = b.constant(draw(1, 4, 3, 1, 1));
    const [first, second] = [b.op("Conv", [x, w]), b.op("Conv", [x, w])];
    const graph = finish(b, b.op("Add", [batchNorm(b, first, 5), batchNorm(b, second, 25)]));
    const folded = foldAffine(graph, opTable);
    expect(types(folded)).toEqual(["Conv", "Conv", "Add"]);
    expectSame(graph, folded);
  });

  test.each<[string, (b: GraphBuilder, x: ValueName) => readonly ValueName[]]>([
    [
      "something else reads the convolution",
      (b, x) => {
        const c = conv(b, x);
        return [b.op("Add", [batchNorm(b, c), c])];
      },
    ],
    [
      "the convolution is an output itself",
      (b, x) => {
        const c = conv(b, x);
        return [c, batchNorm(b, c)];
      },
    ],
    ["an activation stands between", (b, x) => [batchNorm(b, b.op("Relu", [conv(b, x)]))]],
    ["nothing stands before", (b, x) => [b.op("Mul", [x, b.constant(draw(3, 3, 1, 1))])]],
    ["the factor varies over the image", (b, x) => [b.op("Mul", [conv(b, x), b.constant(draw(3, 6, 6))])]],
    [
      "the weights are computed",
      (b, x) => {
        const w = b.op("Reshape", [b.input("w", "float64", [108]), b.ints([4, 3, 3, 3])]);
        return [batchNorm(b, b.op("Conv", [x, w]))];
      },
    ],
  ])("nothing is folded where %s", (_, build) => {
    const { b, x } = start();
    const graph = finish(b, ...build(b, x));
    const folded = foldAffine(graph, opTable);
    expect(types(folded)).toEqual(types(graph));
    expectSame(graph, folded);
  });
});

describe("folding constants", () => {
  test("what is known is computed once", () => {
    const { b, x } = start();
    const c = b.op("Add", [b.constant(draw(1, 3, 1, 1)), b.op("Exp", [b.constant(draw(2, 3, 1, 1))])], {}, "sum");
    const graph = finish(b, b.op("Mul", [x, c]));
    const folded = foldConstants(graph, opTable);
    expect(types(folded)).toEqual(["Mul"]);
    expect(folded.initializers.get("sum")?.dims).toEqual([3, 1, 1]);
    expectSame(graph, folded);
  });

  test("shape arithmetic on known dimensions goes, on the batch it stays", () => {
    const { b, x } = start();
    const at = (i: number) =>
      b.op("Gather", [b.op("Shape", [x]), b.constant(fromNumbers("int64", [1], [i]))], { axis: int(0) });
    const graph = finish(
      b,
      b.op("Reshape", [x, b.op("Concat", [at(0), b.op("Mul", [at(1), at(2)]), at(3)], { axis: int(0) })]),
    );
    const folded = prune(foldConstants(graph, opTable));
    expect(types(folded)).toEqual(["Shape", "Gather", "Concat", "Reshape"]);
    expectSame(graph, folded);
  });

  test("a result of 2^20 elements is stored, a larger one stays a node", () => {
    const expanded = (size: number) => {
      const { b, x } = start();
      const big = b.op("Expand", [b.constant(draw(1, 1)), b.ints([size])], {}, "big");
      return foldConstants(finish(b, b.op("Add", [x, b.op("ReduceSum", [big])])), opTable);
    };
    expect(types(expanded(2 ** 20))).toEqual(["Add"]);
    expect(types(expanded(2 ** 20 + 1))).toEqual(["Expand", "ReduceSum", "Add"]);
  });

  test("a node that makes an output stays a node", () => {
    const { b, x } = start();
    const known = b.op("Neg", [b.constant(draw(1, 2))]);
    const graph = finish(b, known, b.op("Relu", [x]));
    expect(types(foldConstants(graph, opTable))).toEqual(["Neg", "Relu"]);
  });

  test("all outputs of a node are stored, the one that is left out as well as the others", () => {
    const { b, x } = start();
    const [left, right] = b.ops("Split", [b.constant(draw(1, 6))], 2, { axis: int(0) }) as [string, string];
    b.append({
      opType: "Dropout",
      domain: "",
      name: "",
      inputs: [right],
      outputs: ["", "mask"],
      attributes: {},
    });
    const chosen = b.op("Where", ["mask", left, right]);
    const graph = finish(b, b.op("Add", [x, b.op("ReduceSum", [chosen])]));
    const folded = foldConstants(graph, opTable);
    expect(types(folded)).toEqual(["Add"]);
    expectSame(graph, folded);
  });
});

describe("dropping identities", () => {
  test("Identity, Dropout and a Cast to the same type go, one after the other too", () => {
    const { b, x } = start();
    const same = b.op("Cast", [b.op("Dropout", [b.op("Identity", [x])])], { to: int(11) });
    const graph = finish(b, b.op("Relu", [same]));
    const dropped = dropIdentities(graph, opTable);
    expect(dropped.nodes.map((n) => [n.opType, ...n.inputs])).toEqual([["Relu", "x"]]);
    expectSame(graph, dropped);
  });

  test("one that makes an output stays, and reads what the others stood for", () => {
    const { b, x } = start();
    const y = b.op("Identity", [b.op("Identity", [b.op("Relu", [x], {}, "r")])], {}, "y");
    const graph = finish(b, y);
    const dropped = dropIdentities(graph, opTable);
    expect(dropped.nodes.map((n) => [n.opType, ...n.inputs])).toEqual([
      ["Relu", "x"],
      ["Identity", "r"],
    ]);
    expectSame(graph, dropped);
  });

  test("a Dropout whose mask is read stays", () => {
    const { b, x } = start();
    const [y, mask] = b.ops("Dropout", [x], 2) as [string, string];
    const graph = finish(b, b.op("Where", [mask, y, b.op("Neg", [y])]));
    expect(types(dropIdentities(graph, opTable))).toEqual(["Dropout", "Neg", "Where"]);
  });
});

test("pruning forgets nodes and constants that no output needs, and keeps every input", () => {
  const { b, x } = start();
  b.input("unused", "float64", [1]);
  b.op("Mul", [x, b.constant(draw(1, 3, 1, 1), "dead")]);
  const graph = finish(b, b.op("Add", [x, b.constant(draw(2, 3, 1, 1), "alive")]), b.constant(draw(3, 1), "returned"));
  const pruned = prune(graph);
  expect(types(pruned)).toEqual(["Add"]);
  expect([...pruned.initializers.keys()]).toEqual(["alive", "returned"]);
  expect(pruned.inputs.map((i) => i.name)).toEqual(["x", "unused"]);
});

/** Random graphs over x [n,4,6,6]: each step reads one or two of the values so far. */
const steps = fc.array(
  fc.record({
    kind: fc.constantFrom("conv", "norm", "mul", "add", "identity", "dropout", "relu", "join", "known"),
    from: fc.nat(3),
    output: fc.boolean(),
  }),
  { minLength: 1, maxLength: 10 },
);

function randomGraph(list: readonly { kind: string; from: number; output: boolean }[]): Graph {
  const b = new GraphBuilder(emptyGraph("random", 17));
  const values = [b.input("x", "float64", ["n", 4, 6, 6])];
  const outputs = new Set<ValueName>();
  list.forEach(({ kind, from, output }, i) => {
    const x = values.at(-1 - (from % values.length)) as ValueName;
    const c = b.constant(draw(100 + i, 4, 1, 1));
    const made: Record<string, () => ValueName> = {
      conv: () => conv(b, x, 4, 10 * i),
      norm: () => batchNorm(b, x, 10 * i),
      mul: () => b.op("Mul", [x, c]),
      add: () => b.op("Add", [x, c]),
      identity: () => b.op("Identity", [x]),
      dropout: () => b.op("Dropout", [x]),
      relu: () => b.op("Relu", [x]),
      join: () => b.op("Add", [x, values[0]]),
      known: () => b.op("Mul", [x, b.op("Tanh", [c])]),
    };
    const y = made[kind]?.();
    values.push(y);
    if (output || i === list.length - 1) outputs.add(y);
  });
  return finish(b, ...outputs);
}

describe("on random graphs every pass keeps the answers", () => {
  const passes: readonly (readonly [string, (graph: Graph, ops: OpTable) => Graph])[] = [
    ["foldConstants", foldConstants],
    ["dropIdentities", dropIdentities],
    ["foldAffine", foldAffine],
    ["prune", prune],
    ["simplify", simplify],
  ];
  test.each(passes)("%s", (_, pass) => {
    fc.assert(
      fc.property(steps, (list) => {
        const graph = randomGraph(list);
        expectSame(graph, pass(graph, opTable));
      }),
      { numRuns: 40 },
    );
  });

  test("simplifying twice changes nothing more", () => {
    fc.assert(
      fc.property(steps, (list) => {
        const once = simplify(randomGraph(list), opTable);
        expect(simplify(once, opTable).nodes).toEqual(once.nodes);
      }),
      { numRuns: 40 },
    );
  });
});

const MODELS = ["resnet20-sdn", ...GRADIENT_CASES.map((name) => `gradients/${name}`)];

test.each(MODELS)("%s simplified gives the same answers in ONNX Runtime", async (name) => {
  const { graph } = readModel(referenceFile(`${name}/model.onnx`));
  const simple = simplify(graph, opTable);
  checkGraph(simple, opTable);
  expect(simple.nodes.length).toBeLessThanOrEqual(graph.nodes.length);
  expect(types(simple).filter((t) => t === "Identity" || t === "Dropout")).toEqual([]);
  const [input] = graph.inputs;
  const dims = (input?.shape ?? []).map((d) => (typeof d === "number" ? d : 2));
  const x = fromNumbers("float32", dims, uniform({ seed: 3, sample: 0, purpose: "test", step: 0 }, sizeOf(dims)));
  const answers = async (g: Graph) => {
    const session = await ortNode({ threads: 1 }).compile(g);
    const results = await session.run({ [input?.name ?? ""]: x });
    await session.release();
    return results;
  };
  const [want, got] = [await answers(graph), await answers(simple)];
  for (const { name: output } of graph.outputs) {
    const [a, b] = [toNumbers(want[output]), toNumbers(got[output])];
    const scale = a.reduce((m, v) => Math.max(m, Math.abs(v)), 0);
    expect(a.reduce((m, v, i) => Math.max(m, Math.abs(v - b[i])), 0) / scale).toBeLessThanOrEqual(1e-5);
  }
});
