/** @file Checks a gradient rule two ways: in float64 on the reference kernel against central differences along random
 *  directions, and in float32 on ONNX Runtime against the float64 result. Source: jax public_test_util (one random direction). */
import { expect } from "vitest";
import { appendVjp } from "../../src/autodiff/gradient.js";
import type { DType } from "../../src/core/dtype.js";
import { normal, uniform } from "../../src/core/rng.js";
import { type Dims, type Shape, sizeOf } from "../../src/core/shape.js";
import { fromNumbers, type Tensor, toNumbers } from "../../src/core/tensor.js";
import type { Attributes } from "../../src/graph/attributes.js";
import { GraphBuilder } from "../../src/graph/builder.js";
import type { Graph, ValueName } from "../../src/graph/graph.js";
import { inferShapes } from "../../src/graph/infer.js";
import { emptyGraph } from "../../src/graph/op.js";
import { prune } from "../../src/graph/passes/prune.js";
import { ortNode } from "../../src/node/ort-node/index.js";
import { opTable } from "../../src/ops/table.js";
import { runReference } from "../../src/runtime/reference.js";

export interface GradcheckCase {
  readonly op: string;
  /** Inputs that are fed; null: left out. */
  readonly inputs: readonly (Tensor | null)[];
  /** Which inputs stay constants of the graph (weights, axes, shapes). Integer tensors always do. */
  readonly constants?: readonly number[];
  readonly attributes?: Attributes;
  readonly opset?: number;
  readonly outputs?: number;
  /** Name the first axis of every fed input that has this length "n", to test rules on a symbolic batch. */
  readonly batch?: number;
  /** Step of the central difference. */
  readonly step?: number;
  /** Why ONNX Runtime cannot run this case (then only the reference is checked). */
  readonly skipOrt?: string;
}

/** Random numbers with enough space between them that no tie or kink lies within a step: a seeded normal draw. */
export function random(dims: Dims, seed = 1, low?: number, high?: number): Tensor<"float64"> {
  const key = { seed, sample: 0, purpose: "test", step: 0 } as const;
  const numbers = low === undefined ? normal(key, sizeOf(dims)) : uniform(key, sizeOf(dims), low, high);
  return fromNumbers("float64", dims, numbers);
}

interface Built {
  /** The operator alone. */
  readonly forward: Graph;
  /** The operator and its gradients. */
  readonly graph: Graph;
  readonly wrt: readonly ValueName[];
  readonly outputs: readonly ValueName[];
  readonly grads: readonly (ValueName | undefined)[];
  readonly feeds: Readonly<Record<string, Tensor>>;
}

const isFed = (c: GradcheckCase, i: number): boolean => {
  const t = c.inputs[i];
  return !!t && (t.dtype === "float64" || t.dtype === "float32") && !c.constants?.includes(i);
};

const recast = (t: Tensor, dtype: DType): Tensor =>
  t.dtype === "float64" || t.dtype === "float32" ? fromNumbers(dtype, t.dims, toNumbers(t)) : t;

function build(c: GradcheckCase, dtype: "float32" | "float64"): Built {
  const b = new GraphBuilder(emptyGraph(c.op, c.opset ?? 17));
  const feeds: Record<string, Tensor> = {};
  const shapeOf = (t: Tensor): Shape => t.dims.map((d, axis) => (axis === 0 && d === c.batch ? "n" : d));
  const names = c.inputs.map((t, i) => {
    if (!t) return "";
    const value = recast(t, dtype);
    if (!isFed(c, i)) return b.constant(value, `c${i}`);
    feeds[`x${i}`] = value;
    return b.input(`x${i}`, dtype, shapeOf(t));
  });
  const outputs = b.ops(c.op, names, c.outputs ?? 1, c.attributes, "y");
  for (const name of outputs) b.output(name, dtype, undefined);
  const forward = inferShapes(b.build(), opTable);
  const floats = outputs.filter((name) => forward.types.get(name)?.dtype === dtype);
  const gb = new GraphBuilder(forward);
  const seeds = new Map(
    floats.map((name) => [name, gb.input(`seed_${name}`, dtype, forward.types.get(name)?.shape ?? [])]),
  );
  const wrt = names.filter((_, i) => isFed(c, i));
  const found = appendVjp(gb, forward, opTable, { seeds, wrt });
  const grads = wrt.map((name) => found.get(name));
  grads.forEach((grad, i) => {
    if (grad !== undefined) gb.output(gb.op("Identity", [grad], {}, `grad_${wrt[i]}`), dtype, undefined);
  });
  return { forward, graph: inferShapes(prune(gb.build()), opTable), wrt, outputs: floats, grads, feeds };
}

const dot = (a: ArrayLike<number>, b: ArrayLike<number>): number => {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
};

/** Assert that the rule of an operator is right for a case.
 *  float64: |analytic - numeric| <= 1e-6 x scale along 3 random directions per input; shapes equal.
 *  float32 on ONNX Runtime: <= 1e-4 of the largest value. */
export async function gradcheck(c: GradcheckCase): Promise<void> {
  const built = build(c, "float64");
  const forward = runReference(built.forward, built.feeds);
  const seeds = Object.fromEntries(
    built.outputs.map((name, i) => [`seed_${name}`, random(forward[name].dims, 77 + i)]),
  );
  const results = runReference(built.graph, { ...built.feeds, ...seeds });
  built.wrt.forEach((name, i) =>
    checkInput(c, built, name, built.grads[i] === undefined ? undefined : results[`grad_${name}`], seeds),
  );
  if (c.skipOrt === undefined) await checkOrt(c, seeds, results);
}

function checkInput(
  c: GradcheckCase,
  built: Built,
  name: string,
  grad: Tensor | undefined,
  seeds: Record<string, Tensor>,
): void {
  const x = built.feeds[name];
  const h = c.step ?? 1e-5;
  if (grad) expect(grad.dims, `${c.op}: shape of the gradient of ${name}`).toEqual(x.dims);
  for (let trial = 0; trial < 3; trial++) {
    const direction = toNumbers(random(x.dims, 1000 + trial));
    const along = (t: number) => {
      const moved = {
        ...built.feeds,
        [name]: fromNumbers(
          "float64",
          x.dims,
          toNumbers(x).map((v, k) => v + t * direction[k]),
        ),
      };
      const out = runReference(built.forward, moved);
      return built.outputs.reduce((sum, o) => sum + dot(toNumbers(out[o]), toNumbers(seeds[`seed_${o}`])), 0);
    };
    const numeric = (along(h) - along(-h)) / (2 * h);
    const analytic = grad ? dot(toNumbers(grad), direction) : 0;
    expect(
      Math.abs(analytic - numeric),
      `${c.op}: gradient of ${name}, direction ${trial}: analytic ${analytic}, numeric ${numeric}`,
    ).toBeLessThanOrEqual(1e-6 * Math.max(1, Math.abs(numeric)));
  }
}

async function checkOrt(
  c: GradcheckCase,
  seeds: Record<string, Tensor>,
  expected: Readonly<Record<string, Tensor>>,
): Promise<void> {
  const built = build(c, "float32");
  const session = await ortNode({ threads: 1 }).compile(built.graph);
  const feeds = {
    ...built.feeds,
    ...Object.fromEntries(Object.entries(seeds).map(([name, t]) => [name, recast(t, "float32")])),
  };
  const results = await session.run(feeds);
  await session.release();
  for (const { name } of built.graph.outputs) {
    const [got, want] = [results[name], expected[name]];
    expect(got.dims, `${c.op} on ONNX Runtime: shape of ${name}`).toEqual(want.dims);
    const wanted = toNumbers(want);
    const scale = wanted.reduce((m, v) => Math.max(m, Math.abs(v)), 1e-3);
    const worst = toNumbers(got).reduce((m, v, i) => Math.max(m, Math.abs(v - wanted[i])), 0);
    expect(worst / scale, `${c.op} on ONNX Runtime: ${name}`).toBeLessThanOrEqual(1e-4);
  }
}
