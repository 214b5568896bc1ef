/** @file Small networks for the tests of deployment: chains, branches without a single cut, and shapes that later stages read. */
import { expect } from "vitest";
import { Logits } from "../../src/core/logits.js";
import { normal, uniform } from "../../src/core/rng.js";
import { sizeOf } from "../../src/core/shape.js";
import { fromNumbers, type Tensor, toNumbers } from "../../src/core/tensor.js";
import { type DynamicModel, dynamicModel } from "../../src/dynamic/model/model.js";
import { readingOf, route } from "../../src/dynamic/route/route.js";
import { type ConditionalOptions, conditionalModel } from "../../src/dynamic/run/conditional/index.js";
import { int, ints } from "../../src/graph/attributes.js";
import { GraphBuilder } from "../../src/graph/builder.js";
import type { ValueName } from "../../src/graph/graph.js";
import { emptyGraph } from "../../src/graph/op.js";
import { ortNode } from "../../src/node/ort-node/index.js";
import { readModel } from "../../src/onnx/read.js";
import { writeModel } from "../../src/onnx/write.js";
import type { Tensors } from "../../src/runtime/backend.js";
import type { Policy } from "../../src/schema/policy.js";

const backend = ortNode({ threads: 1 });

export interface NetworkOptions {
  readonly kind: (typeof KINDS)[number];
  readonly exits: number;
  readonly classes: number;
  readonly seed: number;
  readonly opset?: number;
  readonly policy?: Policy;
  readonly hint?: string;
}
export const KINDS = ["chain", "branches", "shapes"] as const;

const SIDE = 6;
export const IMAGE = [3, SIDE, SIDE] as const;

const noise = (seed: number, scale: number, ...dims: readonly number[]): Tensor =>
  fromNumbers(
    "float32",
    dims,
    normal({ seed, sample: 0, purpose: "test", step: 0 }, sizeOf(dims)).map((v) => v * scale),
  );

/** A network with random weights and an exit after each of its steps. */
export function randomModel({ kind, exits, classes, seed, opset = 17, ...rest }: NetworkOptions): DynamicModel {
  const b = new GraphBuilder(emptyGraph("net", opset));
  let draws = 1000 * seed;
  const weight = (scale: number, ...dims: number[]): ValueName => b.constant(noise(draws++, scale, ...dims), "w");
  const conv = (x: ValueName, from: number): ValueName =>
    b.op("Conv", [x, weight(1 / Math.sqrt(9 * from), 4, from, 3, 3)], { pads: ints([1, 1, 1, 1]) });
  const x = b.input("image", "float32", ["n", ...IMAGE]);
  const batch = b.op("Slice", [b.op("Shape", [x]), b.ints([0]), b.ints([1])]);
  const flatShape = b.op("Concat", [batch, b.ints([4 * SIDE * SIDE])], { axis: int(0) });
  const flat = (value: ValueName): ValueName =>
    kind === "shapes" ? b.op("Reshape", [value, flatShape]) : b.op("Flatten", [value]);
  const head = (value: ValueName, hint: string): void => {
    const logits = b.op("MatMul", [flat(value), weight(0.5, 4 * SIDE * SIDE, classes)], {}, hint);
    b.output(logits, "float32", undefined);
  };
  let [left, right] = [b.op("Relu", [conv(x, 3)]), b.op("Relu", [conv(x, 3)])];
  const tied = weight(0.2, 4, 4, 3, 3);
  for (let k = 0; k < exits; k++) {
    if (kind === "branches") [left, right] = [b.op("Relu", [conv(right, 4)]), b.op("Add", [left, conv(left, 4)])];
    else
      left = b.op("Relu", [b.op("Conv", [left, k % 2 ? tied : weight(0.2, 4, 4, 3, 3)], { pads: ints([1, 1, 1, 1]) })]);
    head(kind === "branches" ? b.op("Mul", [left, right]) : left, rest.hint ?? `exit${k}`);
  }
  const model = dynamicModel({ graph: b.build(), metadata: new Map() });
  return { ...model, policy: rest.policy };
}

/** Random images with something of a colour each, so that their answers differ. */
export function images(count: number, seed = 5): Float32Array {
  const each = sizeOf(IMAGE);
  const base = uniform({ seed, sample: 1, purpose: "test", step: 0 }, count * 3, 0, 1);
  const grain = uniform({ seed, sample: 0, purpose: "test", step: 0 }, count * each, 0, 1);
  return grain.map((v, i) => (v + 3 * base[Math.floor(i / (each / 3))]) / 4);
}

/** Logits of every exit from the whole graph. */
export async function logitsOf(model: DynamicModel, pixels: Float32Array): Promise<Logits> {
  const session = await backend.compile(model.graph);
  const data = { dtype: "float32", dims: [pixels.length / sizeOf(IMAGE), ...IMAGE], data: pixels } as const;
  const results = await session.run({ [model.input.name]: data });
  await session.release();
  const exits = model.exits.map(({ logits }) => results[logits]?.data as Float32Array);
  return new Logits(exits, model.classes);
}

/** A policy under which about half the images that reach an exit leave there: no confidence lies on a threshold. */
export async function medianPolicy(
  model: DynamicModel,
  policy: Omit<Policy, "thresholds">,
  pixels: Float32Array,
): Promise<Policy> {
  if (policy.rule === "patience") return { ...policy, thresholds: [2] };
  const logits = await logitsOf(model, pixels);
  const count = pixels.length / sizeOf(IMAGE);
  const thresholds = model.exits.slice(0, -1).map((_, exit) => {
    const sorted = Array.from(
      { length: count },
      (_, i) => readingOf(logits.row(exit, i), policy, exit).confidence,
    ).sort((a, b) => a - b);
    const middle = Math.floor(count / 2);
    return (sorted[middle - 1] + sorted[middle]) / 2;
  });
  return { ...policy, thresholds };
}

/** Run the file of a conditional export on images; one made for single samples on one after the other. */
export async function run(model: DynamicModel, policy: Policy, pixels: Float32Array, options: ConditionalOptions = {}) {
  const { graph } = readModel(writeModel(conditionalModel(model, policy, options)));
  const session = await backend.compile(graph);
  const each = IMAGE.reduce((a, b) => a * b, 1);
  const count = options.single ? 1 : pixels.length / each;
  const [input] = session.inputs as [string];
  const parts: Tensors[] = [];
  for (let from = 0; from < pixels.length; from += count * each) {
    const data = pixels.subarray(from, from + count * each);
    parts.push(await session.run({ [input]: { dtype: "float32", dims: [count, ...IMAGE], data } }));
  }
  await session.release();
  const results = stackResults(parts);
  const numbers = (name: string) => Array.from(results[name].data, Number);
  return {
    outputs: session.outputs,
    dims: Object.fromEntries(Object.entries(results).map(([name, { dims }]) => [name, dims])),
    logits: results.logits?.data as Float32Array,
    confidence: numbers("confidence"),
    label: numbers("label"),
    exit: numbers("exit"),
  };
}

/** The results of several batches as of one. */
function stackResults(parts: readonly Tensors[]): Tensors {
  const [first] = parts as [Tensors];
  if (parts.length === 1) return first;
  const stacked = (name: string): Tensor => {
    const rows = parts.map((part) => part[name]);
    const { dtype, dims } = rows[0];
    return fromNumbers(
      dtype,
      [parts.length, ...dims.slice(1)],
      rows.flatMap((row) => [...toNumbers(row)]),
    );
  };
  return Object.fromEntries(Object.keys(first).map((name) => [name, stacked(name)]));
}

/** What route says, and the logits of the exit that answers. */
async function expected(model: DynamicModel, policy: Policy, pixels: Float32Array) {
  const logits = await logitsOf(model, pixels);
  const routed = route(logits, policy);
  return { routed, logits: routed.map((r, i) => logits.row(r.answer, i)) };
}

/** Run both and compare.
 * @returns where the samples stopped */
export async function expectEqualToRoute(
  model: DynamicModel,
  policy: Policy,
  pixels: Float32Array,
  options: ConditionalOptions = {},
): Promise<number[]> {
  const { routed, logits } = await expected(model, policy, pixels);
  const got = await run(model, policy, pixels, options);
  expect(got.exit).toEqual(routed.map((r) => r.stop));
  expect(got.label).toEqual(routed.map((r) => r.label));
  routed.forEach(({ confidence }, i) => {
    expect(got.confidence[i]).toBeCloseTo(confidence, 4);
    const row = got.logits.subarray(i * model.classes, (i + 1) * model.classes);
    row.forEach((v, c) => {
      expect(v).toBeCloseTo(logits[i]?.[c], 4);
    });
  });
  return got.exit;
}
