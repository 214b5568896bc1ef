/** @file The reference networks of the shared folder, their gradient graphs and expected answers (PyTorch, float64). */
import { readFileSync } from "node:fs";
import { expect } from "vitest";
import { modelGradient } from "../../src/autodiff/model-gradient.js";
import { fromNumbers, type Tensor, toNumbers } from "../../src/core/tensor.js";
import { readNpy } from "../../src/data/npy.js";
import type { Graph, ValueName } from "../../src/graph/graph.js";
import { readModel } from "../../src/onnx/read.js";
import { opTable } from "../../src/ops/table.js";
import { shared } from "./shared.js";

/** Largest error, as a share of the largest expected value. */
const TOLERANCE = 1e-3;

const folder = (name: string) => shared(`reference/gradients/${name}`);
const array = (name: string, file: string): Tensor => readNpy(readFileSync(`${folder(name)}/${file}.npy`), file);

/** Assert that every image's values agree, but for those in `skip`. */
export function expectClose(got: Tensor | undefined, want: Tensor, what: string, skip: readonly number[] = []): void {
  expect(got?.dims, what).toEqual(want.dims);
  const [a, b] = [toNumbers(got as Tensor), toNumbers(want)];
  const perImage = b.length / (want.dims[0] as number);
  const scale = b.reduce((m, v) => Math.max(m, Math.abs(v)), 0);
  const error = (v: number, i: number) =>
    skip.includes(Math.floor(i / perImage)) ? 0 : Math.abs(v - (b[i] as number));
  const worst = a.reduce((m, v, i) => Math.max(m, error(v, i)), 0);
  expect(worst / scale, `${what}: largest error ${worst} of ${scale}`).toBeLessThanOrEqual(TOLERANCE);
}

export interface ReferenceNetwork {
  /** Outputs: logits, loss per image, gradient of the input. */
  readonly graph: Graph;
  readonly feeds: Readonly<Record<string, Tensor>>;
  readonly logits: { readonly name: ValueName; readonly expected: Tensor };
  readonly gradient: { readonly name: ValueName; readonly expected: Tensor };
}

/** Read a network and build the graph of its cross-entropy's gradient. */
export function referenceNetwork(name: string): ReferenceNetwork {
  const source = readModel(readFileSync(`${folder(name)}/model.onnx`)).graph;
  const { graph, gradient } = modelGradient(source, opTable, { loss: "cross-entropy" });
  const [x, y] = [array(name, "x"), array(name, "y")];
  return {
    graph,
    feeds: {
      [graph.inputs[0].name]: fromNumbers("float32", x.dims, toNumbers(x)),
      labels: fromNumbers("int64", y.dims, toNumbers(y)),
    },
    logits: { name: source.outputs[0].name, expected: array(name, "logits") },
    gradient: { name: gradient, expected: array(name, "grad") },
  };
}
