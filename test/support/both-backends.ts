/** @file The outputs of one operator on the reference kernels and on ONNX Runtime, every input fed. */
import { expect } from "vitest";
import { type Tensor, toNumbers } from "../../src/core/tensor.js";
import type { Attributes } from "../../src/graph/attributes.js";
import { GraphBuilder } from "../../src/graph/builder.js";
import { inferShapes } from "../../src/graph/infer.js";
import { emptyGraph } from "../../src/graph/op.js";
import { ortNode } from "../../src/node/ort-node/index.js";
import { opTable } from "../../src/ops/table.js";
import { runReference } from "../../src/runtime/reference.js";

/** Largest difference, as a share of the largest value: what float32 rounds away within one operator. */
const TOLERANCE = 1e-5;

/** Assert that both give the same type, shape and values for output 0. */
export async function expectAgreement(
  op: string,
  inputs: readonly Tensor[],
  attributes: Attributes = {},
  opset = 17,
): Promise<void> {
  const b = new GraphBuilder(emptyGraph(op, opset));
  const names = inputs.map((t, i) => b.input(`x${i}`, t.dtype, t.dims));
  const y = b.op(op, names, attributes, "y");
  b.output(y, inferShapes(b.build(), opTable).types.get(y)?.dtype ?? "float32", undefined);
  const graph = inferShapes(b.build(), opTable);
  const feeds = Object.fromEntries(inputs.map((t, i) => [`x${i}`, t]));
  const session = await ortNode({ threads: 1 }).compile(graph);
  const theirs = (await session.run(feeds))[y];
  await session.release();
  const ours = runReference(graph, feeds)[y];
  expect([ours.dtype, ...ours.dims]).toEqual([theirs.dtype, ...theirs.dims]);
  const wanted = toNumbers(theirs);
  const scale = wanted.reduce((m, v) => Math.max(m, Math.abs(v)), 1e-3);
  const worst = toNumbers(ours).reduce((m, v, i) => Math.max(m, Math.abs(v - wanted[i])), 0);
  expect(worst / scale, `${op}: largest difference`).toBeLessThanOrEqual(TOLERANCE);
}
