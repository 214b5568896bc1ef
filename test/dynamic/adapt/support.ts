/** @file What tests of adapters share: the answers of a foreign graph as it is, and those of dynn's
 *  reading of it. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { normal, uniform } from "../../../src/core/rng.js";
import { fromNumbers, type Tensor, toNumbers } from "../../../src/core/tensor.js";
import type { DynamicModel } from "../../../src/dynamic/model/model.js";
import { GraphBuilder } from "../../../src/graph/builder.js";
import type { Graph } from "../../../src/graph/graph.js";
import { emptyGraph } from "../../../src/graph/op.js";
import type { OnnxModel } from "../../../src/onnx/model.js";
import { readModel } from "../../../src/onnx/read.js";
import { writeModel } from "../../../src/onnx/write.js";
import { runReference } from "../../../src/runtime/reference.js";

/** The bytes of a file of a case. */
export const caseFile = (name: string): Buffer => readFileSync(join(import.meta.dirname, "../../fixtures/cases", name));

export const caseModel = (name: string): OnnxModel => readModel(caseFile(name), { name });

/** A drawn graph as it reads back from the bytes of its file. */
export function drawn(draw: (b: GraphBuilder) => void, opset = 13): OnnxModel {
  const b = new GraphBuilder(emptyGraph("net", opset));
  draw(b);
  return readModel(writeModel({ graph: b.build() }));
}

/** Pixels in [0,1] as 8-bit images have them. */
export const pixels = (...dims: readonly number[]): Tensor<"float32"> =>
  fromNumbers(
    "float32",
    dims,
    uniform(
      { seed: 1, sample: 0, purpose: "test", step: 0 },
      dims.reduce((a, d) => a * d, 1),
    ).map((v) => Math.round(v * 255) / 255),
  );

export const weights = (...dims: readonly number[]): Tensor<"float32"> =>
  fromNumbers(
    "float32",
    dims,
    normal(
      { seed: dims.length, sample: 0, purpose: "test", step: 0 },
      dims.reduce((a, d) => a * d, 1),
    ).map((v) => v / Math.sqrt(dims.slice(1).reduce((a, d) => a * d, 1))),
  );

/** [n,c,h,w] to [n,h,w,c] by plain loops. */
export function toLast(x: Tensor): Tensor<"float32"> {
  const [n, c, h, w] = x.dims as [number, number, number, number];
  const out = new Float32Array(x.data.length);
  for (let i = 0; i < n; i++)
    for (let k = 0; k < c; k++)
      for (let y = 0; y < h; y++)
        for (let z = 0; z < w; z++) out[((i * h + y) * w + z) * c + k] = Number(x.data[((i * c + k) * h + y) * w + z]);
  return fromNumbers("float32", [n, h, w, c], out);
}

/** The first output of a graph on one input. */
export const answerOf = (graph: Graph, x: Tensor): number[] => {
  const [input] = graph.inputs;
  const [output] = graph.outputs;
  return [...toNumbers(runReference(graph, { [input.name]: x })[output.name])];
};

/** The final logits of a model. */
export const logitsOf = (model: DynamicModel, x: Tensor): number[] => answerOf(model.graph, x);
