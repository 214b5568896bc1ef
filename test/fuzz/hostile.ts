/** @file Hostile models by name: what each asks for, and how it must be refused (or that it must not be). The small ones are kept as files in
 *  test/fixtures/hostile, made by scripts/make-hostile.mjs. */
import { fromNumbers, int64s, type Tensor } from "../../src/core/tensor.js";
import { type Attributes, int, ints, string } from "../../src/graph/attributes.js";
import { GraphBuilder } from "../../src/graph/builder.js";
import { emptyGraph } from "../../src/graph/op.js";
import { TensorProto_DataLocation } from "../../src/onnx/generated/onnx_pb.js";
import { writeModel } from "../../src/onnx/write.js";
import {
  type GraphInit,
  Kind,
  modelBytes,
  type NodeInit,
  relu,
  type TensorInit,
  Type,
  value,
  withTensor,
} from "../onnx/protos.js";

export interface Hostile {
  readonly name: string;
  readonly about: string;
  /** The first stage of probe.ts that does not accept it, with its code; or "ok". `load` stands for loading by path. */
  readonly expected: string;
  readonly bytes: Uint8Array;
}

const HUGE = 2 ** 31 - 1;

/** x [n,4,8,8] through `body`. */
function graphOf(body: (b: GraphBuilder, x: string) => string, channels = 4): Uint8Array {
  const b = new GraphBuilder(emptyGraph("hostile", 17));
  const x = b.input("x", "float32", ["n", channels, 8, 8]);
  b.output(body(b, x), "float32", undefined);
  return writeModel({ graph: b.build() });
}

/** x through one operator with constants as its other inputs ("" leaves one out). */
const one = (op: string, constants: readonly (Tensor | "")[], attributes: Attributes = {}): Uint8Array =>
  graphOf((b, x) => b.op(op, [x, ...constants.map((c) => (c === "" ? "" : b.constant(c)))], attributes));

const floats = (...values: number[]): Tensor => fromNumbers("float32", [values.length], values);
const integer = (v: number): Tensor => fromNumbers("int64", [], [v]);

/** x + an operator's result on constants alone. */
const constant = (op: string, constants: readonly Tensor[]): Uint8Array =>
  graphOf((b, x) =>
    b.op("Add", [
      x,
      b.op(
        op,
        constants.map((c) => b.constant(c)),
      ),
    ]),
  );

const external = (location: string): Uint8Array =>
  withTensor({
    dataType: Type.FLOAT,
    dims: [2n],
    dataLocation: TensorProto_DataLocation.EXTERNAL,
    externalData: [{ key: "location", value: location }],
  });

/** If in If in If. */
function nested(depth: number): Uint8Array {
  let graph: GraphInit = { name: "inner", node: [relu], output: [value("y", ["n", 2n])] };
  for (let i = 0; i < depth; i++) {
    const attribute = [{ name: "then_branch", type: Kind.GRAPH, g: graph }];
    graph = { ...graph, node: [{ opType: "If", input: ["x"], output: ["y"], attribute }] };
  }
  return modelBytes({ node: graph.node ?? [] });
}

const node = (opType: string, input: readonly string[], output: string): NodeInit => ({
  opType,
  input: [...input],
  output: [output],
});

/** y = op(...op(op(x, x), op(x, x))...), forty deep. */
const squared = (op: string, first: string): Uint8Array =>
  modelBytes({
    input: [value("x", ["n", "m"])],
    node: [
      node("Shape", ["x"], "shape"),
      ...Array.from({ length: 40 }, (_, i) => node(op, new Array(2).fill(i === 0 ? first : `s${i - 1}`), `s${i}`)),
      node("Relu", ["x"], "y"),
    ],
  });

const scalar = (name: string): TensorInit => ({ name, dataType: Type.FLOAT, dims: [1n], floatData: [1] });

const READING: readonly Hostile[] = [
  {
    name: "huge-constant",
    about: "a constant of 2^62 elements without data",
    expected: "read model/limit",
    bytes: withTensor({ dataType: Type.FLOAT, dims: [BigInt(HUGE), BigInt(HUGE)] }),
  },
  {
    name: "hollow-constant",
    about: "a constant without elements whose other axes are endless",
    expected: "read model/limit",
    bytes: withTensor({ dataType: Type.FLOAT, dims: [0n, BigInt(HUGE), BigInt(HUGE)] }),
  },
  {
    name: "negative-length",
    about: "a constant with a negative length",
    expected: "read model/tensor",
    bytes: withTensor({ dataType: Type.FLOAT, dims: [-1n] }),
  },
  {
    name: "length-beyond-2-53",
    about: "a length that no JavaScript number holds",
    expected: "read model/limit",
    bytes: withTensor({ dataType: Type.FLOAT, dims: [2n ** 63n - 1n] }),
  },
  {
    name: "many-axes",
    about: "a constant of 3000 axes",
    expected: "read model/limit",
    bytes: withTensor({ dataType: Type.FLOAT, dims: new Array(3000).fill(1n), floatData: [1] }),
  },
  {
    name: "short-data",
    about: "a constant with fewer bytes than its shape takes",
    expected: "read model/tensor",
    bytes: withTensor({ dataType: Type.FLOAT, dims: [4n], rawData: new Uint8Array(12) }),
  },
  {
    name: "cycle",
    about: "two nodes that read each other",
    expected: "read model/cycle",
    bytes: modelBytes({ node: [node("Add", ["x", "b"], "a"), node("Relu", ["a"], "b"), node("Relu", ["a"], "y")] }),
  },
  {
    name: "self-cycle",
    about: "a node that reads its own output",
    expected: "read model/cycle",
    bytes: modelBytes({ node: [node("Add", ["x", "y"], "y")] }),
  },
  {
    name: "two-makers",
    about: "two nodes that make one value",
    expected: "read model/duplicate",
    bytes: modelBytes({ node: [relu, relu] }),
  },
  {
    name: "dangling-input",
    about: "a node that reads what nothing makes",
    expected: "read model/dangling",
    bytes: modelBytes({ node: [node("Add", ["x", "nothing"], "y")] }),
  },
  {
    name: "dangling-output",
    about: "an output that nothing makes",
    expected: "read model/dangling",
    bytes: modelBytes({ output: [value("nothing", ["n", 2n])] }),
  },
  { name: "deep-graphs", about: "sub-graphs 20 deep", expected: "read model/limit", bytes: nested(20) },
  { name: "deep-messages", about: "messages 120 deep", expected: "read model/limit", bytes: nested(40) },
  {
    name: "long-name",
    about: "a name of 5000 characters",
    expected: "read model/limit",
    bytes: modelBytes({ node: [node("Relu", ["x"], "z".repeat(5000)), node("Relu", ["x"], "y")] }),
  },
  {
    name: "ring",
    about: "a ring of a hundred nodes",
    expected: "read model/cycle",
    bytes: modelBytes({
      node: [
        ...Array.from({ length: 100 }, (_, i) => node("Add", [i === 0 ? "r99" : `r${i - 1}`, "x"], `r${i}`)),
        node("Relu", ["x"], "y"),
      ],
    }),
  },
  {
    name: "two-inputs-of-one-name",
    about: "two inputs that share a name",
    expected: "read model/duplicate",
    bytes: modelBytes({ input: [value("x", ["n", 2n]), value("x", ["n", 2n])] }),
  },
  {
    name: "two-constants-of-one-name",
    about: "two constants that share a name",
    expected: "read model/duplicate",
    bytes: modelBytes({ initializer: [0, 1].map((v) => ({ ...scalar("w"), floatData: [v] })) }),
  },
  {
    name: "constant-overwritten",
    about: "a node that makes a value of a constant's name",
    expected: "read model/duplicate",
    bytes: modelBytes({ initializer: [scalar("y")] }),
  },
  {
    name: "attribute-twice",
    about: "an attribute that is there twice",
    expected: "read model/attribute",
    bytes: modelBytes({
      node: [{ ...relu, attribute: [0n, 1n].map((i) => ({ name: "axis", type: Kind.INT, i })) }],
    }),
  },
  {
    name: "function-doubling",
    about: "forty functions, each of which calls the one before twice: 2^40 nodes when they are inlined",
    expected: "read model/op",
    bytes: modelBytes(
      { node: [{ ...node("f39", ["x"], "y"), domain: "own" }] },
      {
        opsetImport: ["", "own"].map((domain) => ({ domain, version: 17n })),
        functions: Array.from({ length: 40 }, (_, i) => ({
          name: `f${i}`,
          domain: "own",
          input: ["x"],
          output: ["y"],
          node: [0, 1].map((k) => ({
            ...node(i === 0 ? "Relu" : `f${i - 1}`, [k === 0 ? "x" : "h"], k === 0 ? "h" : "y"),
            domain: i === 0 ? "" : "own",
          })),
        })),
      },
    ),
  },
  {
    name: "sparse-constant",
    about: "a sparse constant of 2^62 elements, of which one is given",
    expected: "read model/tensor",
    bytes: modelBytes({
      sparseInitializer: [
        {
          values: scalar("w"),
          indices: { name: "i", dataType: Type.INT64, dims: [1n], int64Data: [0n] },
          dims: [BigInt(HUGE), BigInt(HUGE)],
        },
      ],
    }),
  },
  {
    name: "overlapping-external-data",
    about: "six tensors that each take the whole data file",
    expected: "read model/limit",
    bytes: modelBytes({
      initializer: Array.from({ length: 6 }, (_, i) => ({
        name: `w${i}`,
        dataType: Type.FLOAT,
        dims: [16n],
        dataLocation: TensorProto_DataLocation.EXTERNAL,
        externalData: [{ key: "location", value: "w.bin" }],
      })),
    }),
  },
];

const LOADING: readonly Hostile[] = [
  ["external-parent", "../w.bin"],
  ["external-nested-parent", "a/../../w.bin"],
  ["external-absolute", "/etc/hostname"],
  ["external-device", "/dev/zero"],
  ["external-drive", "C:\\w.bin"],
  ["external-nul", "w.bin\u0000"],
  ["external-folder", "."],
  ["external-nothing", ""],
].map(([name, location]) => ({
  name: name,
  about: `external data at ${JSON.stringify(location)}`,
  expected: "load model/external",
  bytes: external(location),
}));

/** A node with sub-graphs that read x from outside. */
function withSubgraph(opType: string, attributes: readonly string[]): Uint8Array {
  const g: GraphInit = { name: "inner", node: [node("Relu", ["x"], "z")], output: [value("z", ["n", 2n])] };
  const attribute = attributes.map((name) => ({ name, type: Kind.GRAPH, g }));
  return modelBytes({ node: [{ ...node(opType, ["", ""], "y"), attribute }] });
}

const INFERRING: readonly Hostile[] = [
  {
    name: "constant-of-shape",
    about: "ConstantOfShape of 2^62 elements",
    expected: "infer model/limit",
    bytes: constant("ConstantOfShape", [int64s([HUGE, HUGE])]),
  },
  {
    name: "expand",
    about: "Expand of one number to 2^40",
    expected: "infer model/limit",
    bytes: constant("Expand", [floats(1), int64s([2 ** 20, 2 ** 20])]),
  },
  {
    name: "expand-integers",
    about: "Expand of an integer constant, which inference follows by value, to 2^31",
    expected: "infer model/limit",
    bytes: constant("Expand", [int64s([1]), int64s([2 ** 30])]),
  },
  {
    name: "tile",
    about: "Tile by 2^40",
    expected: "infer model/limit",
    bytes: constant("Tile", [floats(1), int64s([2 ** 40])]),
  },
  {
    name: "range",
    about: "Range of 2^40 numbers",
    expected: "infer model/limit",
    bytes: constant("Range", [integer(0), integer(2 ** 40), integer(1)]),
  },
  {
    name: "pad",
    about: "Pad by 2^40",
    expected: "infer model/limit",
    bytes: one("Pad", [int64s([0, 0, 2 ** 40, 0, 0, 0, 0, 0])]),
  },
  {
    name: "resize",
    about: "Resize by a billion",
    expected: "infer model/limit",
    bytes: one("Resize", ["", floats(1, 1, 1e9, 1e9)]),
  },
  {
    name: "resize-nan",
    about: "Resize by NaN",
    expected: "infer shape/mismatch",
    bytes: one("Resize", ["", floats(1, 1, Number.NaN, 1)]),
  },
  {
    name: "resize-negative",
    about: "Resize by -1",
    expected: "infer shape/mismatch",
    bytes: one("Resize", ["", floats(1, 1, -1, 1)]),
  },
  {
    name: "one-hot",
    about: "OneHot of depth 2^40",
    expected: "infer model/limit",
    bytes: constant("OneHot", [int64s([0]), integer(2 ** 40), floats(0, 1)]),
  },
  {
    name: "constant-chain",
    about: "a hundred constants of 64 MiB, each computed from the one before",
    expected: "infer model/limit",
    bytes: graphOf((b, x) => {
      let at = b.op("Expand", [b.constant(floats(1)), b.ints([2 ** 24])]);
      for (let i = 0; i < 100; i++) at = b.op("Neg", [at]);
      return b.op("Add", [x, b.op("ReduceSum", [at])]);
    }),
  },
  {
    name: "constant-product",
    about: "a product of constants that takes 2^37 multiply-accumulates",
    expected: "infer model/limit",
    bytes: graphOf((b, x) => {
      const wide = b.op("Expand", [b.constant(floats(1)), b.ints([2 ** 12, 2 ** 12])]);
      const product = b.op("MatMul", [wide, wide]);
      return b.op("Add", [x, b.op("ReduceSum", [b.op("MatMul", [product, wide])])]);
    }),
  },
  {
    name: "pool-window",
    about: "a pool whose window has 2^60 taps",
    expected: "infer model/limit",
    bytes: one("AveragePool", [], { kernel_shape: ints([2 ** 30, 2 ** 30]), pads: ints(new Array(4).fill(2 ** 30)) }),
  },
  {
    name: "pool-pads",
    about: "a pool of endless pads around a small window",
    expected: "infer shape/mismatch",
    bytes: one("AveragePool", [], { kernel_shape: ints([2, 2]), pads: ints([1, 1, 2 ** 24, 1]) }),
  },
  {
    name: "rank-doubling",
    about: "Gather of a tensor by itself, forty times: 2^40 axes",
    expected: "infer model/limit",
    bytes: graphOf((b, x) => {
      let at = b.constant(fromNumbers("int64", [2, 1], [0, 0]));
      for (let i = 0; i < 40; i++) at = b.op("Gather", [at, at], { axis: int(0) });
      return b.op("Add", [x, b.op("Cast", [at], { to: int(1) })]);
    }),
  },
  {
    name: "loop",
    about: "a Loop of 2^62 rounds",
    expected: "infer model/op",
    bytes: modelBytes({ node: [node("Loop", ["x"], "y")] }),
  },
  {
    name: "if",
    about: "an If with two branches that read a value from outside",
    expected: "infer model/op",
    bytes: withSubgraph("If", ["then_branch", "else_branch"]),
  },
  {
    name: "endless-loop",
    about: "a Loop with a body and no limit on its rounds",
    expected: "infer model/op",
    bytes: withSubgraph("Loop", ["body"]),
  },
  {
    name: "scan",
    about: "a Scan with a body",
    expected: "infer model/op",
    bytes: withSubgraph("Scan", ["body"]),
  },
  {
    name: "negative-shape",
    about: "ConstantOfShape of a negative length",
    expected: "infer shape/mismatch",
    bytes: constant("ConstantOfShape", [int64s([-1])]),
  },
  {
    name: "endless-range",
    about: "a Range whose step is 0",
    expected: "infer shape/mismatch",
    bytes: constant("Range", [integer(0), integer(1), integer(0)]),
  },
  {
    name: "blocks-to-nothing",
    about: "SpaceToDepth in blocks of 0",
    expected: "infer shape/mismatch",
    bytes: one("SpaceToDepth", [], { blocksize: int(0) }),
  },
  {
    name: "tile-chain",
    about: "Tile of a Tile, ten times by 1000 each",
    expected: "infer model/limit",
    bytes: graphOf((b, x) => {
      let at = b.constant(floats(1));
      for (let i = 0; i < 10; i++) at = b.op("Tile", [at, b.ints([1000])]);
      return b.op("Add", [x, at]);
    }),
  },
  {
    name: "expanded-images",
    about: "Expand of the images by another axis of 2^30",
    expected: "infer model/limit",
    bytes: one("Expand", [int64s([2 ** 30, 1, 1, 1, 1])]),
  },
  {
    name: "name-doubling",
    about: "the square of a named length, forty times: a name of 2^40 characters",
    expected: "dynamic model/input",
    bytes: squared("Mul", "shape"),
  },
  {
    name: "value-doubling",
    about: "a list joined with itself, forty times: 2^41 elements",
    expected: "infer model/limit",
    bytes: modelBytes({
      node: [
        node("Shape", ["x"], "s0"),
        ...Array.from({ length: 40 }, (_, i) => ({
          ...node("Concat", [`s${i}`, `s${i}`], `s${i + 1}`),
          attribute: [{ name: "axis", type: Kind.INT, i: 0n }],
        })),
        node("Relu", ["x"], "y"),
      ],
    }),
  },
  {
    name: "prototype-names",
    about: "names that every JavaScript object seems to have",
    expected: "dynamic model/input",
    bytes: modelBytes({
      input: [value("__proto__", ["constructor", "toString"])],
      node: [node("Relu", ["__proto__"], "y")],
      output: [value("y", undefined)],
    }),
  },
];

/** y = one operator on int64 constants alone, which ONNX Runtime computes when it loads the graph. */
const onIntegers = (opType: string, a: bigint, b: bigint): Uint8Array => {
  const integers = (name: string, v: bigint) => ({ name, dataType: Type.INT64, dims: [1n], int64Data: [v] });
  return modelBytes({
    initializer: [integers("a", a), integers("b", b)],
    node: [node(opType, ["a", "b"], "y"), node("Relu", ["x"], "z")],
    output: [value("y", [1n], Type.INT64), value("z", ["n", 2n])],
  });
};

const withoutGroups = (opType: string): Uint8Array =>
  modelBytes({
    input: [value("x", ["n", "c", 8n, 8n])],
    initializer: [{ name: "w", dataType: Type.FLOAT, dims: [4n, 1n, 3n, 3n], rawData: new Uint8Array(144) }],
    node: [{ ...node(opType, ["x", "w"], "y"), attribute: [{ name: "group", type: Kind.INT, i: 0n }] }],
    output: [value("y", undefined)],
  });

/** What ended the process inside ONNX Runtime. */
const CRASHING: readonly Hostile[] = [
  {
    name: "integer-overflow-div",
    about: "the smallest integer divided by -1",
    expected: "infer model/limit",
    bytes: onIntegers("Div", -(2n ** 63n), -1n),
  },
  {
    name: "integer-overflow-mod",
    about: "the remainder of the smallest integer and -1",
    expected: "infer model/limit",
    bytes: onIntegers("Mod", -(2n ** 63n), -1n),
  },
  {
    name: "integer-by-zero",
    about: "an integer divided by 0",
    expected: "gradient session sum runtime/load",
    bytes: onIntegers("Div", 1n, 0n),
  },
  {
    name: "one-hot-without-depth",
    about: "a OneHot whose depth is an empty list",
    expected: "infer shape/mismatch",
    bytes: one("OneHot", [int64s([]), floats(0, 1)]),
  },
  {
    name: "conv-without-groups",
    about: "a Conv of 0 groups",
    expected: "infer shape/mismatch",
    bytes: withoutGroups("Conv"),
  },
  {
    name: "conv-transpose-without-groups",
    about: "a ConvTranspose of 0 groups",
    expected: "infer shape/mismatch",
    bytes: withoutGroups("ConvTranspose"),
  },
];

const DIFFERENTIATING: readonly Hostile[] = [
  {
    name: "reflect-matrix",
    about: "a reflecting Pad whose gradient needs a matrix of 2^33 elements",
    expected: "dynamic model/classifier, gradient sum model/limit",
    bytes: one("Pad", [int64s([0, 0, 2 ** 24, 0, 0, 0, 0, 0])], { mode: string("wrap") }),
  },
  {
    name: "pool-border",
    about: "a pool whose windows all count different elements: its gradient needs a constant as large as its output",
    expected: "dynamic model/classifier, gradient sum model/limit",
    bytes: graphOf(
      (b, x) => b.op("AveragePool", [x], { kernel_shape: ints([4096, 4096]), pads: ints(new Array(4).fill(4095)) }),
      1,
    ),
  },
  {
    name: "resize-matrix",
    about: "a Resize whose gradient needs a matrix of 2^26 elements",
    expected: "dynamic model/classifier, gradient sum model/limit",
    bytes: one("Resize", ["", floats(1, 1, 2 ** 20, 1)]),
  },
];

/** Kept as files. */
export const HOSTILE: readonly Hostile[] = [...READING, ...LOADING, ...INFERRING, ...CRASHING, ...DIFFERENTIATING];
