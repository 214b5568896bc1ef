import { describe, expect, test } from "vitest";
import { Images } from "../../../src/core/images.js";
import { normal, uniform } from "../../../src/core/rng.js";
import { fromNumbers } from "../../../src/core/tensor.js";
import { dynamicModel, type ModelOptions } from "../../../src/dynamic/model/model.js";
import { Forward } from "../../../src/dynamic/run/forward.js";
import { GraphBuilder } from "../../../src/graph/builder.js";
import type { Graph } from "../../../src/graph/graph.js";
import { emptyGraph } from "../../../src/graph/op.js";
import { referenceBackend } from "../../../src/runtime/reference.js";
import { failure } from "../../support/failure.js";

const COUNT = 2;
const SIZE = 3 * 2 * 2;
const pixels = uniform({ seed: 5, sample: 0, purpose: "test", step: 0 }, COUNT * SIZE);

/** A dense layer behind (x - mean) / std, or behind nothing. */
function file(own?: { readonly mean: readonly number[]; readonly std: readonly number[] }): Graph {
  const b = new GraphBuilder(emptyGraph("file", 17));
  const x = b.input("image", "float32", ["n", 3, 2, 2]);
  const channel = (values: readonly number[]) => b.constant(fromNumbers("float32", [1, 3, 1, 1], values));
  const scaled = own ? b.op("Div", [b.op("Sub", [x, channel(own.mean)]), channel(own.std)]) : x;
  const weights = normal({ seed: 1, sample: 0, purpose: "test", step: 0 }, SIZE * 4);
  const dense = b.op("MatMul", [b.op("Flatten", [scaled]), b.constant(fromNumbers("float32", [SIZE, 4], weights))]);
  b.output(dense, "float32", undefined);
  return b.build();
}

/** Logits by dynn for RGB pixels in [0,1]. */
async function logitsOf(graph: Graph, options: ModelOptions = {}): Promise<number[]> {
  const model = dynamicModel({ graph, metadata: new Map() }, options);
  const forward = await Forward.compile(model, { backend: referenceBackend });
  return [...(await forward.logits(new Images(pixels, [3, 2, 2]), { batch: COUNT })).exits[0]];
}

/** Logits of the file itself for pixels that are changed by hand: value and number of the channel. */
async function byHand(graph: Graph, feed: (value: number, channel: number) => number, order = [0, 1, 2]) {
  const data = Float32Array.from(pixels, (_, i) => {
    const [image, channel, at] = [Math.floor(i / SIZE), Math.floor((i % SIZE) / 4), i % 4];
    const from = order[channel];
    return feed(pixels[image * SIZE + from * 4 + at], channel);
  });
  const session = await referenceBackend.compile(graph);
  const results = await session.run({ image: { dtype: "float32", dims: [COUNT, 3, 2, 2], data } });
  return Array.from(Object.values(results)[0]?.data as Float32Array);
}

function expectClose(got: readonly number[], wanted: readonly number[]): void {
  expect(got).toHaveLength(wanted.length);
  got.forEach((v, i) => {
    expect(v).toBeCloseTo(wanted[i] ?? Number.NaN, 3);
  });
}

const IMAGENET = { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] };
const BYTES = { mean: [0, 0, 0], std: [1 / 255, 1 / 255, 1 / 255] };
const times = ({ mean, std }: typeof IMAGENET, factor: number) => ({
  mean: mean.map((v) => v * factor),
  std: std.map((v) => v * factor),
});

describe("a file that takes pixels in 0 to 255", () => {
  test.each([
    ["divides by 255", { mean: [0, 0, 0], std: [255, 255, 255] }],
    ["maps them to -1 to 1", { mean: [127.5, 127.5, 127.5], std: [127.5, 127.5, 127.5] }],
    ["subtracts means alone", { mean: [104, 117, 123], std: [1, 1, 1] }],
    ["normalises on that scale", times(IMAGENET, 255)],
  ])("and %s gets them", async (_, own) => {
    const graph = file(own);
    expectClose(await logitsOf(graph), await byHand(graph, (v) => 255 * v));
    const { inputScale, normalization } = dynamicModel({ graph, metadata: new Map() });
    expect(inputScale).toBe(255);
    // Per pixel in [0,1].
    own.mean.forEach((m, c) => {
      expect(normalization?.mean[c]).toBeCloseTo(m / 255, 5);
      expect(normalization?.std[c]).toBeCloseTo(own.std[c] / 255, 5);
    });
  });

  test("is scaled once when the scale is given as well", async () => {
    const graph = file({ mean: [0, 0, 0], std: [255, 255, 255] });
    expectClose(await logitsOf(graph, { normalization: BYTES }), await logitsOf(graph));
  });

  test.each([
    ["nothing", undefined],
    ["the normalisation of pixels in [0,1]", IMAGENET],
    ["a map to -1 to 1", { mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] }],
    ["the odd numbers of a BatchNormalization", { mean: [3, -2, 0.1], std: [5, 0.2, 9] }],
  ])("is not one that begins with %s", async (_, own) => {
    const graph = file(own);
    expectClose(await logitsOf(graph), await byHand(graph, (v) => v));
    expect(dynamicModel({ graph, metadata: new Map() }).inputScale).toBeUndefined();
  });
});

describe("a normalisation that is given", () => {
  const wanted = () => byHand(file(), (v, c) => (v - IMAGENET.mean[c]) / IMAGENET.std[c]);

  test("on the scale of 0 to 255 is the same as on that of 0 to 1", async () => {
    expectClose(await logitsOf(file(), { normalization: IMAGENET }), await wanted());
    expectClose(await logitsOf(file(), { normalization: times(IMAGENET, 255) }), await wanted());
    const { normalization } = dynamicModel(
      { graph: file(), metadata: new Map() },
      { normalization: times(IMAGENET, 255) },
    );
    normalization?.std.forEach((s, c) => {
      expect(s).toBeCloseTo(IMAGENET.std[c], 5);
    });
  });

  test("is refused for a model that normalises already, unless it is forced", async () => {
    const graph = file(IMAGENET);
    const read = (more: ModelOptions) =>
      dynamicModel({ graph, metadata: new Map() }, { name: "m", normalization: IMAGENET, ...more });
    expect(() => read({})).toThrow(
      failure(
        "cli/value",
        "m: the model normalises its input already (mean 0.485,0.456,0.406, std 0.229,0.224,0.225), and a second normalisation was given. It takes pixels in [0,1]. Leave the normalisation out, or force it.",
      ),
    );
    const twice = await byHand(graph, (v, c) => (v - IMAGENET.mean[c]) / IMAGENET.std[c]);
    expectClose(await logitsOf(graph, { normalization: IMAGENET, forceNormalization: true }), twice);
  });

  test("is refused for a model whose metadata state one", () => {
    const metadata = new Map([["dynn.normalization", JSON.stringify(IMAGENET)]]);
    expect(() => dynamicModel({ graph: file(), metadata }, { normalization: IMAGENET })).toThrow(
      expect.objectContaining({ code: "cli/value" }),
    );
  });
});

describe("channels in the order BGR", () => {
  test("are what the model gets; its normalisation is in its own order", async () => {
    const caffe = { mean: [104, 117, 123], std: [1, 1, 1] };
    const graph = file();
    const options = { normalization: caffe, channels: "bgr" } as const;
    const wanted = await byHand(graph, (v, c) => 255 * v - caffe.mean[c], [2, 1, 0]);
    expectClose(await logitsOf(graph, options), wanted);
    // As RGB pixels meet it.
    const { normalization } = dynamicModel({ graph, metadata: new Map() }, options);
    expect(normalization?.mean.map((m) => Math.round(255 * m))).toEqual([123, 117, 104]);
  });

  test("are refused for a model of other channels", () => {
    const b = new GraphBuilder(emptyGraph("grey", 17));
    const x = b.op("Flatten", [b.input("image", "float32", ["n", 1, 2, 2])]);
    b.output(
      b.op("MatMul", [x, b.constant(fromNumbers("float32", [4, 2], [1, 2, 3, 4, 5, 6, 7, 8]))]),
      "float32",
      undefined,
    );
    expect(() => dynamicModel({ graph: b.build(), metadata: new Map() }, { name: "grey", channels: "bgr" })).toThrow(
      failure("cli/value", "grey: has 1 channel, and the order BGR is about 3. Leave the order of channels out."),
    );
  });
});
