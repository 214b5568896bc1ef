import { describe, expect, test } from "vitest";
import { appendVjp, gradientGraph } from "../../src/autodiff/gradient.js";
import { fromNumbers, type Tensor, toNumbers } from "../../src/core/tensor.js";
import { int, ints } from "../../src/graph/attributes.js";
import { GraphBuilder } from "../../src/graph/builder.js";
import { checkGraph } from "../../src/graph/checker.js";
import type { Graph, ValueName } from "../../src/graph/graph.js";
import { inferShapes } from "../../src/graph/infer.js";
import { emptyGraph } from "../../src/graph/op.js";
import { readModel } from "../../src/onnx/read.js";
import { reduceSum } from "../../src/ops/support/emit.js";
import { opTable } from "../../src/ops/table.js";
import { runReference } from "../../src/runtime/reference.js";
import { failure } from "../support/failure.js";
import { referenceFile } from "../support/reference-cases.js";

const f64 = (dims: readonly number[], ...values: readonly number[]): Tensor<"float64"> =>
  fromNumbers("float64", dims, values);

interface Drawn {
  readonly loss: ValueName;
  readonly wrt: readonly ValueName[];
  readonly constants?: ReadonlySet<ValueName>;
  readonly keep?: readonly ValueName[];
}

/** Gradients of the loss that `draw` builds over x [2,3] (or as given), flattened, in the order of `wrt`. */
function gradients(
  draw: (b: GraphBuilder, x: ValueName) => Drawn,
  x: Tensor = f64([2, 3], 1, 2, 3, 4, 5, 6),
): readonly (readonly number[])[] {
  const { graph, wrt } = build(draw, x);
  const results = runReference(graph, { x });
  return wrt.map((name) => [...toNumbers(results[`d_${name}`])]);
}

function build(draw: (b: GraphBuilder, x: ValueName) => Drawn, x: Tensor): { graph: Graph; wrt: readonly ValueName[] } {
  const b = new GraphBuilder(emptyGraph("g", 17));
  const input = b.input("x", x.dtype, ["n", ...x.dims.slice(1)]);
  const { loss, wrt, keep = [], constants } = draw(b, input);
  b.output(loss, x.dtype, undefined);
  const names = wrt.map((name) => `d_${name}`);
  const graph = gradientGraph(inferShapes(b.build(), opTable), opTable, { loss, wrt, names, keep, constants });
  checkGraph(graph, opTable);
  return { graph, wrt };
}

const X = [1, 2, 3, 4, 5, 6];

describe("closed forms", () => {
  test("a linear model: the weights, for every sample; the weights' gradient is the sum of the inputs", () => {
    const [dx, dw] = gradients((b, x) => {
      const w = b.constant(f64([3, 1], 0.5, -2, 7), "w");
      return { loss: b.op("MatMul", [x, w]), wrt: [x, w] };
    });
    expect(dx).toEqual([0.5, -2, 7, 0.5, -2, 7]);
    expect(dw).toEqual([5, 7, 9]);
  });

  test("two layers: V^T (s (1 - s) * W)", () => {
    const [W, V] = [
      [0.3, -0.2, 0.1, 0.4, -0.5, 0.2],
      [1.5, -0.7],
    ];
    const [dx] = gradients((b, x) => {
      const h = b.op("Sigmoid", [b.op("MatMul", [x, b.constant(f64([3, 2], ...W))])]);
      return { loss: b.op("MatMul", [h, b.constant(f64([2, 1], ...V))]), wrt: [x] };
    });
    const w = (i: number, j: number) => W?.[i * 2 + j];
    for (const n of [0, 1])
      for (const i of [0, 1, 2]) {
        const slope = [0, 1].map((j) => {
          const z = [0, 1, 2].reduce((sum, k) => sum + X[n * 3 + k] * w(k, j), 0);
          const s = 1 / (1 + Math.exp(-z));
          return V?.[j] * s * (1 - s) * w(i, j);
        });
        expect(dx?.[n * 3 + i]).toBeCloseTo(slope[0] + slope[1], 12);
      }
  });

  test("cross-entropy of softmax: probabilities minus the label", () => {
    const [dx] = gradients((b, x) => {
      const picked = b.op("Mul", [b.op("LogSoftmax", [x], { axis: int(1) }), b.constant(f64([3], 0, 1, 0))]);
      return { loss: b.op("Neg", [reduceSum(b, picked, [1], false)]), wrt: [x] };
    });
    const e = [1, 2, 3].map((v) => Math.exp(v - 3));
    const p = e.map((v) => v / e.reduce((s, u) => s + u, 0));
    const expected = [p[0], p[1] - 1, p[2]] as number[];
    [...expected, ...expected].forEach((v, i) => expect(dx?.[i]).toBeCloseTo(v, 12));
  });

  test("a scalar loss is seeded with one", () => {
    const [dx] = gradients((b, x) => ({ loss: reduceSum(b, b.op("Mul", [x, x]), [0, 1], false), wrt: [x] }));
    expect(dx).toEqual(X.map((v) => 2 * v));
  });
});

describe("contributions add up", () => {
  test("a value used by two nodes, and twice by one", () => {
    const [dx] = gradients((b, x) => ({ loss: b.op("Add", [b.op("Mul", [x, x]), b.op("Exp", [x])]), wrt: [x] }));
    X.forEach((v, i) => expect(dx?.[i]).toBeCloseTo(2 * v + Math.exp(v), 10));
  });

  test("a residual chain: (1 + a) (1 + b)", () => {
    const [dx] = gradients((b, x) => {
      const scale = (v: ValueName, by: number) => b.op("Mul", [v, b.scalar(by, "float64")]);
      const h = b.op("Add", [x, scale(x, 3)]);
      return { loss: b.op("Add", [h, scale(h, 5)]), wrt: [x] };
    });
    expect(dx).toEqual(new Array(6).fill(24));
  });
});

describe("what to differentiate by", () => {
  test("several values at once, a middle one among them", () => {
    const grads = gradients((b, x) => {
      const h = b.op("Mul", [x, b.scalar(3, "float64")], {}, "h");
      return { loss: b.op("Mul", [h, h]), wrt: [x, h] };
    });
    expect(grads).toEqual([X.map((v) => 18 * v), X.map((v) => 6 * v)]);
  });

  test("the loss itself: one", () => {
    expect(gradients((b, x) => ({ loss: b.op("Relu", [x], {}, "y"), wrt: ["y"] }))).toEqual([[1, 1, 1, 1, 1, 1]]);
  });

  test("a middle value alone leaves everything before it out of the backward pass", () => {
    const { graph } = build(
      (b, x) => {
        const h = b.op("Exp", [b.op("Sin", [x])], {}, "h");
        return { loss: b.op("Mul", [h, h]), wrt: [h] };
      },
      f64([2, 3], ...X),
    );
    expect(graph.nodes.filter((node) => node.opType === "Cos")).toEqual([]);
  });
});

describe("outputs", () => {
  test("are what is kept, the loss, then the gradients; the loss is listed once", () => {
    const { graph } = build(
      (b, x) => {
        const y = b.op("Relu", [x], {}, "y");
        return { loss: b.op("Exp", [y], {}, "loss"), wrt: [x, "y"], keep: ["y", "loss"] };
      },
      f64([2, 3], ...X),
    );
    expect(graph.outputs.map((o) => [o.name, o.dtype, o.shape])).toEqual(
      ["y", "loss", "d_x", "d_y"].map((name) => [name, "float64", ["n", 3]]),
    );
  });

  test("only the nodes that they need are left", () => {
    const { graph } = build(
      (b, x) => {
        const y = b.op("Mul", [x, b.scalar(2, "float64")]);
        b.op("Tanh", [y]);
        return { loss: y, wrt: [x] };
      },
      f64([2, 3], ...X),
    );
    expect(graph.nodes.some((node) => node.opType === "Tanh")).toBe(false);
  });
});

describe("integers carry no gradient", () => {
  test("a path through indices is no path; the path beside it is", () => {
    const [dx] = gradients(
      (b, x) => {
        const [pooled, indices] = b.ops("MaxPool", [x], 2, { kernel_shape: ints([2]), strides: ints([2]) }) as [
          string,
          string,
        ];
        const weighed = b.op("Mul", [pooled, b.op("Cast", [indices], { to: int(11) })]);
        return { loss: weighed, wrt: [x] };
      },
      f64([1, 1, 4], 5, 1, 2, 9),
    );
    expect(dx).toEqual([0, 0, 0, 3]);
  });

  test("a shape, an argmax or a comparison is passed by", () => {
    const [dx] = gradients((b, x) => {
      const flat = b.op("Reshape", [x, b.op("Shape", [x])]);
      const best = b.op("Cast", [b.op("ArgMax", [x], { axis: int(1) })], { to: int(11) });
      const mask = b.op("Greater", [x, b.scalar(2.5, "float64")]);
      return { loss: b.op("Mul", [b.op("Where", [mask, flat, b.scalar(0, "float64")]), best]), wrt: [x] };
    });
    expect(dx).toEqual([0, 0, 2, 2, 2, 2]);
  });
});

describe("values that count as constants", () => {
  const squareTimesSine = (b: GraphBuilder, x: ValueName, constants: ReadonlySet<ValueName>): Drawn => {
    const held = b.op("Sin", [b.op("Mul", [x, x], {}, "square")], {}, "held");
    return { loss: b.op("Mul", [held, x]), wrt: [x], constants };
  };

  test("pass no gradient, while the path beside them does", () => {
    const [dx] = gradients((b, x) => squareTimesSine(b, x, new Set(["held"])));
    X.forEach((v, i) => expect(dx?.[i]).toBeCloseTo(Math.sin(v * v), 12));
  });

  test("cost no nodes: what made them is not differentiated", () => {
    const { graph } = build((b, x) => squareTimesSine(b, x, new Set(["held"])), f64([2, 3], ...X));
    expect(graph.nodes.some((node) => node.opType === "Cos")).toBe(false);
  });

  test("hold back only their own contribution", () => {
    const [dx] = gradients((b, x) => {
      const square = b.op("Mul", [x, x], {}, "square");
      return { loss: b.op("Add", [b.op("Exp", [square], {}, "held"), square]), wrt: [x], constants: new Set(["held"]) };
    });
    expect(dx).toEqual(X.map((v) => 2 * v));
  });

  test("leave a loss that depends on the input through them alone without a gradient", () => {
    const alone = (b: GraphBuilder, x: ValueName): Drawn => ({
      loss: b.op("Exp", [b.op("Sin", [x], {}, "held")], {}, "loss"),
      wrt: [x],
      constants: new Set(["held"]),
    });
    expect(() => gradients(alone)).toThrow(
      failure(
        "gradient/none",
        'gradient of "loss": it does not depend on "x". Choose a loss computed from that input.',
      ),
    );
  });
});

describe("failures", () => {
  test("a loss that does not depend on the input", () => {
    expect(() => gradients((b, x) => ({ loss: b.op("Exp", [b.constant(f64([1], 2))], {}, "loss"), wrt: [x] }))).toThrow(
      failure(
        "gradient/none",
        'gradient of "loss": it does not depend on "x". Choose a loss computed from that input.',
      ),
    );
  });

  test("a loss that depends on it through integers only", () => {
    expect(() =>
      gradients((b, x) => ({ loss: b.op("Cast", [b.op("ArgMax", [x])], { to: int(11) }, "loss"), wrt: [x] })),
    ).toThrow(expect.objectContaining({ code: "gradient/none" }));
  });

  test("an operator without a gradient on the way is named, with the reason", () => {
    const oneHot = (b: GraphBuilder, x: ValueName): Drawn => ({
      loss: b.op("OneHot", [b.ints([0, 1]), b.constant(fromNumbers("int64", [], [2])), x], {}, "y"),
      wrt: [x],
    });
    expect(() => gradients(oneHot, f64([2], 0, 1))).toThrow(
      failure(
        "gradient/none",
        'OneHot "y": OneHot has no gradient: its output depends on indices, which are whole numbers. Attack or train a part of the model that does not pass through it.',
      ),
    );
  });
});

test("a vector-Jacobian product takes any seeds, and leaves out what none of them depends on", () => {
  const b = new GraphBuilder(emptyGraph("g", 17));
  const [x, z] = [b.input("x", "float64", [2]), b.input("z", "float64", [2])];
  const [p, q] = [b.op("Mul", [x, b.scalar(3, "float64")]), b.op("Exp", [x])];
  b.output(p, "float64", [2]);
  b.output(q, "float64", [2]);
  const graph = inferShapes(b.build(), opTable);
  const gb = new GraphBuilder(graph);
  const seeds = new Map([
    [p, gb.constant(f64([2], 1, 10))],
    [q, gb.constant(f64([2], 2, 0))],
  ]);
  const grads = appendVjp(gb, graph, opTable, { seeds, wrt: [x, z] });
  expect([...grads.keys()]).toEqual(["x"]);
  const full = inferShapes(gb.build(), opTable);
  const grad = grads.get(x) as ValueName;
  const dx = toNumbers(runReference(full, { x: f64([2], 0, 1), z: f64([2], 0, 0) }, opTable, [grad])[grad]);
  expect([...dx]).toEqual([3 * 1 + 2, 30]);
});

test("the gradient of an early exit of the reference network holds no convolution of later blocks", () => {
  const graph = inferShapes(readModel(referenceFile("resnet20-sdn/model.onnx")).graph, opTable);
  const convolutions = (loss: ValueName): number =>
    gradientGraph(graph, opTable, { loss, wrt: ["image"], names: ["dx"], keep: [] }).nodes.filter((node) =>
      node.opType.startsWith("Conv"),
    ).length;
  // forward: the stem, two per block, and the 1x1 shortcuts of blocks 3 and 6; each has one gradient by its input
  const forward = [0, 1, 2, 3, 4].map((k) => {
    const blocks = [2, 4, 6, 7, 9][k];
    return 1 + 2 * blocks + (blocks > 3 ? 1 : 0) + (blocks > 6 ? 1 : 0);
  });
  expect(["exit0", "exit1", "exit2", "exit3", "exit4"].map(convolutions)).toEqual(forward.map((n) => 2 * n));
});
