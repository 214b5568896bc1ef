/** @file One convolution with its gradients: in float64 with blocks of 8 and of 16 by test kernels of the blocked operators, and in float32
 *  on ONNX Runtime with the block of the machine. */
import { expect } from "vitest";
import { appendVjp } from "../../src/autodiff/gradient.js";
import { fromNumbers, type Tensor, toNumbers } from "../../src/core/tensor.js";
import { int, ints } from "../../src/graph/attributes.js";
import { GraphBuilder } from "../../src/graph/builder.js";
import type { Graph } from "../../src/graph/graph.js";
import { inferShapes } from "../../src/graph/infer.js";
import { emptyGraph } from "../../src/graph/op.js";
import { prune } from "../../src/graph/passes/prune.js";
import { ortNode } from "../../src/node/ort-node/index.js";
import { opTable } from "../../src/ops/table.js";
import { blockedLayout } from "../../src/runtime/blocked/rewrite.js";
import { runInBlocks } from "./blocked-operators.js";
import { random } from "./gradcheck.js";

export const BLOCKS = [8, 16] as const;

export interface Layer {
  readonly batch: number;
  readonly channels: number;
  readonly outputs: number;
  readonly side: readonly [number, number];
  readonly kernel: readonly [number, number];
  readonly stride?: number;
  /** Top, left, bottom, right. */
  readonly pads?: readonly number[];
  readonly dilation?: number;
  readonly groups?: number;
}

/** A convolution of x with w, and the gradients of both for a fed dY. Outputs y, dx and dw. */
export function gradientsOf(layer: Layer): Graph {
  const { batch, channels, outputs, side, kernel, stride = 1, pads = [0, 0, 0, 0], dilation = 1, groups = 1 } = layer;
  const b = new GraphBuilder(emptyGraph("layer", 17));
  const x = b.input("x", "float32", [batch, channels, ...side]);
  const w = b.input("w", "float32", [outputs, channels / groups, ...kernel]);
  const attributes = {
    pads: ints(pads),
    strides: ints([stride, stride]),
    dilations: ints([dilation, dilation]),
    group: int(groups),
  };
  const y = b.op("Conv", [x, w], attributes, "y");
  const forward = inferShapes(b.build(), opTable);
  const dy = b.input("dy", "float32", forward.types.get(y)?.shape ?? []);
  const grads = appendVjp(b, forward, opTable, { seeds: new Map([[y, dy]]), wrt: [x, w] });
  for (const name of [y, grads.get(x) as string, grads.get(w) as string]) b.output(name, "float32", undefined);
  return inferShapes(prune(b.build()), opTable);
}

export const feedsOf = (graph: Graph): Record<string, Tensor> =>
  Object.fromEntries(
    graph.inputs.map(({ name, shape }, i) => [
      name,
      fromNumbers("float32", shape as number[], toNumbers(random(shape as number[], i + 1))),
    ]),
  );

/** The largest difference as a share of the largest number, and the dimensions. */
export function expectNear(got: ArrayLike<number>, want: ArrayLike<number>, tolerance: number, what: string): void {
  expect(got.length, what).toBe(want.length);
  let [worst, scale] = [0, 1e-3];
  for (let i = 0; i < want.length; i++) {
    scale = Math.max(scale, Math.abs(want[i]));
    worst = Math.max(worst, Math.abs(got[i] - want[i]));
  }
  expect(worst / scale, what).toBeLessThanOrEqual(tolerance);
}

/** Assert that a graph has the same outputs in blocks of 8 and of 16, and on ONNX Runtime. */
export async function expectRight(graph: Graph): Promise<void> {
  const feeds = feedsOf(graph);
  const want = runInBlocks(graph, feeds, 1);
  for (const block of BLOCKS) {
    const got = runInBlocks(blockedLayout(graph, block), feeds, block);
    for (const [i, { data }] of [...want.values()].entries())
      expectNear([...got.values()][i]?.data ?? [], data, 1e-12, `output ${i} in blocks of ${block}`);
  }
  const session = await ortNode({ threads: 1 }).compile(graph);
  const results = await session.run(feeds);
  await session.release();
  for (const [name, { dims, data }] of want) {
    expect(results[name]?.dims).toEqual(dims);
    expectNear(toNumbers(results[name]), data, 1e-5, `${name} on ONNX Runtime`);
  }
}
