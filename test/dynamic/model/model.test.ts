import { describe, expect, test, vi } from "vitest";
import { Images } from "../../../src/core/images.js";
import { uniform } from "../../../src/core/rng.js";
import { fromNumbers, toNumbers } from "../../../src/core/tensor.js";
import { dynamicModel } from "../../../src/dynamic/model/model.js";
import { findNormalization, prependNormalization } from "../../../src/dynamic/model/normalization.js";
import { Forward } from "../../../src/dynamic/run/forward.js";
import { int } from "../../../src/graph/attributes.js";
import type { GraphBuilder } from "../../../src/graph/builder.js";
import { inferShapes } from "../../../src/graph/infer.js";
import { readModel } from "../../../src/onnx/read.js";
import { OPS } from "../../../src/ops/index.js";
import { opTable } from "../../../src/ops/table.js";
import { referenceBackend, runReference } from "../../../src/runtime/reference.js";
import { failure } from "../../support/failure.js";
import { referenceFile } from "../../support/reference-cases.js";
import { conv, draw, head, modelFile, twoExits } from "../support.js";

const CONV = 8 * 8 * 4 * 9;

describe("a plain file, by convention", () => {
  test("every [n, classes] output is an exit, with its cut and its cumulative cost", () => {
    const model = dynamicModel(modelFile(twoExits));
    const [first, second] = [CONV * 3 + 16, CONV * 3 + 16 + CONV * 4 + 16];
    expect(model).toMatchObject({
      name: "net",
      input: { name: "x", shape: ["n", 3, 8, 8] },
      classes: 4,
      gates: [],
      policy: undefined,
      normalization: undefined,
      parameters: 4 * 3 * 9 + 4 * 4 * 9 + 16,
    });
    expect(model.exits).toEqual([
      {
        name: "first",
        logits: "first",
        output: "first",
        cut: "h1",
        macs: first,
        baseMacs: first,
        costFraction: first / second,
      },
      {
        name: "second",
        logits: "second",
        output: "second",
        cut: undefined,
        macs: second,
        baseMacs: second,
        costFraction: 1,
      },
    ]);
  });

  test("shapes are inferred once with the batch open, and once for each graph whose cost is counted", () => {
    const file = modelFile(twoExits);
    const infer = vi.spyOn(OPS.Conv, "infer");
    const inferences = (model: typeof file) => {
      infer.mockClear();
      dynamicModel(model);
      return infer.mock.calls.length / model.graph.nodes.filter(({ opType }) => opType === "Conv").length;
    };
    const exits = [
      { name: "first", logits: "first" },
      { name: "second", logits: "second" },
    ];
    const stated = { ...file, metadata: new Map([["dynn.exits", JSON.stringify(exits)]]) };
    expect(inferences(stated)).toBe(2);
    // By convention, outputs are put in order of cost before exits are counted.
    expect(inferences(file)).toBe(3);
    infer.mockRestore();
  });

  test("outputs in any order are sorted by cost", () => {
    const file = modelFile(twoExits);
    const reversed = { ...file, graph: { ...file.graph, outputs: [...file.graph.outputs].reverse() } };
    expect(dynamicModel(reversed)).toEqual(dynamicModel(file));
  });

  test("outputs that are no classifiers are left out, wherever they stand", () => {
    const model = dynamicModel(
      modelFile((b) => {
        twoExits(b);
        b.output("h1", "float32", undefined);
        const features = b.op("Flatten", [b.op("GlobalAveragePool", ["h2"])], {}, "features");
        b.output(b.op("Concat", [features, features], { axis: int(1) }, "wide"), "float32", undefined);
        b.output(b.op("ArgMax", ["second"], { axis: int(1) }, "label"), "int64", undefined);
      }),
    );
    expect(model.exits.map((e) => e.name)).toEqual(["first", "second"]);
    expect(model.graph.outputs.map((o) => o.name)).toEqual(["first", "second"]);
  });

  test("a Softmax output gives way to its logits, and is no second exit beside them", () => {
    const model = dynamicModel(
      modelFile((b) => {
        const x = b.input("x", "float32", ["n", 3, 8, 8]);
        const logits = head(b, conv(b, x, 3, 4), 4, 5, "logits");
        b.output(b.op("Softmax", [logits], { axis: int(1) }, "probabilities"), "float32", undefined);
        b.output(logits, "float32", undefined);
      }),
    );
    expect(model.exits.map((e) => e.logits)).toEqual(["logits"]);
    expect(model.graph.nodes.some((node) => node.opType === "Softmax")).toBe(false);
  });

  test("a static network is one exit that costs all", () => {
    const { exits } = dynamicModel(
      modelFile((b) =>
        b.output(head(b, conv(b, b.input("x", "float32", [1, 3, 8, 8]), 3, 4), 4, 5, "y"), "float32", [1, 5]),
      ),
    );
    expect(exits).toEqual([
      {
        name: "y",
        logits: "y",
        output: "y",
        cut: undefined,
        macs: CONV * 3 + 20,
        baseMacs: CONV * 3 + 20,
        costFraction: 1,
      },
    ]);
  });

  test("a batch of 1 that the file fixes is opened", () => {
    const model = dynamicModel(
      modelFile((b) =>
        b.output(head(b, conv(b, b.input("x", "float32", [1, 3, 8, 8]), 3, 4), 4, 5, "y"), "float32", [1, 5]),
      ),
    );
    expect(model.graph.outputs).toEqual([{ name: "y", dtype: "float32", shape: ["n", 5] }]);
    const { y } = runReference(model.graph, { x: draw(1, 3, 3, 8, 8) });
    expect(y?.dims).toEqual([3, 5]);
  });

  test("an open image size is taken from the options", () => {
    const open = modelFile((b) =>
      b.output(head(b, conv(b, b.input("x", "float32", ["n", 3, "h", "w"]), 3, 4), 4, 5, "y"), "float32", undefined),
    );
    expect(dynamicModel(open, { imageSize: [8, 8] }).exits[0]?.macs).toBe(CONV * 3 + 20);
    expect(() => dynamicModel(open)).toThrow(expect.objectContaining({ code: "shape/unknown" }));
  });
});

describe("files that are refused", () => {
  const expectRefused = (drawIn: (b: GraphBuilder) => void, code: "model/input" | "model/classifier", text: string) =>
    expect(() => dynamicModel(modelFile(drawIn))).toThrow(failure(code, text));

  test("two inputs", () => {
    expectRefused(
      (b) => {
        const [x, y] = [b.input("x", "float32", ["n", 3, 8, 8]), b.input("y", "float32", ["n", 3, 8, 8])];
        b.output(head(b, conv(b, b.op("Add", [x, y]), 3, 4), 4, 5, "out"), "float32", undefined);
      },
      "model/input",
      "net: inputs are x float32[n,3,8,8], y float32[n,3,8,8]; expected exactly one, float32 [n,channels,height,width]. Export the classifier with one image input.",
    );
  });

  test("an input that is no batch of float32 images", () => {
    expectRefused(
      (b) => b.output(b.op("Relu", [b.input("x", "float32", ["n", 3])], {}, "y"), "float32", undefined),
      "model/input",
      "net: inputs are x float32[n,3]; expected [n,channels,height,width], got 2 axes. Export the model with an image input.",
    );
    expectRefused(
      (b) => b.output(b.op("Abs", [b.input("x", "int32", ["n", 3, 8, 8])], {}, "y"), "int32", undefined),
      "model/input",
      "net: inputs are x int32[n,3,8,8]; dynn does not read int32 pixels, expected float32, float16, bfloat16, float64 or uint8. Export the model with float32 input.",
    );
  });

  test("no output that is a classifier's", () => {
    expectRefused(
      (b) => b.output(b.op("Relu", [b.input("x", "float32", ["n", 3, 8, 8])], {}, "y"), "float32", undefined),
      "model/classifier",
      "net: no output is a classifier's, float32 [n,classes]: y float32[n,3,8,8] has 4 axes. Export the logits, one row per image, with a dynamic batch.",
    );
  });

  test("exits that the metadata name with different numbers of classes", () => {
    const exits = JSON.stringify(["a", "b"].map((name) => ({ name, logits: name })));
    const file = modelFile(
      (b) => {
        const h = conv(b, b.input("x", "float32", ["n", 3, 8, 8]), 3, 4);
        b.output(head(b, h, 4, 5, "a"), "float32", undefined);
        b.output(head(b, h, 4, 6, "b"), "float32", undefined);
      },
      { "dynn.exits": exits },
    );
    expect(() => dynamicModel(file)).toThrow(
      failure(
        "model/classifier",
        "net: exits give 5, 6 classes, expected one number for all. Export exits of one classification task.",
      ),
    );
  });
});

describe("the normalisation inside", () => {
  const perChannel = (...values: readonly number[]) => fromNumbers("float32", [1, 3, 1, 1], values);
  const found = (normalize: (b: GraphBuilder, x: string) => string) =>
    dynamicModel(
      modelFile((b) => {
        const x = normalize(b, b.input("x", "float32", ["n", 3, 8, 8]));
        b.output(head(b, conv(b, x, 3, 4), 4, 5, "y"), "float32", undefined);
      }),
    ).normalization;
  const expected = {
    mean: [0.5, 0.25, 0.125].map((v) => expect.closeTo(v, 6)),
    std: [0.5, 0.25, 2].map((v) => expect.closeTo(v, 6)),
  };

  test.each<[string, (b: GraphBuilder, x: string) => string]>([
    [
      "Sub and Div",
      (b, x) =>
        b.op("Div", [b.op("Sub", [x, b.constant(perChannel(0.5, 0.25, 0.125))]), b.constant(perChannel(0.5, 0.25, 2))]),
    ],
    [
      "Mul and Add",
      (b, x) =>
        b.op("Add", [b.op("Mul", [x, b.constant(perChannel(2, 4, 0.5))]), b.constant(perChannel(-1, -1, -0.0625))]),
    ],
    [
      "a BatchNormalization that stands first",
      (b, x) =>
        b.op("BatchNormalization", [
          x,
          ...[
            [1, 1, 1],
            [0, 0, 0],
            [0.5, 0.25, 0.125],
            [0.25 - 1e-5, 0.0625 - 1e-5, 4 - 1e-5],
          ].map((v) => b.constant(fromNumbers("float32", [3], v))),
        ]),
    ],
  ])("is found in %s", (_, normalize) => expect(found(normalize)).toEqual(expected));

  test("of one number for all channels is spread over them", () => {
    expect(found((b, x) => b.op("Div", [x, b.constant(fromNumbers("float32", [], [0.5]))]))).toEqual({
      mean: [-0, -0, -0],
      std: [0.5, 0.5, 0.5],
    });
  });

  test("is none where the graph starts with something else, reads its pixels twice or turns them round", () => {
    expect(found((_, x) => x)).toBeUndefined();
    expect(found((b, x) => b.op("Add", [b.op("Mul", [x, b.constant(perChannel(2, 2, 2))]), x]))).toBeUndefined();
    expect(found((b, x) => b.op("Mul", [x, b.constant(perChannel(1, -1, 1))]))).toBeUndefined();
  });

  test("that is prepended gives what normalised pixels give, and is found again", () => {
    const { graph } = modelFile(twoExits);
    const normalization = { mean: [0.4, 0.5, 0.6], std: [0.2, 0.25, 0.3] };
    const prepended = prependNormalization(graph, normalization);
    const x = fromNumbers(
      "float32",
      [2, 3, 8, 8],
      uniform({ seed: 1, sample: 0, purpose: "test", step: 0 }, 2 * 3 * 64),
    );
    const byHand = Float32Array.from(x.data, (v, i) => {
      const c = Math.floor(i / 64) % 3;
      return (v - normalization.mean[c]) / normalization.std[c];
    });
    const [got, want] = [runReference(prepended, { x }), runReference(graph, { x: { ...x, data: byHand } })];
    for (const { name } of graph.outputs)
      toNumbers(got[name]).forEach((v, i) => expect(v).toBeCloseTo(toNumbers(want[name])[i], 4));
    const again = findNormalization(inferShapes(prepended, opTable), opTable);
    expect(again).toEqual({
      mean: normalization.mean.map((v) => expect.closeTo(v, 6)),
      std: normalization.std.map((v) => expect.closeTo(v, 6)),
    });
    const model = dynamicModel(modelFile(twoExits), { normalization });
    expect(model.normalization).toEqual(again);
    expect(model.input.name).toBe("x");
  });
});

describe("all logits of many images", () => {
  const model = dynamicModel(modelFile(twoExits));
  const images = Images.for(model, uniform({ seed: 2, sample: 0, purpose: "test", step: 0 }, 5 * 3 * 64));

  test("do not depend on the batch, and progress is reported", async () => {
    const forward = await Forward.compile(model, { backend: referenceBackend });
    const done: number[] = [];
    const two = await forward.logits(images, { batch: 2, onProgress: (n) => done.push(n) });
    expect(two).toEqual(await forward.logits(images, { batch: 8 }));
    expect(two.exits.map((l) => l.length)).toEqual([20, 20]);
    expect(done).toEqual([2, 4, 5]);
    await forward.release();
  });

  test("refuse pixels outside [0,1] and images of another shape before anything runs", async () => {
    const forward = await Forward.compile(model, { backend: referenceBackend });
    const options = { batch: 2, onProgress: () => expect.unreachable() };
    const bad = Images.for(
      model,
      images.data.map((v, i) => (i === 4 * 3 * 64 ? Number.NaN : v)),
    );
    await expect(forward.logits(bad, options)).rejects.toThrow(
      failure(
        "data/value",
        "images: record 4 has a pixel of NaN, expected 0 to 1. Scale the images to [0,1]; normalisation belongs inside the model.",
      ),
    );
    const turned = new Images(images.data, [8, 8, 3]);
    await expect(forward.logits(turned, options)).rejects.toThrow(
      failure(
        "data/shape",
        `images: their shape is [8,8,3], but ${model.name} takes [3,8,8]. Give images of that shape.`,
      ),
    );
    await forward.release();
  });

  test("stop when the signal says so", async () => {
    const forward = await Forward.compile(model, { backend: referenceBackend });
    const reason = new Error("enough");
    await expect(forward.logits(images, { batch: 2, signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  });
});

test("the reference network has five exits, their normalisation and their cuts", () => {
  const model = dynamicModel(readModel(referenceFile("resnet20-sdn/model.onnx")));
  expect(model.exits.map((e) => e.name)).toEqual(["exit0", "exit1", "exit2", "exit3", "exit4"]);
  expect(model.exits.map((e) => e.cut === undefined)).toEqual([false, false, false, false, true]);
  expect(model.normalization).toEqual({
    mean: [0.4914, 0.4822, 0.4465].map((v) => expect.closeTo(v, 6)),
    std: [0.247, 0.2435, 0.2616].map((v) => expect.closeTo(v, 6)),
  });
  expect(new Set(model.exits.map((e) => e.cut)).size).toBe(5);
});
