/** @file The reference networks of the shared folder, their gradient graphs and expected answers (PyTorch, float64). */
import { readFileSync } from "node:fs";
import { expect } from "vitest";
import { gradientGraph } from "../../src/autodiff/gradient.js";
import { fromNumbers, type Tensor, toNumbers } from "../../src/core/tensor.js";
import { readNpy } from "../../src/data/npy.js";
import { int } from "../../src/graph/attributes.js";
import { GraphBuilder } from "../../src/graph/builder.js";
import type { Graph, ValueName } from "../../src/graph/graph.js";
import { inferShapes } from "../../src/graph/infer.js";
import { readModel } from "../../src/onnx/read.js";
import { reduceSum } from "../../src/ops/support/emit.js";
import { opTable } from "../../src/ops/table.js";
import { shared } from "./shared.js";

/** Largest error, as a share of the largest expected value. */
const TOLERANCE = 1e-3;

const folder = (name: string) => shared(`reference/gradients/${name}`);
const array = (name: string, file: string): Tensor => readNpy(readFileSync(`${folder(name)}/${file}.npy`), file);

/** The network followed by the cross-entropy of each sample, with labels as a second input. */
function withCrossEntropy(network: Graph): {
  readonly graph: Graph;
  readonly input: ValueName;
  readonly logits: ValueName;
  readonly loss: ValueName;
} {
  const graph = inferShapes(network, opTable);
  const [input, logits] = [
    graph.inputs.find(({ name }) => !graph.initializers.has(name))?.name as ValueName,
    graph.outputs[0]?.name as ValueName,
  ];
  const b = new GraphBuilder(graph);
  const batch = graph.types.get(logits)?.shape[0] ?? "n";
  const labels = b.input("labels", "int64", [batch, 1]);
  const picked = b.op("GatherElements", [b.op("LogSoftmax", [logits], { axis: int(1) }), labels], { axis: int(1) });
  const loss = b.op("Neg", [reduceSum(b, picked, [1], false)]);
  b.output(loss, "float32", [batch]);
  return { graph: inferShapes(b.build(), opTable), input, logits, loss };
}

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
  const { graph, input, logits, loss } = withCrossEntropy(readModel(readFileSync(`${folder(name)}/model.onnx`)).graph);
  const request = { loss, wrt: [input], names: ["gradient of the input"], keep: [logits] };
  const gradients = gradientGraph(graph, opTable, request);
  const [x, y] = [array(name, "x"), array(name, "y")];
  return {
    graph: gradients,
    feeds: {
      [input]: fromNumbers("float32", x.dims, toNumbers(x)),
      labels: fromNumbers("int64", [y.dims[0] as number, 1], toNumbers(y)),
    },
    logits: { name: logits, expected: array(name, "logits") },
    gradient: { name: gradients.outputs.at(-1)?.name as ValueName, expected: array(name, "grad") },
  };
}
