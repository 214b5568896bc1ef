/** @file Models of this room's tests, drawn as graphs and written as files. */
import { normal } from "../../src/core/rng.js";
import { sizeOf } from "../../src/core/shape.js";
import { fromNumbers, type Tensor } from "../../src/core/tensor.js";
import { ints } from "../../src/graph/attributes.js";
import { GraphBuilder } from "../../src/graph/builder.js";
import type { ValueName } from "../../src/graph/graph.js";
import { emptyGraph } from "../../src/graph/op.js";
import type { OnnxModel } from "../../src/onnx/model.js";
import { readModel } from "../../src/onnx/read.js";
import { writeModel } from "../../src/onnx/write.js";

export const draw = (seed: number, ...dims: readonly number[]): Tensor<"float32"> =>
  fromNumbers("float32", dims, normal({ seed, sample: 0, purpose: "test", step: 0 }, sizeOf(dims)));

/** Convolution with padding, 3x3. */
export const conv = (b: GraphBuilder, x: ValueName, from: number, to: number): ValueName =>
  b.op("Conv", [x, b.constant(draw(from + to, to, from, 3, 3))], { pads: ints([1, 1, 1, 1]) });

/** Mean over the image, then a linear layer. */
export const head = (b: GraphBuilder, x: ValueName, from: number, classes: number, hint: string): ValueName =>
  b.op("Gemm", [b.op("Flatten", [b.op("GlobalAveragePool", [x])]), b.constant(draw(classes, from, classes))], {}, hint);

/** A model drawn by `draw`, as it reads back from the bytes of its file. */
export function modelFile(
  drawIn: (b: GraphBuilder) => void,
  metadata: Readonly<Record<string, string>> = {},
): OnnxModel {
  const b = new GraphBuilder(emptyGraph("net", 17));
  drawIn(b);
  return readModel(writeModel({ graph: b.build(), metadata: new Map(Object.entries(metadata)) }));
}

/** x [n,3,8,8] -> two convolutions with a head after each: outputs "first" and "second" of four classes. */
export function twoExits(b: GraphBuilder): void {
  const h1 = b.op("Relu", [conv(b, b.input("x", "float32", ["batch", 3, 8, 8]), 3, 4)], {}, "h1");
  const h2 = b.op("Relu", [conv(b, h1, 4, 4)], {}, "h2");
  b.output(head(b, h1, 4, 4, "first"), "float32", undefined);
  b.output(head(b, h2, 4, 4, "second"), "float32", undefined);
}
