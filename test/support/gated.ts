/** @file A small residual network with gates, made in the test in the masked form, with exits or without. */
import { normal, uniform } from "../../src/core/rng.js";
import { sizeOf } from "../../src/core/shape.js";
import type { Tensor } from "../../src/core/tensor.js";
import { writeMetadata } from "../../src/dynamic/model/metadata.js";
import { type DynamicModel, dynamicModel, type ModelSource } from "../../src/dynamic/model/model.js";
import { int, ints } from "../../src/graph/attributes.js";
import { GraphBuilder } from "../../src/graph/builder.js";
import type { ValueName } from "../../src/graph/graph.js";
import { emptyGraph } from "../../src/graph/op.js";
import type { Policy } from "../../src/schema/policy.js";

const CHANNELS = 6;
const WIDE = 8;
/** Classes of the network. */
export const CLASSES = 4;
/** About half of the images of {@link gatedImages} open each gate. */
export const GATE_BIASES = [5.9, -3.5, 24, -17];
/** MACs of the two convolutions of each block. */
export const BLOCK_MACS = [2 * 64 * 6 * 6 * 9, 2 * 64 * 6 * 6 * 9, 16 * 8 * (6 + 8) * 9, 2 * 16 * 8 * 8 * 9];

export interface GatedOptions {
  /** Exits behind these blocks, besides the final one. */
  readonly exits?: readonly number[];
  /** Blocks without a gate. */
  readonly plain?: readonly number[];
  readonly policy?: Policy;
  /** Factor for the channels. The default is 1, with too few channels for the blocked layout. */
  readonly width?: number;
  /** What is added to each score. */
  readonly biases?: readonly number[];
}

const noise = (dims: readonly number[], seed: number, scale: number): Tensor<"float32"> => ({
  dtype: "float32",
  dims,
  data: normal({ seed, sample: 0, purpose: "test", step: 0 }, sizeOf(dims)).map((v) => v * scale),
});

/** Four blocks over [n,3,8,8] images, the third with stride 2. Each block is Relu(Add(shortcut, Mul(branch, value))), and its gate reads the
 *  block's input. */
export function gatedSource({
  exits = [],
  plain = [],
  policy,
  biases = GATE_BIASES,
  width = 1,
}: GatedOptions = {}): ModelSource {
  const [narrow, wide] = [CHANNELS * width, WIDE * width];
  const b = new GraphBuilder(emptyGraph("gated", 17));
  const conv = (x: ValueName, [from, to, stride = 1]: readonly number[], seed: number, hint: string) =>
    b.op(
      "Conv",
      [x, b.constant(noise([to, from, 3, 3], seed, 1.2 / Math.sqrt(9 * from)), `${hint}.weight`)],
      { pads: ints([1, 1, 1, 1]), strides: ints([stride, stride]) },
      hint,
    );
  const head = (x: ValueName, channels: number, seed: number, name: string) => {
    const weight = b.constant(noise([channels, CLASSES], seed, 4), `${name}.weight`);
    b.output(b.op("Gemm", [b.op("Flatten", [b.op("GlobalAveragePool", [x])]), weight], {}, name), "float32", undefined);
  };
  const gates: { name: string; score: string; value: string; branch: string }[] = [];
  let [h, channels] = [
    b.op("Relu", [conv(b.input("image", "float32", ["n", 3, 8, 8]), [3, narrow], 1, "stem")]),
    narrow,
  ];
  for (const [k, bias] of biases.entries()) {
    const [to, stride] = k === 2 ? [wide, 2] : [channels, 1];
    const at = `block${k}`;
    const inner = b.op("Relu", [conv(h, [channels, to, stride], 10 * k + 2, `${at}.conv1`)]);
    const bn = b.constant(noise([to, 1, 1], 10 * k + 3, 1), `${at}.shift`);
    const branch = b.op("Add", [conv(inner, [to, to], 10 * k + 4, `${at}.conv2`), bn], {}, `${at}.branch`);
    const shortcut =
      stride === 1
        ? h
        : b.op("Pad", [
            b.op("AveragePool", [h], { kernel_shape: ints([1, 1]), strides: ints([2, 2]) }),
            b.ints([0, 1, 0, 0, 0, to - channels - 1, 0, 0]),
          ]);
    let added = branch;
    if (!plain.includes(k)) {
      const weight = b.constant(noise([channels, 1], 10 * k + 5, 8), `${at}.gate.weight`);
      const column = b.op("Gemm", [b.op("Flatten", [b.op("GlobalAveragePool", [h])]), weight, b.scalar(bias)]);
      const score = b.op("Reshape", [column, b.ints([-1])], {}, `${at}.score`);
      const open = b.op("Cast", [b.op("GreaterOrEqual", [score, b.scalar(0)])], { to: int(1) });
      const value = b.op("Reshape", [open, b.ints([-1, 1, 1, 1])], {}, `${at}.value`);
      added = b.op("Mul", [branch, value]);
      gates.push({ name: at, score, value, branch });
    }
    h = b.op("Relu", [b.op("Add", [shortcut, added])], {}, `${at}.out`);
    channels = to;
    if (exits.includes(k)) head(h, channels, 10 * k + 6, `exit${k}`);
  }
  head(h, channels, 99, "logits");
  const named = [...exits.map((k) => ({ name: `exit${k}`, logits: `exit${k}` })), { name: "final", logits: "logits" }];
  return {
    graph: b.build(),
    metadata: writeMetadata({ exits: named, ...(gates.length > 0 ? { gates } : {}), ...(policy ? { policy } : {}) }),
  };
}

/** The model of {@link gatedSource}. */
export const gatedModel = (options: GatedOptions = {}): DynamicModel => dynamicModel(gatedSource(options));

/** Images of different brightness and contrast, [count * 3 * 8 * 8]. */
export function gatedImages(count: number, seed = 3): Float32Array {
  const size = 3 * 8 * 8;
  const all = new Float32Array(count * size);
  for (let i = 0; i < count; i++) {
    const [low, high] = [...uniform({ seed, sample: i, purpose: "test", step: 1 }, 2, 0, 1)].sort((x, y) => x - y);
    all.set(uniform({ seed, sample: i, purpose: "test", step: 0 }, size, low, high), i * size);
  }
  return all;
}
