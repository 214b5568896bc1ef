/** @file Classifier heads: from a feature to logits. Used for early exits, and by the architectures for the final classifier.
 *  A head's parameters are named after its scope (`exit0.weight`), and so is its output (`exit0`), unless `output` says otherwise.
 *  Source: Kaya et al., "Shallow-deep networks", ICML 2019, section 4 (`sdn`). */
import { DynnError } from "../core/errors.js";
import { showShape } from "../core/shape.js";
import { int, ints } from "../graph/attributes.js";
import type { ValueName } from "../graph/graph.js";
import { filled } from "./init.js";
import { type Feature, flatten, globalPool, linear, node, parameter, pool, type Scope } from "./layers.js";

export type Head = (at: Scope, x: Feature, classes: number, output?: string) => ValueName;

/** Sides that `sdn` pools to, at least. */
const POOLED_SIDE = 4;

/** Windows of floor(side / 4), max and average mixed by a learned scalar (0.5 at first): mix * max + (1 - mix) * average. */
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

/** Internal classifier of Kaya et al.: [c,h,w] -> mixed pooling when both sides are at least 4, flatten, linear. A window of one
 *  pixel would change nothing whatever the mix, so sides from 4 to 7 are left as they are too. */
const sdn: Head = (at, x, classes, output = at.path) => {
  const [height, width] = imageOf(x, "sdn");
  const pooled = Math.min(height, width) >= POOLED_SIDE && Math.max(height, width) >= 2 * POOLED_SIDE;
  return linear(at, output, flatten(at, "flat", pooled ? mixedPool(at, x) : x), classes).value;
};

/** Mean over the image, then a linear layer: [c,h,w] -> [classes]. */
const poolLinear: Head = (at, x, classes, output = at.path) => {
  imageOf(x, "pool-linear");
  return linear(at, output, flatten(at, "flat", globalPool(at, "pooled", x)), classes).value;
};

/** Mean over the tokens, then a linear layer: [t,c] -> [classes]. */
const meanLinear: Head = (at, x, classes, output = at.path) => {
  const [, channels] = tokensOf(x, "mean-linear");
  const mean = node(at, "mean", "ReduceMean", [x.value], [channels], { axes: ints([1]), keepdims: int(0) });
  return linear(at, output, mean, classes).value;
};

/** The first token (the class token of a vision transformer), then a linear layer: [t,c] -> [classes]. */
const tokenLinear: Head = (at, x, classes, output = at.path) => {
  const [, channels] = tokensOf(x, "token-linear");
  const first = at.b.constant({ dtype: "int64", dims: [], data: BigInt64Array.of(0n) });
  const token = node(at, "token", "Gather", [x.value, first], [channels], { axis: int(1) });
  return linear(at, output, token, classes).value;
};

export const HEADS = {
  sdn: { about: "mixed max and average pooling to about 4 x 4, then linear (Kaya et al. 2019)", head: sdn },
  "pool-linear": { about: "mean over the image, then linear", head: poolLinear },
  "mean-linear": { about: "mean over the tokens, then linear", head: meanLinear },
  "token-linear": { about: "the class token, then linear", head: tokenLinear },
} as const satisfies Record<string, { readonly about: string; readonly head: Head }>;

export type HeadName = keyof typeof HEADS;

/** @throws DynnError 'model/cut' when the feature is no image */
function imageOf(x: Feature, head: string): readonly [number, number] {
  const [, height, width] = x.dims;
  if (x.dims.length === 3 && height !== undefined && width !== undefined) return [height, width];
  throw unreadable(x, head, "an image [n,channels,height,width]");
}

/** @throws DynnError 'model/cut' when the feature is no list of tokens */
function tokensOf(x: Feature, head: string): readonly [number, number] {
  const [tokens, channels] = x.dims;
  if (x.dims.length === 2 && tokens !== undefined && channels !== undefined) return [tokens, channels];
  throw unreadable(x, head, "tokens [n,tokens,channels]");
}

const unreadable = (x: Feature, head: string, wanted: string): DynnError =>
  new DynnError(
    "model/cut",
    `head ${head}: "${x.value}" is ${showShape(["n", ...x.dims])}, expected ${wanted}. Choose another head (${Object.keys(HEADS).join(", ")}) or another place.`,
    { value: x.value, head },
  );
