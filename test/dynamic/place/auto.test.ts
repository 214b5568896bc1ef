/** Exits that are placed by themselves: expected numbers come from counting multiplications by hand. */
import { describe, expect, test } from "vitest";
import { fromNumbers } from "../../../src/core/tensor.js";
import { candidatesOf, spreadExits } from "../../../src/dynamic/place/auto.js";
import { cutsFor } from "../../../src/dynamic/place/exits.js";
import { placesOf } from "../../../src/dynamic/place/places.js";
import { int, ints } from "../../../src/graph/attributes.js";
import { GraphBuilder } from "../../../src/graph/builder.js";
import type { Graph, ValueName } from "../../../src/graph/graph.js";
import { emptyGraph } from "../../../src/graph/op.js";
import { HEADS } from "../../../src/nn/heads.js";
import { resnet } from "../../../src/nn/resnet.js";
import { failure } from "../../support/failure.js";

const CHANNELS = 4;

/** A 1x1 convolution of 4 channels on 8 x 8 images: 1024 MACs. */
const conv = (b: GraphBuilder, x: ValueName, name: string): ValueName =>
  b.op("Conv", [x, b.constant(fromNumbers("float32", [CHANNELS, CHANNELS, 1, 1], new Float32Array(16)))], {}, name);

function graphOf(make: (b: GraphBuilder, images: ValueName) => ValueName, name = "net"): Graph {
  const b = new GraphBuilder(emptyGraph(name, 17));
  const logits = make(b, b.input("images", "float32", ["n", CHANNELS, 8, 8]));
  b.output(logits, "float32", undefined);
  return b.build();
}

/** Convolutions c0, c1 ... and a classifier of their means: 4 MACs a class. */
const chain = (length: number, classes = 2): Graph =>
  graphOf((b, images) => {
    let at = images;
    for (let i = 0; i < length; i++) at = conv(b, at, `c${i}`);
    return HEADS["pool-linear"].head(
      { b, seed: 0, path: "last" },
      { value: at, dims: [CHANNELS, 8, 8] },
      classes,
      "logits",
    );
  });

const cutsOf = (graph: Graph) => cutsFor(graph, { kind: "auto" }, "pool-linear");

describe("exits placed by themselves", () => {
  test("are six, at sevenths of the cost, where there is room", () => {
    expect(cutsOf(chain(70))).toEqual(["c9", "c19", "c29", "c39", "c49", "c59"]);
  });

  test("are fewer in a short network: each takes a place of its own", () => {
    expect(cutsOf(chain(4))).toEqual(["c0", "c1", "c2"]);
    expect(cutsOf(chain(2))).toEqual(["c0"]);
  });

  test("stand in a ResNet-20 on block outputs", () => {
    const cuts = cutsFor(resnet(20)({ classes: 10, imageSize: 32 }).graph, { kind: "auto" });
    expect(cuts).toHaveLength(6);
    for (const cut of cuts) expect(cut).toMatch(/^stage\d\.block\d\.out$/);
  });

  test("have the cost of their head counted", () => {
    const [first] = candidatesOf(chain(3, 10), "pool-linear");
    const full = 3 * 1024 + 40;
    expect(first).toMatchObject({ cut: "c0", head: "pool-linear", unfit: undefined });
    expect(first?.fraction).toBeCloseTo(1024 / full, 12);
    expect(first?.headFraction).toBeCloseTo(40 / full, 12);
  });

  test("leave out a place whose head costs more than it can save", () => {
    const heavy = candidatesOf(chain(3, 100), "sdn");
    const full = 3 * 1024 + 400;
    // Pooled to 4 x 4: 64 features for each of 100 classes, against 2448 MACs that are left.
    const breakEven = 6400 / (full - 1024);
    expect(heavy[0]?.unfit).toBe("leaving saves nothing");
    expect(breakEven).toBeGreaterThan(1);
    const light = candidatesOf(chain(3, 8), "sdn")[0];
    expect(light?.unfit).toBe(`its head pays only when ${((100 * 512) / (2 * 1024 + 32)).toFixed(1)} % leave`);
  });

  test("leave out the end of the network, where nothing is saved", () => {
    const last = candidatesOf(chain(30), "pool-linear").at(-1);
    expect(last).toMatchObject({ unfit: expect.stringMatching(/^leaving saves/) });
  });

  test("leave out a place where less than a twentieth is saved, and keep one where more is", () => {
    // Each of 30 layers costs 1024 of 30728, a head 8: behind layer 29 3.33 % are saved, behind layer 28 6.67 %.
    const [before, last] = candidatesOf(chain(30), "pool-linear").slice(-3);
    expect([before?.cut, before?.unfit]).toEqual(["c27", undefined]);
    expect([last?.cut, last?.unfit]).toEqual(["c28", "leaving saves 3.3 %"]);
  });

  test("leave out what no head reads", () => {
    expect(candidatesOf(chain(2), "mean-linear")[0]?.unfit).toBe("no head reads [n,4,8,8]");
    expect(() => cutsFor(chain(2), { kind: "auto" }, "mean-linear")).toThrow(
      /^net: no early exit is worth its cost \("c0": no head reads \[n,4,8,8\]; .*Choose a smaller head/,
    );
  });

  test("are one where places crowd: any two are closer than half an even distance", () => {
    const graph = chain(6);
    const fractions = [0.5, 0.52, 0.54, 0.56, 0.58, 0.99];
    const cuts = ["c0", "c1", "c2", "c3", "c4", "last.pooled"];
    const places = cuts.map((cut, i) => ({ cut, fraction: fractions[i], headFraction: 0.001 }));
    const candidates = candidatesOf(graph, "pool-linear", [], { batch: 1, places });
    expect(candidates.filter(({ unfit }) => unfit === undefined)).toHaveLength(5);
    expect(spreadExits(graph, candidates).map(({ cut }) => cut)).toEqual(["c0"]);
  });

  test("stand apart: no two closer than half an even distance", () => {
    for (let length = 2; length < 40; length += 3) {
      const graph = chain(length);
      const chosen = spreadExits(graph, candidatesOf(graph, "pool-linear"));
      const even = 1 / (chosen.length + 1);
      chosen.forEach(({ fraction }, i) => {
        if (chosen.length > 1) expect((chosen[i + 1]?.fraction ?? 1) - fraction).toBeGreaterThanOrEqual(even / 2);
      });
    }
  });
});

describe("a network without a place for an exit", () => {
  const both = (b: GraphBuilder, images: ValueName): ValueName => {
    const sum = (x: ValueName) => b.op("ReduceMean", [x], { axes: ints([2, 3]), keepdims: int(0) });
    return b.op("Add", [sum(conv(b, images, "left")), sum(conv(b, images, "right"))], {}, "logits");
  };
  const advice =
    "An exit needs a value that all later work passes through. Take a network whose branches meet earlier, or export one with an exit of its own as a second output [n,classes], which dynn reads as an exit.";

  test("is told where it branches and where the branches meet", () => {
    const text = `net: has no place for an early exit: no value in between carries all the work alone: "images" goes to Conv "left", Conv "right", and the branches meet only in Add "logits". ${advice}`;
    for (const spec of [{ kind: "auto" }, { kind: "fractions", fractions: [0.5] }] as const)
      expect(() => cutsFor(graphOf(both), spec)).toThrow(failure("model/cut", text));
  });

  test("is told so behind what all branches share", () => {
    const graph = graphOf((b, images) => both(b, b.op("Relu", [images], {}, "shared")));
    expect(() => cutsFor(graph, { kind: "auto" })).toThrow(/"shared" goes to Conv "left", Conv "right"/);
  });

  test("is told of a node with two results", () => {
    const graph = graphOf((b, images) => {
      const [x, y] = b.ops("Split", [images], 2, { axis: int(1) }, "halves") as [ValueName, ValueName];
      const mean = (v: ValueName) => b.op("ReduceMean", [v], { axes: ints([2, 3]), keepdims: int(0) });
      return b.op("Mul", [mean(x), mean(y)], {}, "logits");
    });
    expect(() => cutsFor(graph, { kind: "auto" })).toThrow(
      /Split "halves.*" has 2 results, .* meet only in Mul "logits"/,
    );
  });

  test("is told that it is a single layer", () => {
    const graph = graphOf((b, images) => {
      const weight = b.constant(fromNumbers("float32", [256, 2], new Float32Array(512)));
      return b.op("Gemm", [b.op("Flatten", [images], {}, "flat"), weight], {}, "logits");
    });
    expect(() => cutsFor(graph, { kind: "auto" })).toThrow(
      failure(
        "model/cut",
        `net: has no place for an early exit: all of its counted work is done by one node, with nothing between "images" and "logits" to read. ${advice}`,
      ),
    );
  });
});

describe("places", () => {
  const perceptron = graphOf((b, images) => {
    const weight = (rows: number, columns: number) =>
      b.constant(fromNumbers("float32", [rows, columns], new Float32Array(rows * columns)));
    const hidden = b.op("Relu", [b.op("Gemm", [b.op("Flatten", [images]), weight(256, 16)], {}, "pre")], {}, "hidden");
    return b.op("Gemm", [hidden, weight(16, 2)], {}, "logits");
  });

  test("of a network without images inside are its vectors", () => {
    expect(placesOf(perceptron).map((p) => p.cut)).toEqual(["hidden"]);
    expect(candidatesOf(perceptron)[0]?.head).toBe("linear");
  });

  test("prefer a value that is named", () => {
    expect(placesOf(perceptron, ["pre"]).map((p) => p.cut)).toEqual(["pre"]);
  });

  test("are none behind the last counted work", () => {
    const graph = graphOf((b, images) => {
      const last = conv(b, conv(b, images, "first"), "second");
      return b.op("Flatten", [b.op("GlobalAveragePool", [last])], {}, "logits");
    });
    expect(placesOf(graph).map((p) => p.cut)).toEqual(["first"]);
  });
});
