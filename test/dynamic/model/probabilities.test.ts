import { describe, expect, test } from "vitest";
import { Images } from "../../../src/core/images.js";
import { normal, uniform } from "../../../src/core/rng.js";
import { fromNumbers } from "../../../src/core/tensor.js";
import { inMemory } from "../../../src/data/dataset.js";
import { dynamicModel } from "../../../src/dynamic/model/model.js";
import { softmaxRow } from "../../../src/dynamic/route/policy.js";
import { Forward } from "../../../src/dynamic/run/forward.js";
import { checkOutputs } from "../../../src/dynamic/run/outputs.js";
import { int, ints } from "../../../src/graph/attributes.js";
import { GraphBuilder } from "../../../src/graph/builder.js";
import type { Graph, ValueName } from "../../../src/graph/graph.js";
import { emptyGraph } from "../../../src/graph/op.js";
import { reduce } from "../../../src/ops/support/emit.js";
import { referenceBackend } from "../../../src/runtime/reference.js";
import { samples } from "../../../src/studies/samples.js";
import { failure } from "../../support/failure.js";

const CLASSES = 4;
const COUNT = 16;
const pixels = uniform({ seed: 3, sample: 0, purpose: "test", step: 0 }, COUNT * 12);

/** Appends the operators behind the dense layers, and returns the output. */
type Tail = (b: GraphBuilder, dense: (classes: number) => ValueName) => ValueName;

/** Images [n,3,2,2], dense layers with seeded weights, and a tail. */
function classifier(tail: Tail, opset = 17): Graph {
  const b = new GraphBuilder(emptyGraph("tails", opset));
  const x = b.op("Flatten", [b.input("image", "float32", ["n", 3, 2, 2])]);
  let seed = 0;
  const dense = (classes: number) => {
    const key = { seed: ++seed, sample: 0, purpose: "test", step: 0 } as const;
    return b.op("MatMul", [x, b.constant(fromNumbers("float32", [12, classes], normal(key, 12 * classes)))]);
  };
  b.output(tail(b, dense), "float32", undefined);
  return b.build();
}

const softmax = (b: GraphBuilder, x: ValueName): ValueName => b.op("Softmax", [x], { axis: int(-1) });
const last = { axis: int(-1) };

/** What the file itself says, by the float64 kernels, as [n * columns]. */
async function ofFile(graph: Graph): Promise<Float32Array> {
  const session = await referenceBackend.compile(graph);
  const results = await session.run({ image: { dtype: "float32", dims: [COUNT, 3, 2, 2], data: pixels } });
  return Object.values(results)[0]?.data as Float32Array;
}

async function ofModel(graph: Graph): Promise<number[][]> {
  const read = dynamicModel({ graph, metadata: new Map() });
  const model = await checkOutputs(read, { backend: referenceBackend });
  const forward = await Forward.compile(model, { backend: referenceBackend });
  const logits = await forward.logits(new Images(pixels, [3, 2, 2]), { batch: COUNT });
  return Array.from({ length: COUNT }, (_, i) => [...softmaxRow(logits.row(0, i))]);
}

const rowsOf = (values: ArrayLike<number>, columns: number): number[][] =>
  Array.from({ length: values.length / columns }, (_, i) =>
    Array.from({ length: columns }, (_, c) => values[i * columns + c]),
  );

function expectClose(got: readonly (readonly number[])[], wanted: readonly (readonly number[])[]): void {
  expect(got).toHaveLength(wanted.length);
  got.forEach((row, i) => {
    row.forEach((p, c) => {
      expect(p).toBeCloseTo(wanted[i]?.[c] ?? Number.NaN, 5);
    });
  });
}

const shape4 = (b: GraphBuilder, x: ValueName): ValueName => b.op("Reshape", [x, b.ints([0, CLASSES, 1, 1])]);

const PROBABILITIES: Record<string, Tail> = {
  Softmax: (b, dense) => softmax(b, dense(CLASSES)),
  "Softmax and Identity": (b, dense) => b.op("Identity", [softmax(b, dense(CLASSES))]),
  "Softmax and Flatten": (b, dense) => b.op("Flatten", [softmax(b, dense(CLASSES))], { axis: int(1) }),
  "Softmax and Reshape": (b, dense) => b.op("Reshape", [softmax(b, dense(CLASSES)), b.ints([-1, CLASSES])]),
  "Softmax over channels, and Squeeze": (b, dense) =>
    b.op("Squeeze", [b.op("Softmax", [shape4(b, dense(CLASSES))], { axis: int(1) }), b.ints([2, 3])]),
  "Softmax in float64, and Cast": (b, dense) =>
    b.op("Cast", [softmax(b, b.op("Cast", [dense(CLASSES)], { to: int(11) }))], { to: int(1) }),
  "Exp, ReduceSum and Div": (b, dense) => {
    const exp = b.op("Exp", [dense(CLASSES)]);
    return b.op("Div", [exp, reduce(b, "ReduceSum", exp, [1], true)]);
  },
  "x - max(x), Exp, ReduceSum, Reciprocal and Mul": (b, dense) => {
    const x = dense(CLASSES);
    const exp = b.op("Exp", [b.op("Sub", [x, reduce(b, "ReduceMax", x, [-1], true)])]);
    return b.op("Mul", [exp, b.op("Reciprocal", [reduce(b, "ReduceSum", exp, [-1], true)])]);
  },
  "the mean of two softmaxes by Mean": (b, dense) =>
    b.op("Mean", [softmax(b, dense(CLASSES)), softmax(b, dense(CLASSES))]),
  "the mean of three softmaxes by Add and Div": (b, dense) => {
    const [x, y, z] = [1, 2, 3].map(() => softmax(b, dense(CLASSES))) as [ValueName, ValueName, ValueName];
    return b.op("Div", [b.op("Add", [b.op("Add", [x, y]), z]), b.scalar(3)]);
  },
  "a weighted mean of softmaxes": (b, dense) =>
    b.op("Add", [
      b.op("Mul", [softmax(b, dense(CLASSES)), b.scalar(0.25)]),
      b.op("Mul", [b.scalar(0.75), softmax(b, dense(CLASSES))]),
    ]),
  "softmaxes on an axis of heads, and ReduceMean": (b, dense) => {
    const heads = b.op("Reshape", [dense(3 * CLASSES), b.ints([0, 3, CLASSES])]);
    return reduce(b, "ReduceMean", softmax(b, heads), [1], false);
  },
  "softmaxes put together by Concat, and ReduceMean": (b, dense) => {
    const head = () => b.op("Unsqueeze", [softmax(b, dense(CLASSES)), b.ints([1])]);
    return reduce(b, "ReduceMean", b.op("Concat", [head(), head()], { axis: int(1) }), [1], false);
  },
  "shares of sigmoids, which only images show": (b, dense) => {
    const s = b.op("Sigmoid", [dense(CLASSES)]);
    return b.op("Div", [s, reduce(b, "ReduceSum", s, [1], true)]);
  },
};

const LOG_PROBABILITIES: Record<string, Tail> = {
  LogSoftmax: (b, dense) => b.op("LogSoftmax", [dense(CLASSES)], last),
  "Softmax and Log": (b, dense) => b.op("Log", [softmax(b, dense(CLASSES))]),
  "the log of a mean of softmaxes": (b, dense) =>
    b.op("Log", [b.op("Mean", [softmax(b, dense(CLASSES)), softmax(b, dense(CLASSES))])]),
  "x - log(sum(exp(x)))": (b, dense) => {
    const x = dense(CLASSES);
    return b.op("Sub", [x, b.op("Log", [reduce(b, "ReduceSum", b.op("Exp", [x]), [1], true)])]);
  },
  "x - logsumexp(x)": (b, dense) => {
    const x = dense(CLASSES);
    return b.op("Sub", [x, b.op("ReduceLogSumExp", [x], { axes: ints([1]), keepdims: int(1) })]);
  },
};

const ONE_COLUMN: Record<string, Tail> = {
  Sigmoid: (b, dense) => b.op("Sigmoid", [dense(1)]),
  "Sigmoid and Squeeze": (b, dense) => b.op("Squeeze", [b.op("Sigmoid", [dense(1)]), b.ints([1])]),
  "1 / (1 + exp(-x))": (b, dense) =>
    b.op("Div", [b.scalar(1), b.op("Add", [b.op("Exp", [b.op("Neg", [dense(1)])]), b.scalar(1)])]),
  "the mean of two sigmoids": (b, dense) => b.op("Mean", [b.op("Sigmoid", [dense(1)]), b.op("Sigmoid", [dense(1)])]),
};

describe("the confidence is the file's own", () => {
  test.each(Object.entries(PROBABILITIES))("of %s", async (name, tail) => {
    const graph = classifier(tail);
    const read = dynamicModel({ graph, metadata: new Map() });
    const checked = await checkOutputs(read, { backend: referenceBackend });
    expect(checked === read).toBe(!name.includes("only images show"));
    expectClose(await ofModel(graph), rowsOf(await ofFile(graph), CLASSES));
  });

  test("of a softmax before opset 13", async () => {
    const graph = classifier((b, dense) => b.op("Identity", [b.op("Softmax", [dense(CLASSES)])]), 11);
    expectClose(await ofModel(graph), rowsOf(await ofFile(graph), CLASSES));
  });

  test.each(Object.entries(LOG_PROBABILITIES))("of %s", async (_, tail) => {
    const graph = classifier(tail);
    expectClose(await ofModel(graph), rowsOf((await ofFile(graph)).map(Math.exp), CLASSES));
  });

  test.each(Object.entries(ONE_COLUMN))("of one column by %s, which tells two classes apart", async (_, tail) => {
    const graph = classifier(tail);
    const wanted = [...(await ofFile(graph))].map((p) => [1 - p, p]);
    expectClose(await ofModel(graph), wanted);
  });

  test("of p and 1 - p side by side", async () => {
    const graph = classifier((b, dense) => {
      const p = b.op("Sigmoid", [dense(1)]);
      return b.op("Concat", [b.op("Sub", [b.scalar(1), p]), p], { axis: int(1) });
    });
    expectClose(await ofModel(graph), rowsOf(await ofFile(graph), 2));
  });
});

describe("what is no distribution stays as it is", () => {
  const read = (tail: Tail) => dynamicModel({ graph: classifier(tail), metadata: new Map() });

  test("logits are the output itself", () => {
    const graph = classifier((b, dense) => b.op("Identity", [dense(CLASSES)], {}, "answer"));
    const model = dynamicModel({ graph, metadata: new Map() });
    expect(model.exits[0]).toMatchObject({ name: "answer", logits: "answer" });
    expect(model.source.nodes).toEqual(graph.nodes);
  });

  test("means of ReLUs, which are small logits", async () => {
    const model = read((b, dense) => b.op("Mul", [b.op("Relu", [dense(CLASSES)]), b.scalar(0.01)]));
    expect(await checkOutputs(model, { backend: referenceBackend })).toBe(model);
  });

  test("a file that gives logits and their softmax has one exit, named after the logits", () => {
    const graph = classifier((b, dense) => {
      const z = b.op("Identity", [dense(CLASSES)], {}, "z");
      b.output(b.op("Softmax", [z], last, "p"), "float32", undefined);
      return z;
    });
    expect(dynamicModel({ graph, metadata: new Map() }).exits.map((e) => e.name)).toEqual(["z"]);
  });
});

describe("several labels at once are refused by name", () => {
  const text = (output: string) =>
    failure(
      "model/classifier",
      `tails: output "${output}" is multi-label: each column holds the probability of its own label (a sigmoid). dynn takes classifiers whose answer is one class. If exactly one class is right for each image, export the values before the sigmoid.`,
    );

  test("as the graph shows them", () => {
    for (const tail of [
      (b, dense) => b.op("Sigmoid", [dense(CLASSES)], {}, "tags"),
      (b, dense) => b.op("Mean", [b.op("Sigmoid", [dense(2)]), b.op("Sigmoid", [dense(2)])], {}, "tags"),
    ] satisfies Tail[])
      expect(() => dynamicModel({ graph: classifier(tail), metadata: new Map() })).toThrow(text("tags"));
  });

  test("as images show them", async () => {
    const graph = classifier((b, dense) => b.op("HardSigmoid", [dense(CLASSES)], {}, "tags"));
    const model = dynamicModel({ graph, metadata: new Map() });
    await expect(checkOutputs(model, { backend: referenceBackend })).rejects.toThrow(text("tags"));
  });
});

test("Forward and samples refuse probabilities that the graph hides, and take the checked model", async () => {
  const graph = classifier((b, dense) => b.op("Min", [softmax(b, dense(CLASSES)), b.scalar(2)], {}, "probs"));
  const model = dynamicModel({ graph, metadata: new Map() }, { name: "tails" });
  const images = new Images(pixels, [3, 2, 2]);
  const labels = new Int32Array(COUNT);
  const data = inMemory({ name: "some", shape: [3, 2, 2], classes: undefined, labels }, pixels);
  const refused = failure(
    "model/classifier",
    'tails: exit "probs" holds probabilities, expected logits. Give the model that checkOutputs returns.',
  );
  const forward = await Forward.compile(model, { backend: referenceBackend });
  await expect(forward.logits(images, { batch: 8 })).rejects.toThrow(refused);
  await expect(samples(model, data, { backend: referenceBackend })).rejects.toThrow(refused);
  const checked = await checkOutputs(model, { backend: referenceBackend });
  const [one] = await samples(checked, data, { backend: referenceBackend });
  const expected = [...(await ofFile(graph)).slice(0, CLASSES)];
  softmaxRow(one.clean[0]).forEach((p, c) => {
    expect(p).toBeCloseTo(expected[c], 5);
  });
});

test("Forward refuses pixels outside [0,1]", async () => {
  const model = dynamicModel({ graph: classifier((_, dense) => dense(CLASSES)), metadata: new Map() });
  const forward = await Forward.compile(model, { backend: referenceBackend });
  const large = new Images(
    pixels.map((v) => 255 * v),
    [3, 2, 2],
  );
  await expect(forward.logits(large, { batch: 8 })).rejects.toThrow(/expected 0 to 1/);
});
