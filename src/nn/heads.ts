/** @file Classifier heads: layers from a feature to logits. Early exits use them, and so do the
 *  final classifiers of the architectures. The rank of the feature tells what a head reads: an
 *  image, tokens, or a flat vector. A head's parameters are named after its scope
 *  (`exit0.weight`). So is its output (`exit0`), unless `output` gives another name. Source:
 *  Kaya et al., "Shallow-deep networks", ICML 2019, section 4 (`sdn`). */
import { DynnError } from "../core/errors.js";
import { type Dims, showShape } from "../core/shape.js";
import { int, ints } from "../graph/attributes.js";
import type { ValueName } from "../graph/graph.js";
import { filled } from "./init.js";
import { type Feature, flatten, globalPool, linear, node, parameter, pool, type Scope } from "./layers.js";

export type Head = (at: Scope, x: Feature, classes: number, output?: string) => ValueName;

/** A kind of feature. The number of sizes besides the batch identifies it. */
interface Kind {
  readonly rank: number;
  readonly what: string;
}
const IMAGE: Kind = { rank: 3, what: "an image [n,channels,height,width]" };
const TOKENS: Kind = { rank: 2, what: "tokens [n,tokens,channels]" };
const FLAT: Kind = { rank: 1, what: "a vector [n,features]" };

/** The smallest side that `sdn` pools to. */
const POOLED_SIDE = 4;

/** Max and average pooling over windows of floor(side / 4), mixed by a learned scalar that
 * starts at 0.5: mix * max + (1 - mix) * average. */
function mixedPool(at: Scope, x: Feature): Feature {
  const [, height, width] = x.dims as [number, number, number];
  const kernel = [Math.floor(height / POOLED_SIDE), Math.floor(width / POOLED_SIDE)] as const;
  const max = pool(at, "max", "MaxPool", x, kernel);
  const average = pool(at, "average", "AveragePool", x, kernel);
  const mix = parameter(at, "mix", [], filled(0.5));
  const above = node(at, "above", "Sub", [max.value, average.value], max.dims);
  const mixed = node(at, "mixed", "Mul", [above.value, mix], max.dims);
  return node(at, "pooled", "Add", [average.value, mixed.value], max.dims);
}

/** Internal classifier of Kaya et al.: [c,h,w] -> mixed pooling when both sides are at least 4,
 * flatten, linear. Sides from 4 to 7 stay unpooled: their window would be one pixel, which the
 * mix does not change. */
const sdn: Head = (at, x, classes, output = at.path) => {
  const [, height, width] = sizesOf(x, "sdn", IMAGE) as [number, number, number];
  const pooled = Math.min(height, width) >= POOLED_SIDE && Math.max(height, width) >= 2 * POOLED_SIDE;
  return linear(at, output, flatten(at, "flat", pooled ? mixedPool(at, x) : x), classes).value;
};

/** Mean over the image, then a linear layer: [c,h,w] -> [classes]. */
const poolLinear: Head = (at, x, classes, output = at.path) => {
  sizesOf(x, "pool-linear", IMAGE);
  return linear(at, output, flatten(at, "flat", globalPool(at, "pooled", x)), classes).value;
};

/** Mean over the tokens, then a linear layer: [t,c] -> [classes]. */
const meanLinear: Head = (at, x, classes, output = at.path) => {
  const [, channels] = sizesOf(x, "mean-linear", TOKENS) as [number, number];
  // From opset 18 on the axes are an input, before it they are an attribute.
  const [axes, attributes] = at.b.opset >= 18 ? [[at.b.ints([1])], {}] : [[], { axes: ints([1]) }];
  const mean = node(at, "mean", "ReduceMean", [x.value, ...axes], [channels], { ...attributes, keepdims: int(0) });
  return linear(at, output, mean, classes).value;
};

/** The first token (the class token of a vision transformer), then a linear layer: [t,c] ->
 * [classes]. */
const tokenLinear: Head = (at, x, classes, output = at.path) => {
  const [, channels] = sizesOf(x, "token-linear", TOKENS) as [number, number];
  const first = at.b.constant({ dtype: "int64", dims: [], data: BigInt64Array.of(0n) });
  const token = node(at, "token", "Gather", [x.value, first], [channels], { axis: int(1) });
  return linear(at, output, token, classes).value;
};

/** A linear layer: [features] -> [classes]. */
const plain: Head = (at, x, classes, output = at.path) => {
  sizesOf(x, "linear", FLAT);
  return linear(at, output, x, classes).value;
};

export const HEADS = {
  sdn: {
    about: "mixed max and average pooling to about 4 x 4, then linear (Kaya et al. 2019)",
    reads: IMAGE,
    head: sdn,
  },
  "pool-linear": { about: "mean over the image, then linear", reads: IMAGE, head: poolLinear },
  "mean-linear": { about: "mean over the tokens, then linear", reads: TOKENS, head: meanLinear },
  "token-linear": { about: "the class token, then linear", reads: TOKENS, head: tokenLinear },
  linear: { about: "a linear layer on a flat feature", reads: FLAT, head: plain },
} as const satisfies Record<string, { readonly about: string; readonly reads: Kind; readonly head: Head }>;

export type HeadName = keyof typeof HEADS;
export const HEAD_NAMES = Object.keys(HEADS) as readonly HeadName[];

/** The head for a feature of these sizes without the batch: the chosen head, or else the first in
 * the table that reads the feature.
 * @returns undefined when no head reads the feature, or the chosen one does not */
export const headFor = (dims: Dims, chosen?: HeadName): HeadName | undefined =>
  HEAD_NAMES.find((name) => HEADS[name].reads.rank === dims.length && (chosen ?? name) === name);

/** @throws DynnError 'exits/value' when the feature is of another kind */
function sizesOf(x: Feature, head: HeadName, { rank, what }: Kind): Dims {
  if (x.dims.length === rank) return x.dims;
  throw new DynnError(
    "exits/value",
    `head ${head}: "${x.value}" is ${showShape(["n", ...x.dims])}, expected ${what}. Choose another head (${HEAD_NAMES.join(", ")}) or another place.`,
    { value: x.value, head },
  );
}
