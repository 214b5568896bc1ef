/** @file From a valid model to a hostile one: edits of its bytes, and edits of its messages. A case is a function of (seed, index). */
import { clone, create, fromBinary, toBinary } from "@bufbuild/protobuf";
import {
  AttributeProtoSchema,
  type GraphProto,
  GraphProtoSchema,
  AttributeProto_AttributeType as Kind,
  type ModelProto,
  ModelProtoSchema,
  type NodeProto,
  NodeProtoSchema,
  type TensorProto,
  TensorProtoSchema,
  TensorProto_DataType as Type,
  ValueInfoProtoSchema,
} from "../../src/onnx/generated/onnx_pb.js";
import { writeModel } from "../../src/onnx/write.js";
import { OPS } from "../../src/ops/index.js";
import { value } from "../onnx/protos.js";
import { FAMILIES } from "../support/families.js";
import { FOREIGN_MODELS } from "../support/foreign/index.js";
import { besideModel, LOCATIONS } from "./beside.js";
import { Dice } from "./dice.js";
import { HOSTILE } from "./hostile.js";
import { operatorModel } from "./operators.js";
import { SEEDS } from "./seeds.js";

export interface Case {
  readonly bytes: Uint8Array;
  readonly way: "one operator" | "bytes edited" | "messages edited" | "exporter's form edited" | "data beside" | "file";
  /** To be loaded by path; whether it names data outside its folder. */
  readonly escapes?: boolean;
  /** What was done, in words. */
  readonly edits: readonly string[];
}

/** Names that a careless table takes for something else. */
const ODD_NAMES = [
  "",
  "__proto__",
  "constructor",
  "toString",
  "4*n",
  "n*n",
  "*",
  "-1",
  "unknown_1",
  "x".repeat(5000),
  "n\u0000\u001b[2J",
];
const STRINGS = [
  "",
  "NOTSET",
  "VALID",
  "SAME_UPPER",
  "SAME_LOWER",
  "linear",
  "nearest",
  "cubic",
  "reflect",
  "edge",
  "wrap",
  "asymmetric",
  "align_corners",
  "tf_crop_and_resize",
  "floor",
  "add",
  "mul",
  "none",
  "CRD",
  "ij,jk->ik",
  "constructor",
  "\u0000",
];
const OP_TYPES = [...Object.keys(OPS), "If", "Loop", "Scan", "Constant", "Einsum", "NoSuchOp", "constructor", ""];

/** The largest input that edits make, in bytes. */
const LARGEST = 1 << 18;

// ---- edits of bytes

type ByteEdit = (bytes: Uint8Array, dice: Dice) => Uint8Array;

const joined = (...parts: readonly Uint8Array[]): Uint8Array => new Uint8Array(Buffer.concat(parts));

const withByte = (bytes: Uint8Array, at: number, to: (byte: number) => number): Uint8Array => {
  const copy = bytes.slice();
  if (at < copy.length) copy[at] = to(copy[at]);
  return copy;
};

/** A stretch of the bytes. */
const stretch = (bytes: Uint8Array, dice: Dice, longest = 200): Uint8Array => {
  const start = dice.below(bytes.length);
  return bytes.subarray(start, start + 1 + dice.below(longest));
};

function varint(n: bigint): Uint8Array {
  const out: number[] = [];
  let rest = BigInt.asUintN(64, n);
  do {
    out.push(Number(rest & 0x7fn) | (rest > 0x7fn ? 0x80 : 0));
    rest >>= 7n;
  } while (rest > 0n);
  return Uint8Array.from(out);
}

const BYTE_EDITS: Readonly<Record<string, ByteEdit>> = {
  "flip a bit": (b, d) => withByte(b, d.below(b.length), (v) => v ^ (1 << d.below(8))),
  "set a byte": (b, d) => withByte(b, d.below(b.length), () => d.pick([0, 1, 0x7f, 0x80, 0xff])),
  "a length one off": (b, d) => withByte(b, d.below(b.length), (v) => v + (d.chance(0.5) ? 1 : -1)),
  "cut off": (b, d) => b.slice(0, d.below(b.length)),
  "take out": (b, d) => {
    const at = d.below(b.length);
    return joined(b.subarray(0, at), b.subarray(at + 1 + d.below(64)));
  },
  "put in a varint": (b, d) => {
    const at = d.below(b.length);
    return joined(b.subarray(0, at), varint(d.int()), b.subarray(at + d.below(3)));
  },
  "put in an endless varint": (b, d) => {
    const at = d.below(b.length);
    return joined(b.subarray(0, at), new Uint8Array(11).fill(0xff), b.subarray(at));
  },
  "put in a piece of another": (b, d) => {
    const at = d.below(b.length);
    return joined(b.subarray(0, at), stretch(d.pick(SEEDS), d), b.subarray(at));
  },
  "repeat a piece": (b, d) => {
    const piece = stretch(b, d, 40);
    const times = Math.min(d.pick([2, 10, 1000]), Math.floor(LARGEST / piece.length));
    return joined(b, ...new Array<Uint8Array>(times).fill(piece));
  },
};

// ---- edits of messages

type ModelEdit = (model: ModelProto, dice: Dice) => void;

/** The graph to edit: mostly the model's own, now and then one inside a node. */
function graphOf(model: ModelProto, dice: Dice): GraphProto {
  model.graph ??= create(GraphProtoSchema);
  const inner = model.graph.node.flatMap((node) => node.attribute.flatMap((a) => (a.g ? [a.g] : [])));
  return (dice.chance(0.3) ? dice.maybe(inner) : undefined) ?? model.graph;
}

const nodeOf = (model: ModelProto, dice: Dice): NodeProto =>
  dice.maybe(graphOf(model, dice).node) ?? create(NodeProtoSchema);

const tensorOf = (model: ModelProto, dice: Dice): TensorProto => {
  const graph = graphOf(model, dice);
  const inNodes = graph.node.flatMap((node) => node.attribute.flatMap((a) => (a.t ? [a.t] : [])));
  return dice.maybe([...graph.initializer, ...inNodes]) ?? create(TensorProtoSchema);
};

const names = (graph: GraphProto): string[] => [
  ...graph.input.map((i) => i.name),
  ...graph.initializer.map((t) => t.name),
  ...graph.node.flatMap((node) => node.output),
];

const setAt = <T>(list: T[], at: number, to: T): void => {
  if (at < list.length) list[at] = to;
};

/** An int64 tensor written with raw data: one element becomes another. */
function editElement(tensor: TensorProto, dice: Dice): void {
  const raw = tensor.rawData.slice();
  const view = new DataView(raw.buffer);
  const is64 = tensor.dataType === Type.INT64;
  const size = is64 ? 8 : 4;
  const at = dice.below(Math.floor(raw.length / size)) * size;
  if (raw.length < size) return;
  if (is64) view.setBigInt64(at, dice.int(), true);
  else view.setFloat32(at, dice.float(), true);
  tensor.rawData = raw;
}

/** The axes, shapes, pads, repeats: integer constants decide how large results are. */
const integerTensor = (model: ModelProto, dice: Dice): TensorProto =>
  dice.maybe(model.graph?.initializer.filter((t) => t.dataType === Type.INT64) ?? []) ?? tensorOf(model, dice);

const MODEL_EDITS: Readonly<Record<string, ModelEdit>> = {
  "an integer constant's element": (m, d) => editElement(integerTensor(m, d), d),
  "two integer constants' elements": (m, d) => {
    editElement(integerTensor(m, d), d);
    editElement(integerTensor(m, d), d);
  },
  "a constant's element": (m, d) => editElement(tensorOf(m, d), d),
  "a constant's dimension": (m, d) => {
    const { dims } = tensorOf(m, d);
    setAt(dims, d.below(dims.length), d.int());
  },
  "a constant's rank": (m, d) => {
    const t = tensorOf(m, d);
    t.dims = Array.from({ length: d.pick([0, 1, 2, 7, 65, 3000]) }, () => (d.chance(0.9) ? 1n : d.int()));
  },
  "a constant without data": (m, d) => {
    const t = tensorOf(m, d);
    t.rawData = t.rawData.slice(0, d.below(t.rawData.length));
    if (d.chance(0.5)) t.dims = [d.int(), d.int()];
  },
  "a constant's type": (m, d) => {
    tensorOf(m, d).dataType = d.below(24);
  },
  "a consistent constant of another shape": (m, d) => {
    const t = tensorOf(m, d);
    t.dims = Array.from({ length: d.below(6) }, () => BigInt(d.below(4)));
    t.dataType = d.pick([Type.FLOAT, Type.INT64, Type.BOOL, Type.INT32, Type.DOUBLE]);
    const size = { [Type.INT64]: 8, [Type.DOUBLE]: 8, [Type.BOOL]: 1 }[t.dataType] ?? 4;
    t.rawData = new Uint8Array(Number(t.dims.reduce((a, b) => a * b, 1n)) * size).fill(d.pick([0, 1]));
  },
  "an attribute's integer": (m, d) => {
    const { attribute } = nodeOf(m, d);
    const a = d.maybe(attribute);
    if (!a)
      attribute.push(
        create(AttributeProtoSchema, { name: d.pick(["axis", "group", "keepdims", "to"]), type: Kind.INT, i: d.int() }),
      );
    else if (a.ints.length > 0) setAt(a.ints, d.below(a.ints.length), d.int());
    else a.i = d.int();
  },
  "an attribute's list": (m, d) => {
    const a = d.maybe(nodeOf(m, d).attribute);
    if (!a) return;
    if (d.chance(0.5)) a.ints.pop();
    else a.ints = Array.from({ length: d.pick([1, 2, 4, 8, 65, 2000]) }, () => d.int());
  },
  "an attribute's number or text": (m, d) => {
    const a = d.maybe(nodeOf(m, d).attribute);
    if (!a) return;
    a.f = d.float();
    a.s = new TextEncoder().encode(d.pick(STRINGS));
  },
  "an attribute of another name": (m, d) => {
    const type = d.pick([Kind.INT, Kind.INTS, Kind.FLOAT, Kind.STRING]);
    const name = d.pick([
      "axis",
      "axes",
      "kernel_shape",
      "strides",
      "pads",
      "dilations",
      "group",
      "auto_pad",
      "ceil_mode",
      "output_shape",
      "output_padding",
      "mode",
      "allowzero",
      "split",
      "num_outputs",
      "training_mode",
      "perm",
      "blocksize",
      "start",
      "end",
      "__proto__",
    ]);
    const ints = Array.from({ length: d.below(5) }, () => d.int());
    nodeOf(m, d).attribute.push(
      create(AttributeProtoSchema, {
        name,
        type,
        ints,
        i: d.int(),
        f: d.float(),
        s: new TextEncoder().encode(d.pick(STRINGS)),
      }),
    );
  },
  "an attribute's kind": (m, d) => {
    const a = d.maybe(nodeOf(m, d).attribute);
    if (a) a.type = d.below(15);
  },
  "an attribute out, or there twice": (m, d) => {
    const { attribute } = nodeOf(m, d);
    const a = d.chance(0.5) ? attribute.pop() : d.maybe(attribute);
    if (a && d.chance(0.5)) attribute.push(a, a);
  },
  "an input read from elsewhere": (m, d) => {
    const graph = graphOf(m, d);
    const node = d.maybe(graph.node);
    if (node)
      setAt(node.input, d.below(node.input.length), d.chance(0.9) ? (d.maybe(names(graph)) ?? "") : d.pick(ODD_NAMES));
  },
  "an input more or less": (m, d) => {
    const graph = graphOf(m, d);
    const node = d.maybe(graph.node);
    if (!node) return;
    if (d.chance(0.5)) node.input.pop();
    else for (let i = d.pick([1, 1, 3, 300]); i > 0; i--) node.input.push(d.maybe(names(graph)) ?? "");
  },
  "an output of another name": (m, d) => {
    const graph = graphOf(m, d);
    const node = d.maybe(graph.node);
    if (node)
      setAt(
        node.output,
        d.below(node.output.length),
        d.chance(0.5) ? (d.maybe(names(graph)) ?? "") : d.pick(ODD_NAMES),
      );
  },
  "an output more or less": (m, d) => {
    const { output } = nodeOf(m, d);
    if (d.chance(0.3)) output.pop();
    else for (let i = d.pick([1, 2, 70]); i > 0; i--) output.push(`more_${i}`);
  },
  "another operator": (m, d) => {
    nodeOf(m, d).opType = d.pick(OP_TYPES);
  },
  "another domain": (m, d) => {
    nodeOf(m, d).domain = d.pick(["ai.onnx", "com.microsoft", "ai.onnx.ml", "constructor"]);
  },
  "a node in between": (m, d) => {
    const graph = graphOf(m, d);
    const node = d.maybe(graph.node);
    if (!node) return;
    const from = d.maybe(names(graph)) ?? "";
    const inputs = [from, ...Array.from({ length: d.below(3) }, () => d.maybe(names(graph)) ?? "")];
    graph.node.push(
      create(NodeProtoSchema, { opType: d.pick(OP_TYPES), input: inputs, output: [`between_${d.below(9)}`] }),
    );
    setAt(node.input, d.below(node.input.length), graph.node.at(-1)?.output[0] ?? "");
  },
  "a node twice or not at all": (m, d) => {
    const { node } = graphOf(m, d);
    const at = d.below(node.length);
    if (d.chance(0.5)) node.splice(at, 1);
    else node.push(...node.slice(at, at + 1));
  },
  "nodes in another order": (m, d) => {
    graphOf(m, d).node.reverse();
  },
  "a long chain": (m, d) => {
    const graph = graphOf(m, d);
    const node = d.maybe(graph.node);
    const [first, last] = [node?.input[0], node?.output[0]];
    if (!node || first === undefined || last === undefined) return;
    const length = d.pick([3, 30, 1000]);
    const link = (i: number) =>
      create(NodeProtoSchema, {
        ...node,
        name: `${node.name}_${i}`,
        input: [
          i === 0 ? first : `link_${i - 1}`,
          ...node.input.slice(1).map((name) => (name === first ? (i === 0 ? first : `link_${i - 1}`) : name)),
        ],
        output: [i === length - 1 ? last : `link_${i}`],
      });
    graph.node = graph.node.flatMap((n) => (n === node ? Array.from({ length }, (_, i) => link(i)) : [n]));
  },
  "a chain that squares": (m, d) => {
    const graph = graphOf(m, d);
    const node = d.maybe(graph.node);
    if (!node?.input[0]) return;
    const op = d.pick(["Mul", "Concat", "Gather", "Tile", "Expand", "MatMul", "Add", "Where"]);
    let at = node.input[0];
    for (let i = 0; i < 40; i++) {
      const attribute = op === "Concat" ? [create(AttributeProtoSchema, { name: "axis", type: Kind.INT, i: 0n })] : [];
      graph.node.push(create(NodeProtoSchema, { opType: op, input: [at, at], output: [`square_${i}`], attribute }));
      at = `square_${i}`;
    }
    node.input[0] = at;
  },
  "the input's shape": (m, d) => {
    const info = d.maybe([...graphOf(m, d).input, ...graphOf(m, d).valueInfo, ...graphOf(m, d).output]);
    const type = info?.type?.value;
    if (type?.case !== "tensorType") return;
    const dim = d.maybe(type.value.shape?.dim ?? []);
    if (dim && d.chance(0.8))
      dim.value = d.chance(0.6) ? { case: "dimValue", value: d.int() } : { case: "dimParam", value: d.pick(ODD_NAMES) };
    else if (type.value.shape) type.value.shape.dim.length = d.below(5);
  },
  "another input, or its type": (m, d) => {
    const graph = graphOf(m, d);
    const info = d.maybe(graph.input);
    if (d.chance(0.3))
      graph.input.push(create(ValueInfoProtoSchema, value(d.pick(["more", ...ODD_NAMES]), ["n", 4n], d.below(18))));
    else if (info?.type?.value.case === "tensorType") info.type.value.value.elemType = d.below(20);
    else graph.input.pop();
  },
  "another output": (m, d) => {
    const graph = graphOf(m, d);
    if (d.chance(0.2)) graph.output.pop();
    else graph.output.push(create(ValueInfoProtoSchema, value(d.maybe(names(graph)) ?? "", ["n", 4n])));
  },
  "a value of an odd name, everywhere": (m, d) => {
    const graph = graphOf(m, d);
    const [from, to] = [d.maybe(names(graph)) ?? "", d.pick(ODD_NAMES)];
    const renamed = (name: string) => (name === from ? to : name);
    for (const node of graph.node) [node.input, node.output] = [node.input.map(renamed), node.output.map(renamed)];
    for (const entry of [...graph.input, ...graph.output, ...graph.initializer, ...graph.valueInfo])
      entry.name = renamed(entry.name);
  },
  "another version": (m, d) => {
    if (d.chance(0.3)) m.irVersion = d.int();
    else m.opsetImport.forEach((entry) => (entry.version = d.chance(0.8) ? BigInt(5 + d.below(22)) : d.int()));
  },
  "the input's axes in another order": (m, d) => {
    const type = d.maybe(m.graph?.input ?? [])?.type?.value;
    if (type?.case !== "tensorType") return;
    const dims = type.value.shape?.dim ?? [];
    for (let i = dims.length - 1; i > 0; i--) {
      const j = d.below(i + 1);
      [dims[i], dims[j]] = [dims[j], dims[i]];
    }
  },
  "a batch that is a number": (m, d) => {
    const type = d.maybe(m.graph?.input ?? [])?.type?.value;
    const [batch] = (type?.case === "tensorType" && type.value.shape?.dim) || [];
    if (batch) batch.value = { case: "dimValue", value: d.pick([0n, 1n, 1n, 2n, 23n, d.int()]) };
  },
  "the pixels' type": (m, d) => {
    const type = d.maybe(m.graph?.input ?? [])?.type?.value;
    if (type?.case === "tensorType")
      type.value.elemType = d.pick([Type.UINT8, Type.FLOAT16, Type.DOUBLE, Type.BFLOAT16, Type.INT8, Type.INT64]);
  },
  "an end in probabilities": (m, d) => {
    const graph = m.graph;
    const output = graph && d.maybe(graph.output);
    if (!graph || !output) return;
    const types = d.pick([
      ["Softmax"],
      ["Sigmoid"],
      ["LogSoftmax", "Exp"],
      ["Exp", "ReduceSum", "Div"],
      ["Softmax", "Identity"],
      ["Softmax", "Reshape"],
    ]);
    let at = output.name;
    types.forEach((opType, i) => {
      const made = `end_${opType}_${i}`;
      const input =
        opType === "Div" ? [`end_Exp_0`, at] : opType === "Reshape" ? [at, d.maybe(names(graph)) ?? ""] : [at];
      const axis = create(AttributeProtoSchema, { name: "axis", type: Kind.INT, i: d.pick([1n, -1n, 0n, d.int()]) });
      const attribute = opType.endsWith("oftmax") && d.chance(0.7) ? [axis] : [];
      graph.node.push(create(NodeProtoSchema, { opType, input, output: [made], attribute }));
      at = made;
    });
    output.name = at;
  },
  "a ZipMap at the end": (m, d) => {
    const output = m.graph && d.maybe(m.graph.output);
    if (!m.graph || !output) return;
    const input = Array.from({ length: d.pick([1, 1, 0, 2]) }, () => output.name);
    m.graph.node.push(create(NodeProtoSchema, { opType: "ZipMap", domain: "ai.onnx.ml", input, output: ["zipped"] }));
    output.name = "zipped";
  },
  "a second head": (m, d) => {
    const graph = m.graph;
    const node = graph && d.maybe(graph.node.slice(-3));
    if (!graph || !node) return;
    const output = [d.pick(["task_b", "logits", "dist_logits", "__proto__"])];
    graph.node.push(create(NodeProtoSchema, { ...clone(NodeProtoSchema, node), output }));
    graph.output.push(create(ValueInfoProtoSchema, value(output[0], ["n", 4n])));
  },
  "a scale in front": (m, d) => {
    const graph = m.graph;
    const input = graph && d.maybe(graph.input);
    if (!graph || !input) return;
    const number = create(TensorProtoSchema, {
      name: "front",
      dataType: Type.FLOAT,
      floatData: [d.pick([255, 1 / 255, 128, 0, d.float()])],
    });
    for (const node of graph.node) node.input = node.input.map((name) => (name === input.name ? "fronted" : name));
    graph.initializer.push(number);
    const opType = d.pick(["Mul", "Div", "Sub", "Add", "Cast", "Round", "QuantizeLinear"]);
    graph.node.unshift(create(NodeProtoSchema, { opType, input: [input.name, "front"], output: ["fronted"] }));
  },
  "a sub-graph": (m, d) => {
    const { graph } = m;
    let inner = create(GraphProtoSchema, {
      name: "inner",
      node: (graph?.node.slice(0, 2) ?? []).map((node) => clone(NodeProtoSchema, node)),
      output: graph?.output ?? [],
    });
    for (let i = d.pick([0, 3, 17, 30, 60]); i > 0; i--) {
      const node = create(NodeProtoSchema, { opType: "If", input: ["x"], output: [`deep_${i}`] });
      node.attribute.push(create(AttributeProtoSchema, { name: "then_branch", type: Kind.GRAPH, g: inner }));
      inner = create(GraphProtoSchema, { name: "inner", node: [node], output: inner.output });
    }
    nodeOf(m, d).attribute.push(create(AttributeProtoSchema, { name: "body", type: Kind.GRAPH, g: inner }));
  },
  "external data": (m, d) => {
    const t = tensorOf(m, d);
    t.dataLocation = 1;
    t.rawData = new Uint8Array();
    t.externalData = [
      { key: "location", value: d.pick(LOCATIONS)[0] },
      { key: "offset", value: String(d.int()) },
      { key: "length", value: String(d.int()) },
    ].map((entry) => ({ ...entry, $typeName: "onnx.StringStringEntryProto" as const }));
  },
  metadata: (m, d) => {
    const key = d.pick(["dynn.exits", "dynn.policy", "dynn.normalization", "dynn.classes", "__proto__"]);
    const texts = [
      "",
      "[",
      "[".repeat(5000),
      "{}",
      "[]",
      "null",
      "1e999",
      '{"__proto__":1}',
      '[{"name":"a","logits":"images"}]',
      '["a","a"]',
    ];
    m.metadataProps = m.metadataProps.filter((entry) => entry.key !== key);
    m.metadataProps.push({ key, value: d.pick(texts), $typeName: "onnx.StringStringEntryProto" });
  },
};

type Edit = (start: Uint8Array, edits: readonly string[], dice: readonly Dice[]) => Uint8Array;
type Way = readonly [way: Case["way"], names: readonly string[], apply: Edit];

const BYTES: Way = ["bytes edited", Object.keys(BYTE_EDITS), editBytes];
const MESSAGES: Way = ["messages edited", Object.keys(MODEL_EDITS), editModel];
const WAYS = [BYTES, MESSAGES, MESSAGES, MESSAGES];

const NETWORKS = [...FAMILIES.values()].map((make) => writeModel({ graph: make(), metadata: new Map() }));
const FOREIGN = FOREIGN_MODELS.map((model) => model.bytes());
const CORPUS = HOSTILE.map(({ bytes }) => bytes);

/** What edits start from: mostly the seeds, which are small; now and then a network of today, or what is hostile already. */
const startOf = (dice: Dice): Uint8Array => dice.pick(dice.pick([SEEDS, SEEDS, SEEDS, NETWORKS, CORPUS]));

/** Case number `index` of a seed: one operator with random inputs, data beside the model, or a model with one edit or more.
 * @param keep which of the edits to apply; left out: all (to find the ones that matter) */
export function makeCase(seed: number, index: number, keep: (edit: number) => boolean = () => true): Case {
  const dice = new Dice(seed, index, 0);
  if (dice.chance(0.3)) return { way: "one operator", bytes: operatorModel(dice), edits: ["one operator"] };
  if (dice.chance(0.05)) return { way: "data beside", ...besideModel(dice), edits: ["data beside the model"] };
  const isForeign = dice.chance(0.4);
  const [[made, names, apply], start] = [dice.pick(WAYS), isForeign ? dice.pick(FOREIGN) : startOf(dice)];
  const way = isForeign ? "exporter's form edited" : made;
  const edits = Array.from(
    { length: dice.pick([1, 1, 2, 3, 5]) },
    (_, i) => [dice.pick(names), new Dice(seed, index, i + 1)] as const,
  );
  const kept = edits.filter((_, i) => keep(i));
  const words = kept.map(([edit]) => edit);
  const own = kept.map(([, each]) => each);
  return { way, bytes: apply(start, words, own), edits: words };
}

function editBytes(start: Uint8Array, edits: readonly string[], dice: readonly Dice[]): Uint8Array {
  return edits.reduce((bytes, edit, i) => BYTE_EDITS[edit](bytes, dice[i]), start);
}

function editModel(start: Uint8Array, edits: readonly string[], dice: readonly Dice[]): Uint8Array {
  const model = read(start);
  edits.forEach((edit, i) => MODEL_EDITS[edit](model, dice[i]));
  return toBinary(ModelProtoSchema, model);
}

/** Some of the corpus is hostile to the decoder already; edits of messages then start from nothing. */
function read(start: Uint8Array): ModelProto {
  try {
    return fromBinary(ModelProtoSchema, start);
  } catch {
    return create(ModelProtoSchema);
  }
}
