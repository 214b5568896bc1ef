/** @file Quantized files as classifiers: one network in the forms of ONNX Runtime's quantizer, beside ONNX Runtime and beside the
 *  float network. */
import { describe, expect, test } from "vitest";
import { lossGraph } from "../../src/attacks/oracle/loss-graph.js";
import { PRESETS, presetConfigs } from "../../src/attacks/presets.js";
import { appendVjp } from "../../src/autodiff/gradient.js";
import { type Tensor, toNumbers } from "../../src/core/tensor.js";
import { dynamicModel } from "../../src/dynamic/model/model.js";
import { GraphBuilder } from "../../src/graph/builder.js";
import type { Graph } from "../../src/graph/graph.js";
import { inferShapes } from "../../src/graph/infer.js";
import { prune } from "../../src/graph/passes/prune.js";
import { ortNode } from "../../src/node/ort-node/index.js";
import { opTable } from "../../src/ops/table.js";
import { referenceBackend, runReference } from "../../src/runtime/reference.js";
import { failure } from "../support/failure.js";
import { CLASSES, photos, type QuantizedForm, quantizedNetwork } from "../support/quantized-models.js";

const source = (graph: Graph) => ({ graph, metadata: new Map<string, string>() });
const modelOf = (form: QuantizedForm, share = 1) => dynamicModel(source(quantizedNetwork(form, { share })));
const IMAGES = photos(6);

async function logitsOf(graph: Graph, backend = ortNode({ threads: 1 }), images: Tensor = IMAGES): Promise<number[]> {
  const session = await backend.compile(graph);
  const results = await session.run({ image: images });
  await session.release();
  return graph.outputs.flatMap(({ name }) => [...toNumbers(results[name])]);
}

const worst = (a: readonly number[], b: readonly number[]): number =>
  a.reduce((m, v, i) => Math.max(m, Math.abs(v - b[i])), 0);

/** The largest step of the logits of a quantized form. */
const largestStep = (graph: Graph): number =>
  Math.max(...["exit0_scale", "logits_scale"].map((name) => Number(graph.initializers.get(name)?.data[0] ?? 0)));

describe.each(["qdq", "qoperator", "dynamic"] as const)("%s", (form) => {
  test("gives the logits of the float network up to the rounding of its steps", async () => {
    const [exact, got] = [await logitsOf(modelOf("float").graph), await logitsOf(modelOf(form).graph)];
    const range = Math.max(...exact) - Math.min(...exact);
    expect(got).toHaveLength(2 * 6 * CLASSES);
    expect(worst(got, exact)).toBeLessThan(0.05 * range);
    expect(worst(got, exact)).toBeGreaterThan(0);
  });

  test("gives the logits of the file on both backends, at most one step apart", async () => {
    const file = quantizedNetwork(form);
    const { graph } = modelOf(form);
    const step = form === "dynamic" ? 0.02 : largestStep(file);
    const own = await logitsOf(graph);
    expect(worst(own, await logitsOf(graph, referenceBackend))).toBeLessThanOrEqual(1.001 * step);
    expect(worst(own, await logitsOf(file, ortNode({ threads: 1, rewrite: false })))).toBeLessThanOrEqual(1.001 * step);
  });

  test("counts the MACs of the float network", () => {
    expect(modelOf(form).exits.map((e) => e.macs)).toEqual(modelOf("float").exits.map((e) => e.macs));
  });

  test("answers an image alike in every batch", async () => {
    const { graph } = modelOf(form);
    const all = await logitsOf(graph);
    for (const i of [0, 3]) {
      const size = IMAGES.data.length / 6;
      const data = IMAGES.data.slice(i * size, (i + 1) * size);
      const alone = await logitsOf(graph, undefined, { dtype: "float32", dims: [1, 3, 8, 8], data });
      const rows = [0, 1].flatMap((k) => all.slice((6 * k + i) * CLASSES, (6 * k + i + 1) * CLASSES));
      expect(alone).toEqual(rows);
    }
  });
});

test("a quantized file says what its operators mean", () => {
  expect(modelOf("float").quantization).toBeUndefined();
  expect(modelOf("qdq").quantization).toBe(
    "The file is quantized (8 QuantizeLinear). dynn computes its rounding as the file states it, with float32 between, so times are not those of 8-bit kernels. Gradients pass straight through the rounding (straight-through estimator), and are zero where a value is clipped.",
  );
  expect(modelOf("qoperator").quantization).toBe(
    "The file computes with 8-bit integers (2 QLinearConv, 2 QLinearGlobalAveragePool, 2 QGemm). They have no gradient, so attacks that need one are refused.",
  );
  expect(modelOf("dynamic").quantization).toBe(
    "The file computes with 8-bit integers (4 DynamicQuantizeLinear, 2 ConvInteger, 2 MatMulInteger). They have no gradient, so attacks that need one are refused. DynamicQuantizeLinear takes one scale from a whole batch, so dynn runs images one at a time.",
  );
});

/** The gradient of the sum of the last exit's logits. */
function gradientOf(graph: Graph): number[] {
  const typed = inferShapes(graph, opTable);
  const b = new GraphBuilder(typed);
  const last = graph.outputs.at(-1)?.name ?? "";
  const seed = b.input("seed", "float32", ["n", CLASSES]);
  const grads = appendVjp(b, typed, opTable, { seeds: new Map([[last, seed]]), wrt: ["image"] });
  b.clearOutputs();
  b.output(grads.get("image") ?? "", "float32", ["n", 3, 8, 8]);
  const ones: Tensor = {
    dtype: "float32",
    dims: [6, CLASSES],
    data: new Float32Array(6 * CLASSES).map((_, i) => (i % CLASSES) - 1),
  };
  const made = inferShapes(prune(b.build()), opTable);
  return [...toNumbers(Object.values(runReference(made, { image: IMAGES, seed: ones }))[0])];
}

const cosine = (a: readonly number[], b: readonly number[]): number => {
  const dot = (x: readonly number[], y: readonly number[]) => x.reduce((sum, v, i) => sum + v * y[i], 0);
  return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
};

describe("the gradient of a QDQ file", () => {
  test("points where that of the float network points", () => {
    const [exact, got] = [gradientOf(modelOf("float").graph), gradientOf(modelOf("qdq").graph)];
    expect(got.every(Number.isFinite)).toBe(true);
    expect(cosine(got, exact)).toBeGreaterThan(0.97);
  });

  test("is zero in more places when the steps hold half of each range, because more is clipped", () => {
    const count = (share: number) => gradientOf(modelOf("qdq", share).graph).filter((v) => v === 0).length;
    expect(count(1)).toBeLessThan(20);
    expect(count(0.5)).toBeGreaterThan(400);
  });

  test("is the same on ONNX Runtime, whose logits beside it are those of the graph without it", async () => {
    const model = modelOf("qdq");
    const loss = {
      exits: [1],
      build: ({ logits, builder }: { logits: (k: number) => string; builder: GraphBuilder }) =>
        builder.op("ReduceSum", [logits(1), builder.ints([1])]),
    };
    const graph = lossGraph(model, loss as never, { gradient: true });
    const [ours, theirs] = await Promise.all(
      [referenceBackend, ortNode({ threads: 1 })].map(async (backend) => {
        const session = await backend.compile(graph);
        const results = await session.run({ image: IMAGES });
        await session.release();
        return results;
      }),
    );
    const name = graph.outputs.at(-1)?.name ?? "";
    const [a, b] = [[...toNumbers(ours[name])], [...toNumbers(theirs[name])]];
    expect(a.some((v) => v !== 0)).toBe(true);
    expect(cosine(a, b)).toBeGreaterThan(0.9999);
    const plain = await logitsOf(model.graph);
    const last = model.exits[1]?.logits ?? "";
    expect([...toNumbers(theirs[last])]).toEqual(plain.slice(6 * CLASSES));
  });
});

test.each(["qoperator", "dynamic"] as const)("attacks on %s name the operator that blocks the gradient", (form) => {
  expect(presetConfigs(["pgd"], { epsilon: 0.03, earlyExits: 1 })).toHaveLength(1);
  expect(Object.keys(PRESETS)).toContain("pgd");
  const loss = {
    exits: [1],
    build: ({ logits, builder }: { logits: (k: number) => string; builder: GraphBuilder }) =>
      builder.op("ReduceSum", [logits(1), builder.ints([1])]),
  };
  const [name, operator] =
    form === "dynamic" ? ["matmulinteger_1", "MatMulInteger"] : ["/logits_quantized_quant", "QGemm"];
  expect(() => lossGraph(modelOf(form), loss as never, { gradient: true })).toThrow(
    failure(
      "gradient/none",
      `${operator} "${name}": ${operator} has no gradient: it computes with 8-bit integers. Give the float model, or one with QuantizeLinear and DequantizeLinear around float operators. Or audit this one with the attacks "none".`,
    ),
  );
});
