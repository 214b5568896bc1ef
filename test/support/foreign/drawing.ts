/** @file Draws small ONNX files as other exporters write them. It does not use dynn's writer, which writes one form only. */
import { sizeOf } from "../../../src/core/shape.js";
import { fromNumbers, type Tensor } from "../../../src/core/tensor.js";
import {
  type AttributeInit,
  type GraphInit,
  Kind,
  modelBytes,
  type NodeInit,
  type TensorInit,
  Type,
  value,
} from "../../onnx/protos.js";

/** The element types of these files. */
export type ElementType = "float32" | "float16" | "float64" | "uint8" | "int8" | "int32" | "int64" | "bool";

const CODES: Readonly<Record<ElementType, number>> = {
  float32: Type.FLOAT,
  float16: Type.FLOAT16,
  float64: Type.DOUBLE,
  uint8: Type.UINT8,
  int8: Type.INT8,
  int32: Type.INT32,
  int64: Type.INT64,
  bool: Type.BOOL,
};

/** ONNX's number of an element type, for the attribute `to` of Cast. */
export const codeOf = (dtype: ElementType): number => CODES[dtype];

/** A float attribute, also where its number is whole. */
export class Float {
  constructor(readonly value: number) {}
}
export const float = (number: number): Float => new Float(number);

/** A whole number, a float, a text, whole numbers, floats, or a tensor. */
export type AttributeValue = number | string | Float | readonly number[] | readonly Float[] | Tensor;
export type AttributeValues = Readonly<Record<string, AttributeValue>>;

/** What a file says of itself. */
export interface FileOptions {
  readonly opset: number;
  readonly ir?: number;
  readonly producer?: string;
  /** Other domains that the nodes use. */
  readonly domains?: readonly string[];
  /** The name of the first output of node number `k`. Default: the operator and the number. */
  readonly naming?: (opType: string, k: number) => string;
  /** Whether initializers are listed as inputs too (IR version 3). */
  readonly listed?: boolean;
  readonly functions?: NonNullable<Parameters<typeof modelBytes>[1]>["functions"];
}

/** Numbers that differ from each other, between -1 and 1, the same on every machine. */
const wave = (count: number, seed: number): number[] =>
  Array.from({ length: count }, (_, i) => {
    const x = Math.imul(i + 1, 2654435761) ^ Math.imul(seed + 1, 40503);
    const mixed = Math.imul(x ^ (x >>> 15), 2246822519);
    return ((mixed ^ (mixed >>> 13)) >>> 0) / 2 ** 31 - 1;
  });

const attributeOf = (name: string, given: AttributeValue): AttributeInit => {
  if (typeof given === "number") return { name, type: Kind.INT, i: BigInt(given) };
  if (typeof given === "string") return { name, type: Kind.STRING, s: new TextEncoder().encode(given) };
  if (given instanceof Float) return { name, type: Kind.FLOAT, f: given.value };
  if ("dtype" in given) return { name, type: Kind.TENSOR, t: tensorOf("", given) };
  const numbers = given.map((v) => (v instanceof Float ? v.value : v));
  if (given[0] instanceof Float) return { name, type: Kind.FLOATS, floats: numbers };
  return { name, type: Kind.INTS, ints: numbers.map(BigInt) };
};

const tensorOf = (name: string, { dtype, dims, data }: Tensor): TensorInit => ({
  name,
  dataType: CODES[dtype as ElementType],
  dims: dims.map(BigInt),
  rawData: new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
});

type ValueInit = NonNullable<GraphInit["output"]>[number];

/** A file that is drawn node by node. */
export class Drawing {
  readonly #options: FileOptions;
  readonly #nodes: NodeInit[] = [];
  readonly #weights: { readonly name: string; readonly tensor: Tensor }[] = [];
  readonly #inputs: ValueInit[] = [];
  readonly #outputs: ValueInit[] = [];
  constructor(options: FileOptions) {
    this.#options = options;
  }

  input(name: string, dims: readonly (number | string)[], dtype: ElementType = "float32"): string {
    this.#inputs.push(value(name, dims.map(asDim), CODES[dtype]));
    return name;
  }
  output(name: string, dims?: readonly (number | string)[], dtype: ElementType = "float32"): void {
    this.#outputs.push(value(name, dims?.map(asDim), CODES[dtype]));
  }
  /** A list of maps from class to probability, as ZipMap gives. */
  outputMaps(name: string): void {
    const tensor = { value: { case: "tensorType" as const, value: { elemType: CODES.float32 } } };
    const map = { value: { case: "mapType" as const, value: { keyType: CODES.int64, valueType: tensor } } };
    this.#outputs.push({ name, type: { value: { case: "sequenceType" as const, value: { elemType: map } } } });
  }
  /** An initializer of these numbers. */
  constant(name: string, dims: readonly number[], numbers: readonly number[], dtype: ElementType = "float32"): string {
    this.#weights.push({ name, tensor: fromNumbers(dtype, dims, numbers) });
    return name;
  }
  ints(name: string, ...numbers: readonly number[]): string {
    return this.constant(name, [numbers.length], numbers, "int64");
  }
  /** An initializer whose size keeps activations near 1: the last axes, or the first of a matrix, are summed over. */
  weight(name: string, dims: readonly number[], dtype: ElementType = "float32"): string {
    const summed = dims.length === 2 ? dims[0] : sizeOf(dims.slice(1));
    const scale = 2 / Math.sqrt(Math.max(summed, 1));
    return this.constant(
      name,
      dims,
      wave(sizeOf(dims), this.#weights.length).map((v) => v * scale),
      dtype,
    );
  }
  /** Numbers around 1, as deviations and scales are. */
  positive(name: string, length: number): string {
    return this.constant(
      name,
      [length],
      wave(length, this.#weights.length).map((v) => 1 + v / 4),
    );
  }
  op(type: string, inputs: readonly string[], attributes: AttributeValues = {}, more: NodeMore = {}): string {
    const [first] = this.ops(type, inputs, 1, attributes, more);
    return first;
  }
  /** A node with several outputs. */
  ops(
    type: string,
    inputs: readonly string[],
    count: number,
    attributes: AttributeValues = {},
    more: NodeMore = {},
  ): string[] {
    const { output = (this.#options.naming ?? plainName)(type, this.#nodes.length), domain = "", name = "" } = more;
    const outputs = Array.from({ length: count }, (_, i) => (i === 0 ? output : `${output}_${i}`));
    this.#nodes.push({
      opType: type,
      name,
      domain,
      input: [...inputs],
      output: outputs,
      attribute: Object.entries(attributes).map(([key, given]) => attributeOf(key, given)),
    });
    return outputs;
  }
  bytes(): Uint8Array {
    const {
      opset,
      ir = opset < 9 ? 3 : opset < 22 ? 8 : 10,
      producer = "",
      domains = [],
      functions,
      listed,
    } = this.#options;
    const shapes = this.#weights.map(({ name, tensor }) =>
      value(name, tensor.dims.map(BigInt), CODES[tensor.dtype as ElementType]),
    );
    const graph: GraphInit = {
      name: "foreign",
      input: [...this.#inputs, ...(listed ? shapes : [])],
      output: this.#outputs,
      node: this.#nodes,
      initializer: this.#weights.map(({ name, tensor }) => tensorOf(name, tensor)),
    };
    return modelBytes(graph, {
      irVersion: BigInt(ir),
      producerName: producer,
      opsetImport: [
        { domain: "", version: BigInt(opset) },
        ...domains.map((domain) => ({ domain, version: domain === "ai.onnx.ml" ? 2n : 1n })),
      ],
      ...(functions ? { functions } : {}),
    });
  }
}

/** What a node has besides operator, inputs and attributes. */
interface NodeMore {
  readonly output?: string;
  readonly domain?: string;
  readonly name?: string;
}

const plainName = (type: string, k: number): string => `${type}_${k}`;
const asDim = (d: number | string): bigint | string => (typeof d === "number" ? BigInt(d) : d);
