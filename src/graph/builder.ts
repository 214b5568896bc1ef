/** @file GraphBuilder: appends nodes and constants to a graph under new names. Equal constants
 *  are stored once. The builder knows no operator; helper functions beside each operator know
 *  its signature. */
import { bytesOf } from "../core/bytes.js";
import type { DType } from "../core/dtype.js";
import type { Shape } from "../core/shape.js";
import { fromNumbers, type Tensor } from "../core/tensor.js";
import type { Attributes } from "./attributes.js";
import { type Graph, type Node, trimmedInputs, type ValueInfo, type ValueName, type ValueType } from "./graph.js";

/** Constants with at most this many elements are shared. */
const SHARED_LIMIT = 64;

/** Builds a graph node by node. Names are unique, and equal small constants are shared. */
export class GraphBuilder {
  /** Version of the ai.onnx operator set. */
  readonly opset: number;
  readonly #name: string;
  readonly #inputs: ValueInfo[];
  #outputs: ValueInfo[];
  readonly #nodes: Node[];
  readonly #initializers: Map<ValueName, Tensor>;
  readonly #types: Map<ValueName, ValueType>;
  readonly #taken = new Set<string>();
  readonly #counters = new Map<string, number>();
  readonly #constants = new Map<string, ValueName>();
  readonly #derived = new Map<string, ValueName>();
  #addedBytes = 0;

  /** Starts from a graph. Its values keep their names. */
  constructor(from: Graph) {
    this.opset = from.opset;
    this.#name = from.name;
    this.#inputs = [...from.inputs];
    this.#outputs = [...from.outputs];
    this.#nodes = [...from.nodes];
    this.#initializers = new Map(from.initializers);
    this.#types = new Map(from.types);
    for (const { name } of from.inputs) this.#taken.add(name);
    for (const name of from.initializers.keys()) this.#taken.add(name);
    for (const node of from.nodes) {
      if (node.name) this.#taken.add(node.name);
      for (const name of node.outputs) this.#taken.add(name);
    }
  }

  /** A name that nothing in the graph has yet. */
  fresh(hint: string): ValueName {
    if (!this.#taken.has(hint)) {
      this.#taken.add(hint);
      return hint;
    }
    for (let i = this.#counters.get(hint) ?? 1; ; i++) {
      const name = `${hint}_${i}`;
      if (this.#taken.has(name)) continue;
      this.#counters.set(hint, i + 1);
      this.#taken.add(name);
      return name;
    }
  }

  /** Reserves a name for a node that is appended later. */
  reserve(name: ValueName): void {
    if (name) this.#taken.add(name);
  }

  /** Adds an input and returns its name. The name is the hint when no value has that name yet. */
  input(hint: string, dtype: DType, shape: Shape): ValueName {
    const name = this.fresh(hint);
    this.#inputs.push({ name, dtype, shape });
    return name;
  }

  /** Number of nodes so far. */
  get nodeCount(): number {
    return this.#nodes.length;
  }

  /** Bytes of the constants added so far. */
  get addedBytes(): number {
    return this.#addedBytes;
  }

  /** Adds an initializer and returns its name. A small one that equals an earlier constant of
   * this builder is shared. */
  constant(value: Tensor, hint = "const"): ValueName {
    const key = value.data.length <= SHARED_LIMIT ? bitsOf(value) : undefined;
    const known = key === undefined ? undefined : this.#constants.get(key);
    if (known !== undefined) return known;
    this.#addedBytes += value.data.byteLength;
    const name = this.fresh(hint);
    this.#initializers.set(name, value);
    if (key !== undefined) this.#constants.set(key, name);
    return name;
  }

  /** A constant that several gradients derive from another, made once.
   * @param key names the constant among those of this builder */
  derived(key: string, make: () => Tensor, hint: string): ValueName {
    const known = this.#derived.get(key) ?? this.constant(make(), hint);
    this.#derived.set(key, known);
    return known;
  }

  /** Adds an initializer under exactly this name. It is never shared, because training changes
   * equal parameters independently. */
  parameter(name: ValueName, value: Tensor): ValueName {
    if (this.#taken.has(name)) throw new Error(`bug: the graph already has a "${name}"`);
    this.#taken.add(name);
    this.#initializers.set(name, value);
    return name;
  }

  /** Adds a scalar constant. */
  scalar(value: number, dtype: DType = "float32"): ValueName {
    return this.constant(fromNumbers(dtype, [], [value]));
  }

  /** Adds a 1-D int64 constant. */
  ints(values: readonly number[]): ValueName {
    return this.constant(fromNumbers("int64", [values.length], values));
  }

  /** Appends a node with one output and returns the output's name. */
  op(
    opType: string,
    inputs: readonly ValueName[],
    attributes: Attributes = {},
    hint = opType.toLowerCase(),
  ): ValueName {
    return this.ops(opType, inputs, 1, attributes, hint)[0];
  }

  /** Appends a node with `count` outputs and returns their names. */
  ops(
    opType: string,
    inputs: readonly ValueName[],
    count: number,
    attributes: Attributes = {},
    hint = opType.toLowerCase(),
  ): ValueName[] {
    const outputs = Array.from({ length: count }, () => this.fresh(hint));
    this.#nodes.push({ opType, domain: "", name: "", inputs: trimmedInputs(inputs), outputs, attributes });
    return outputs;
  }

  /** Appends a node unchanged. Its output names must be free. */
  append(node: Node): void {
    for (const name of node.outputs) this.#taken.add(name);
    this.#nodes.push(node);
  }

  /** States the type of a value. */
  setType(name: ValueName, type: ValueType): void {
    this.#types.set(name, type);
  }

  /** Declares a value as an output. */
  output(name: ValueName, dtype: DType, shape: Shape | undefined): void {
    this.#outputs.push({ name, dtype, shape });
  }

  /** Removes all declared outputs, so that others can be declared. */
  clearOutputs(): void {
    this.#outputs = [];
  }

  /** The graph so far. Later additions do not change it. */
  build(): Graph {
    return {
      name: this.#name,
      opset: this.opset,
      inputs: [...this.#inputs],
      outputs: [...this.#outputs],
      nodes: [...this.#nodes],
      initializers: new Map(this.#initializers),
      types: new Map(this.#types),
    };
  }
}

/** Type, dimensions and bytes as one key. The bytes tell 0 from -0. */
const bitsOf = ({ dtype, dims, data }: Tensor): string => `${dtype}[${dims.join()}]${bytesOf(data).join()}`;
