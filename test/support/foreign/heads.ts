/** @file Models whose outputs need a reading of their own: hidden probabilities, heads beside each other, other types and ranks. */
import { codeOf, Drawing, type ElementType, float } from "./drawing.js";
import type { ForeignModel } from "./model.js";

const IMAGE = [3, 8, 8] as const;
const BATCH = "n";

interface Body {
  readonly d: Drawing;
  /** Features [n,6]. */
  readonly features: string;
  readonly linear: (x: string, name: string, to?: number) => string;
}

/** A convolution, and outputs as given. */
function network(
  end: (body: Body) => void,
  dtype: ElementType = "float32",
  front = (_: Drawing, x: string): string => x,
): Uint8Array {
  const d = new Drawing({ opset: 13 });
  const x = front(d, d.input("image", [BATCH, 3, 8, 8], dtype));
  const computed = dtype === "uint8" || dtype === "int32" ? "float32" : dtype;
  const conv = d.op("Conv", [x, d.weight("conv", [6, 3, 3, 3], computed)]);
  const features = d.op("Flatten", [d.op("GlobalAveragePool", [d.op("Relu", [conv])])]);
  const linear = (from: string, name: string, to = 4) =>
    d.op("MatMul", [from, d.weight(`${name}.weight`, [6, to], computed)], {}, { output: name });
  end({ d, features, linear });
  return d.bytes();
}

/** An early exit before a second layer, and the final one; both after `end`. */
const exits = (end: (d: Drawing, logits: string, name: string) => string): Uint8Array =>
  network(({ d, features, linear }) => {
    const deeper = d.op("Relu", [
      d.op("MatMul", [d.op("MatMul", [features, d.weight("up", [6, 600])]), d.weight("down", [600, 6])]),
    ]);
    d.output(end(d, linear(features, "early.logits"), "early"), [BATCH, 4]);
    d.output(end(d, linear(deeper, "final.logits"), "final"), [BATCH, 4]);
  });

const written = (d: Drawing, logits: string, output: string): string => {
  const shifted = d.op(
    "Sub",
    [logits, d.op("ReduceMax", [logits], { axes: [1] }, { output: `${output}.max` })],
    {},
    { output: `${output}.shifted` },
  );
  const exp = d.op("Exp", [shifted], {}, { output: `${output}.exp` });
  const sum = d.op("ReduceSum", [exp, d.ints(`${output}.axes`, 1)], {}, { output: `${output}.sum` });
  return d.op("Div", [exp, sum], {}, { output });
};
const hidden = (d: Drawing, logits: string, output: string): string => {
  const softmax = d.op("Softmax", [logits], { axis: -1 }, { output: `${output}.softmax` });
  const wide = d.op("Reshape", [softmax, d.ints(`${output}.shape`, -1, 4, 1, 1)], {}, { output: `${output}.wide` });
  return d.op("Squeeze", [wide, d.ints(`${output}.axes`, 2, 3)], {}, { output });
};

/** The mean of three networks' probabilities. */
const ensemble = (): Uint8Array =>
  network(({ d, features, linear }) => {
    const shares = ["a", "b", "c"].map((name) =>
      d.op("Softmax", [linear(features, name)], { axis: 1 }, { output: `${name}.share` }),
    );
    d.output(d.op("Mean", shares, {}, { output: "average" }), [BATCH, 4]);
  });

const parallel = (...names: readonly string[]): Uint8Array =>
  network(({ d, features, linear }) => {
    for (const name of names) d.output(linear(features, name), [BATCH, 4]);
  });

/** Logits times 30, so that their softmax saturates. */
const saturated = (): Uint8Array =>
  network(({ d, features, linear }) => {
    const large = d.op("Mul", [linear(features, "logits"), d.constant("temperature", [], [30])]);
    d.output(d.op("Softmax", [large], { axis: 1 }, { output: "probs" }), [BATCH, 4]);
  });

const half = (): Uint8Array =>
  network(({ d, features, linear }) => d.output(linear(features, "logits"), [BATCH, 4], "float16"), "float16");

/** ONNX Runtime has no float64 convolution on a CPU: two products. */
function double(): Uint8Array {
  const d = new Drawing({ opset: 13 });
  const flat = d.op("Flatten", [d.input("image", [BATCH, 3, 8, 8], "float64")]);
  const hidden = d.op("Tanh", [d.op("MatMul", [flat, d.weight("a", [192, 8], "float64")])]);
  d.output(d.op("MatMul", [hidden, d.weight("b", [8, 4], "float64")], {}, { output: "logits" }), [BATCH, 4], "float64");
  return d.bytes();
}

/** A row or a plane of pixels. */
function ranked(dims: readonly number[]): Uint8Array {
  const d = new Drawing({ opset: 13 });
  const flat = d.op("Reshape", [d.input("pixels", [BATCH, ...dims]), d.ints("rows", -1, 64)]);
  d.output(
    d.op(
      "MatMul",
      [d.op("Relu", [d.op("MatMul", [flat, d.weight("a", [64, 8])])]), d.weight("b", [8, 4])],
      {},
      { output: "logits" },
    ),
    [BATCH, 4],
  );
  return d.bytes();
}

const shares = (d: Drawing, x: string): string =>
  d.op("Div", [d.op("Cast", [x], { to: codeOf("float32") }), d.constant("whole", [], [255])]);
const rounded = (d: Drawing, x: string): string =>
  d.op("Div", [d.op("Round", [d.op("Mul", [x, d.constant("levels", [], [15])])]), d.constant("back", [], [15])]);
const asLogits = ({ d, features, linear }: Body): void => d.output(linear(features, "logits"), [BATCH, 4]);

const both = (holds: "logits" | "probabilities") => ({ early: holds, final: holds });

export const HEADS: readonly ForeignModel[] = [
  {
    maker: "any",
    form: "exits whose Softmax lies behind Reshape and Squeeze",
    image: IMAGE,
    exits: both("probabilities"),
    bytes: () => exits(hidden),
  },
  {
    maker: "any",
    form: "exits whose softmax is written as Exp, ReduceSum and Div",
    image: IMAGE,
    exits: both("probabilities"),
    bytes: () => exits(written),
  },
  {
    maker: "any",
    form: "the mean of three heads' probabilities",
    image: IMAGE,
    exits: { average: "probabilities" },
    bytes: ensemble,
  },
  {
    maker: "any",
    form: "a head beside the classifier, which its name tells",
    image: IMAGE,
    exits: { logits: "logits" },
    bytes: () => parallel("logits", "dist_logits"),
  },
  {
    maker: "any",
    form: "two heads at one cost, names that tell nothing",
    code: "model/classifier",
    says: "task_a and task_b",
    bytes: () => parallel("task_a", "task_b"),
  },
  {
    maker: "any",
    form: "logits times 30 before the Softmax",
    image: IMAGE,
    exits: { probs: "probabilities" },
    bytes: saturated,
  },
  {
    maker: "any",
    form: "float16 throughout",
    image: IMAGE,
    feed: { dtype: "float16" },
    exits: { logits: "logits" },
    tolerance: 0.01,
    bytes: half,
  },
  {
    maker: "any",
    form: "float64 throughout",
    image: IMAGE,
    feed: { dtype: "float64" },
    exits: { logits: "logits" },
    bytes: double,
  },
  {
    maker: "any",
    form: "uint8 pixels, channels first",
    image: IMAGE,
    feed: { times: 255, dtype: "uint8" },
    exits: { logits: "logits" },
    bytes: () => network(asLogits, "uint8", shares),
  },
  {
    maker: "any",
    form: "int32 pixels",
    code: "model/input",
    says: "int32 pixels",
    bytes: () => network(asLogits, "int32", shares),
    exported: () => network(asLogits),
  },
  {
    maker: "any",
    form: "a flat row of pixels [n,64]",
    image: [1, 8, 8],
    feed: { dims: [64] },
    exits: { logits: "logits" },
    bytes: () => ranked([64]),
  },
  {
    maker: "any",
    form: "a plane of pixels [n,8,8]",
    image: [1, 8, 8],
    feed: { dims: [8, 8] },
    exits: { logits: "logits" },
    bytes: () => ranked([8, 8]),
  },
  {
    maker: "any",
    form: "pixels rounded to 16 levels inside",
    image: IMAGE,
    exits: { logits: "logits" },
    bytes: () => network(asLogits, "float32", rounded),
  },
  {
    maker: "any",
    form: "the largest class only: ArgMax",
    code: "model/classifier",
    says: "int64",
    bytes: () =>
      network(({ d, features, linear }) =>
        d.output(
          d.op("ArgMax", [linear(features, "logits")], { axis: 1, keepdims: 0 }, { output: "label" }),
          [BATCH],
          "int64",
        ),
      ),
    exported: () => network(asLogits),
  },
  {
    maker: "any",
    form: "leaky layers and a bias of its own",
    image: IMAGE,
    exits: { logits: "logits" },
    bytes: () =>
      network(({ d, features, linear }) =>
        d.output(linear(d.op("LeakyRelu", [features], { alpha: float(0.1) }), "logits"), [BATCH, 4]),
      ),
  },
];
