/** @file Files that answer for one image at a time: their batch of 1 is part of the computation. Each has an early exit. */
import { fromNumbers } from "../../src/core/tensor.js";
import { int, ints } from "../../src/graph/attributes.js";
import type { GraphBuilder } from "../../src/graph/builder.js";
import type { ValueName } from "../../src/graph/graph.js";
import { drawn, weights } from "../dynamic/adapt/support.js";

/** From an image [1,8,8,8] to a row [1,64]. */
type Body = (b: GraphBuilder, x: ValueName) => ValueName;

const reshape = (b: GraphBuilder, x: ValueName, ...dims: readonly number[]): ValueName =>
  b.op("Reshape", [x, b.ints(dims)]);

/** The batch goes, and comes back. */
const squeezed: Body = (b, x) =>
  b.op("Unsqueeze", [
    reshape(b, b.op("ReduceMean", [b.op("Squeeze", [x, b.ints([0])])], { axes: ints([0]) }), 64),
    b.ints([0]),
  ]);

/** A constant shape puts the channels where the batch was, and the mean is over them. */
const channelsAsBatch: Body = (b, x) =>
  b.op("ReduceMean", [reshape(b, x, 8, 64)], { axes: ints([0]), keepdims: int(1) });

/** Earlier images of the batch are added: sizes do not show it, answers do. */
const earlierImages: Body = (b, x) =>
  b.op("CumSum", [reshape(b, b.op("ReduceMean", [x], { axes: ints([1]) }), 1, 64), b.scalar(0, "int64")]);

/** The first image is expanded to a constant number of rows. */
const expanded: Body = (b, x) => {
  const rows = b.op("Flatten", [b.op("ReduceMean", [x], { axes: ints([1]) })], { axis: int(1) });
  const first = b.op("Gather", [rows, b.constant(fromNumbers("int64", [], [0]))], { axis: int(0) });
  return b.op("Expand", [first, b.ints([1, 64])]);
};

/** Each body, and what dynn says keeps its batch closed. */
export const ONE_IMAGE = {
  squeezed: [squeezed, 'Squeeze "squeeze" works for a batch of 1 only'],
  "channels as batch": [channelsAsBatch, 'ReduceMean "reducemean" works for a batch of 1 only'],
  "earlier images": [earlierImages, 'with another batch than 1 the output "final" differs'],
  expanded: [expanded, 'Gather "gather" works for a batch of 1 only'],
} as const satisfies Record<string, readonly [Body, string]>;

export type OneImageName = keyof typeof ONE_IMAGE;

/** A network of two exits for images [1,3,8,8] and 4 classes. */
export const oneImageNet = (name: OneImageName) =>
  drawn((b) => {
    const pads = { pads: ints([1, 1, 1, 1]) };
    const image = b.input("image", "float32", [1, 3, 8, 8]);
    const x = b.op("Relu", [b.op("Conv", [image, b.constant(weights(8, 3, 3, 3))], pads)]);
    const early = b.op("Flatten", [b.op("GlobalAveragePool", [x])], { axis: int(1) });
    const deep = b.op("Relu", [b.op("Conv", [x, b.constant(weights(8, 8, 3, 3))], pads)]);
    const rows = ONE_IMAGE[name][0](b, deep);
    for (const [output, value, size] of [
      ["early", early, 8],
      ["final", rows, 64],
    ] as const) {
      const logits = b.op("MatMul", [value, b.constant(weights(size, 4))]);
      b.append({ opType: "Identity", domain: "", name: "", inputs: [logits], outputs: [output], attributes: {} });
      b.output(output, "float32", [1, 4]);
    }
  });
