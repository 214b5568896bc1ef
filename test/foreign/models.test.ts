/** @file Every model in the form of another exporter: dynn's reading answers as ONNX Runtime answers for the file, or dynn refuses it. */
import * as ort from "onnxruntime-node";
import { describe, expect, test } from "vitest";
import { uniform } from "../../src/core/rng.js";
import { sizeOf } from "../../src/core/shape.js";
import { fromNumbers, type Tensor, toNumbers } from "../../src/core/tensor.js";
import { type DynamicModel, dynamicModel } from "../../src/dynamic/model/model.js";
import { ortNode } from "../../src/node/ort-node/index.js";
import { readModel } from "../../src/onnx/read.js";
import { failureOf } from "../support/failure.js";
import { FOREIGN_MODELS } from "../support/foreign/index.js";
import { type ForeignModel, type Holds, isRefused, type ReadableModel } from "../support/foreign/model.js";

const COUNT = 3;
const byName = <M extends ForeignModel>(models: readonly M[]) =>
  models.map((m) => [`${m.maker}: ${m.form}`, m] as const);
const readable = FOREIGN_MODELS.filter((m) => !isRefused(m)) as readonly ReadableModel[];
const refused = FOREIGN_MODELS.filter(isRefused);

const read = (model: ForeignModel): DynamicModel => dynamicModel(readModel(model.bytes()), { name: "file" });

/** 8-bit pixels in [0,1] of all images, [n,c,h,w]. */
const pixelsOf = ({ image }: ReadableModel): Float32Array =>
  uniform({ seed: 3, sample: 0, purpose: "test", step: 0 }, COUNT * sizeOf(image)).map(
    (v) => Math.round(v * 255) / 255,
  );

/** The images as the file takes them. */
function fed({ image: [c, h, w], feed = {} }: ReadableModel, pixels: Float32Array): Tensor {
  const { last, times = 1, dtype = "float32" } = feed;
  const plane = h * w;
  const at = (i: number): number => {
    const [n, rest] = [Math.floor(i / (c * plane)), i % (c * plane)];
    return last ? pixels[n * c * plane + (rest % c) * plane + Math.floor(rest / c)] : pixels[i];
  };
  const values = Float64Array.from(pixels, (_, i) => (dtype === "uint8" ? Math.round(at(i) * times) : at(i) * times));
  return fromNumbers(dtype, [COUNT, ...(feed.dims ?? (last ? [h, w, c] : [c, h, w]))], values);
}

/** What ONNX Runtime answers for the file itself. */
async function ofFile(model: ReadableModel, names: readonly string[], x: Tensor): Promise<Record<string, number[]>> {
  const session = await ort.InferenceSession.create((model.plain ?? model.bytes)(), {
    graphOptimizationLevel: "disabled",
    logSeverityLevel: 3,
  });
  const [input] = session.inputNames;
  const rows = model.feed?.single ? COUNT : 1;
  const each = x.data.length / rows;
  const all: Record<string, number[]> = Object.fromEntries(names.map((name) => [name, []]));
  for (let i = 0; i < rows; i++) {
    const part = x.data.slice(i * each, (i + 1) * each) as Float32Array;
    const dims = [COUNT / rows, ...x.dims.slice(1)];
    const results = await session.run({ [input]: new ort.Tensor(x.dtype as "float32", part, dims) }, [...names]);
    for (const name of names) all[name]?.push(...numbersOf(results[name]));
  }
  await session.release();
  return all;
}

const numbersOf = ({ type, dims, data }: ort.Tensor): number[] =>
  type === "float16"
    ? [...toNumbers({ dtype: "float16", dims, data: new Uint16Array((data as Uint16Array).buffer) })]
    : Array.from(data as Float32Array, Number);

const softmax = (row: readonly number[]): number[] => {
  const most = Math.max(...row);
  const exp = row.map((v) => Math.exp(v - most));
  return exp.map((v) => v / exp.reduce((a, b) => a + b, 0));
};

/** What the output of the file would hold for these logits. */
const AS: Readonly<Record<Holds, (logits: readonly number[]) => number[]>> = {
  logits: (row) => [...row],
  probabilities: softmax,
  "log probabilities": (row) => softmax(row).map(Math.log),
  share: ([none, one]) => [1 / (1 + Math.exp((none ?? 0) - (one ?? 0)))],
};

async function logitsOf(model: DynamicModel, pixels: Float32Array): Promise<number[][][]> {
  const session = await ortNode({ threads: 1 }).compile(model.graph);
  const dims = [COUNT, ...(model.input.shape.slice(1) as number[])];
  const results = await session.run({ [model.input.name]: fromNumbers("float32", dims, pixels) });
  await session.release();
  return model.exits.map(({ logits }) => {
    const all = toNumbers(results[logits]);
    return Array.from({ length: COUNT }, (_, i) => [...all.slice(i * model.classes, (i + 1) * model.classes)]);
  });
}

test("there are more than thirty, and no two rows say the same", () => {
  expect(FOREIGN_MODELS.length).toBeGreaterThanOrEqual(30);
  expect(new Set(byName(FOREIGN_MODELS).map(([name]) => name)).size).toBe(FOREIGN_MODELS.length);
});

describe("dynn reads and answers like the file", () => {
  test.each(byName(readable))("%s", async (_, foreign) => {
    const model = read(foreign);
    const names = Object.keys(foreign.exits);
    expect(model.exits.map(({ name }) => name)).toEqual(names);
    expect(model.input.shape).toEqual(["n", ...foreign.image]);
    const pixels = pixelsOf(foreign);
    const [logits, expected] = [await logitsOf(model, pixels), await ofFile(foreign, names, fed(foreign, pixels))];
    names.forEach((name, k) => {
      const got = (logits[k] ?? []).flatMap(AS[foreign.exits[name]]);
      const wanted = expected[name] ?? [];
      const scale = Math.max(1, ...wanted.map(Math.abs));
      expect(got).toHaveLength(wanted.length);
      got.forEach((v, i) => expect(Math.abs(v - (wanted[i] ?? 0)) / scale).toBeLessThan(foreign.tolerance ?? 1e-4));
      // Answers that do not depend on the image would hide any error.
      expect(Math.max(...wanted) - Math.min(...wanted)).toBeGreaterThan(1e-3);
    });
  });
});

describe("dynn refuses and names the problem", () => {
  test.each(byName(refused))("%s", (_, foreign) => {
    const { code, message } = failureOf(() => read(foreign));
    expect(code).toBe(foreign.code);
    expect(message).toContain(foreign.says);
  });
});
