/** @file What the small networks of this folder are drawn with: seeded weights, and the groups of nodes that PyTorch's exporter writes for
 *  the layers and the shape arithmetic that they share. */
import { normal } from "../../../src/core/rng.js";
import { sizeOf } from "../../../src/core/shape.js";
import { fromNumbers } from "../../../src/core/tensor.js";
import { type Attributes, int, ints } from "../../../src/graph/attributes.js";
import { GraphBuilder } from "../../../src/graph/builder.js";
import type { ValueName } from "../../../src/graph/graph.js";
import { emptyGraph } from "../../../src/graph/op.js";
import { reduce, slice, split, unsqueeze } from "../../../src/ops/support/emit.js";

/** Images [n,3,8,8] to logits [n,4]. */
export type Draw = (net: Net, x: ValueName) => ValueName;

export interface ConvOptions {
  readonly stride?: number;
  readonly group?: number;
  readonly dilation?: number;
}

/** A builder with seeded weights. */
export class Net {
  readonly b: GraphBuilder;
  #seed = 0;
  constructor(name: string, opset: number) {
    this.b = new GraphBuilder(emptyGraph(name, opset));
  }
  op(type: string, inputs: readonly ValueName[], attributes: Attributes = {}): ValueName {
    return this.b.op(type, inputs, attributes);
  }
  weights(dims: readonly number[], scale = 1, shift = 0): ValueName {
    const draw = normal({ seed: ++this.#seed, sample: 0, purpose: "test", step: 0 }, sizeOf(dims));
    return this.b.constant(
      fromNumbers(
        "float32",
        dims,
        draw.map((v) => v * scale + shift),
      ),
      "w",
    );
  }
  conv(x: ValueName, from: number, to: number, k: number, more: ConvOptions = {}): ValueName {
    const { stride = 1, group = 1, dilation = 1 } = more;
    const pad = Math.floor((k - 1) / 2) * dilation;
    const w = this.weights([to, from / group, k, k], 1.2 / Math.sqrt((from / group) * k * k));
    return this.op("Conv", [x, w, this.weights([to], 0.1)], {
      strides: ints([stride, stride]),
      pads: ints([pad, pad, pad, pad]),
      dilations: ints([dilation, dilation]),
      group: int(group),
    });
  }
  norm(x: ValueName, c: number): ValueName {
    const of = (scale: number, shift: number) => this.weights([c], scale, shift);
    return this.op("BatchNormalization", [x, of(0.2, 1), of(0.2, 0), of(0.1, 0), of(0.1, 1)]);
  }
  dense(x: ValueName, from: number, to: number): ValueName {
    const product = this.op("MatMul", [x, this.weights([from, to], 1 / Math.sqrt(from))]);
    return this.op("Add", [product, this.weights([to], 0.1)]);
  }
  /** LayerNormalization over the last axis: one node from opset 17 on, before as PyTorch writes it. */
  layerNorm(x: ValueName, c: number): ValueName {
    const [scale, shift] = [this.weights([c], 0.2, 1), this.weights([c], 0.2)];
    if (this.b.opset >= 17) return this.op("LayerNormalization", [x, scale, shift], { axis: int(-1) });
    const centred = this.op("Sub", [x, reduce(this.b, "ReduceMean", x, [-1], true)]);
    const variance = reduce(this.b, "ReduceMean", this.op("Pow", [centred, this.b.scalar(2)]), [-1], true);
    const std = this.op("Sqrt", [this.op("Add", [variance, this.b.scalar(1e-5)])]);
    return this.op("Add", [this.op("Mul", [this.op("Div", [centred, std]), scale]), shift]);
  }
  /** Gelu: one node from opset 20 on, before as PyTorch writes it. */
  gelu(x: ValueName): ValueName {
    if (this.b.opset >= 20) return this.op("Gelu", [x]);
    const erf = this.op("Erf", [this.op("Div", [x, this.b.scalar(Math.SQRT2)])]);
    return this.op("Mul", [this.op("Mul", [x, this.op("Add", [erf, this.b.scalar(1)])]), this.b.scalar(0.5)]);
  }
  /** x.shape[axis] as PyTorch writes it for a length that may change. */
  length(x: ValueName, axis: number): ValueName {
    return unsqueeze(
      this.b,
      this.op("Gather", [this.op("Shape", [x]), this.b.scalar(axis, "int64")], { axis: int(0) }),
      [0],
    );
  }
  /** The lengths of axes start..end. */
  lengths(x: ValueName, start: number, end: number): ValueName {
    return slice(this.b, this.op("Shape", [x]), { starts: [start], ends: [end], axes: [0] });
  }
  /** Lists of integers, one after the other. */
  list(...parts: readonly (ValueName | readonly number[])[]): ValueName {
    const names = parts.map((part) => (typeof part === "string" ? part : this.b.ints(part)));
    return this.op("Concat", names, { axis: int(0) });
  }
  /** x.view(x.shape[0], ...rest) */
  view(x: ValueName, rest: readonly number[]): ValueName {
    return this.op("Reshape", [x, this.list(this.length(x, 0), rest)]);
  }
  transpose(x: ValueName, ...perm: readonly number[]): ValueName {
    return this.op("Transpose", [x], { perm: ints(perm) });
  }
  /** torch.roll by `by` along an axis. */
  roll(x: ValueName, by: number, axis: number): ValueName {
    const part = (start: number, end: number) => slice(this.b, x, { starts: [start], ends: [end], axes: [axis] });
    return this.op("Concat", [part(-by, 2 ** 31 - 1), part(0, -by)], { axis: int(axis) });
  }
  /** Images to logits by global average pooling. */
  head(x: ValueName, c: number): ValueName {
    return this.dense(this.op("Flatten", [this.op("GlobalAveragePool", [x])]), c, 4);
  }
  /** Multi-head attention over [..., tokens, c]; `adjust` changes the scores [..., heads, tokens, tokens]. */
  attention(x: ValueName, tokens: number, c: number, adjust = (scores: ValueName): ValueName => scores): ValueName {
    const [heads, width] = [2, c / 2];
    const qkv = this.view(this.dense(x, c, 3 * c), [tokens, 3, heads, width]);
    const [q, k, v] = split(this.b, this.transpose(qkv, 2, 0, 3, 1, 4), 0, [1, 1, 1]).map((part) =>
      this.op("Reshape", [part, this.b.ints([-1, heads, tokens, width])]),
    ) as [ValueName, ValueName, ValueName];
    const scaled = this.op("Mul", [q, this.b.scalar(width ** -0.5)]);
    const scores = this.op("MatMul", [scaled, this.transpose(k, 0, 1, 3, 2)]);
    const shares = this.op("Softmax", [adjust(scores)], { axis: int(-1) });
    return this.dense(this.view(this.transpose(this.op("MatMul", [shares, v]), 0, 2, 1, 3), [tokens, c]), c, c);
  }
  squeezeExcite(x: ValueName, c: number, gate: (v: ValueName) => ValueName): ValueName {
    const squeezed = this.op("Relu", [this.conv(this.op("GlobalAveragePool", [x]), c, 2, 1)]);
    return this.op("Mul", [x, gate(this.conv(squeezed, 2, c, 1))]);
  }
  swish(x: ValueName): ValueName {
    return this.op("Mul", [x, this.op("Sigmoid", [x])]);
  }
  /** nn.GroupNorm: one node from opset 21 on, before as PyTorch writes it. */
  groupNorm(x: ValueName, c: number, groups: number): ValueName {
    const [scale, shift] = [this.weights([c], 0.2, 1), this.weights([c], 0.2)];
    if (this.b.opset >= 21) return this.op("GroupNormalization", [x, scale, shift], { num_groups: int(groups) });
    const flat = this.op("Reshape", [x, this.b.ints([0, groups, -1])]);
    const [ones, zeros] = [this.weights([groups], 0, 1), this.weights([groups], 0)];
    const normed = this.op("InstanceNormalization", [flat, ones, zeros]);
    const back = this.op("Reshape", [normed, this.op("Shape", [x])]);
    const [wide, moved] = [scale, shift].map((v) => unsqueeze(this.b, v, [1, 2])) as [ValueName, ValueName];
    return this.op("Add", [this.op("Mul", [back, wide]), moved]);
  }
  /** F.scaled_dot_product_attention, its scale computed from the width of the queries. */
  scaledDotProduct(q: ValueName, k: ValueName, v: ValueName): ValueName {
    const width = this.op("Cast", [this.lengths(q, -1, 2 ** 31 - 1)], { to: int(1) });
    const root = this.op("Sqrt", [this.op("Div", [this.b.scalar(1), this.op("Sqrt", [width])])]);
    const keys = this.op("Mul", [this.transpose(k, 0, 1, 3, 2), root]);
    const shares = this.op("Softmax", [this.op("MatMul", [this.op("Mul", [q, root]), keys])], { axis: int(-1) });
    return this.op("MatMul", [shares, v]);
  }
}
