/** @file Makes a graph skip the branches of closed gates. Each gate becomes one `If`: it runs the
 *  block on the rows whose gate is open (Gather), and puts the results among those of the other
 *  rows (ScatterND). A batch of one needs no packing. The gate multiplies nothing here, so
 *  convolution, sum and ReLU stay neighbours. Source: shared form with the exits, index.ts. */
import { ONNX_CODE } from "../../../core/dtype.js";
import { showShape } from "../../../core/shape.js";
import type { Tensor } from "../../../core/tensor.js";
import { type Attribute, int } from "../../../graph/attributes.js";
import { GraphBuilder } from "../../../graph/builder.js";
import { batchOf, consumers, type Graph, type Node, usedInputs, type ValueName } from "../../../graph/graph.js";
import { emptyGraph } from "../../../graph/op.js";
import { prune } from "../../../graph/passes/prune.js";
import { forcedBit } from "../../../schema/policy.js";
import { branchNodes, gateProduct } from "../../model/gates.js";
import type { Gate } from "../../model/units.js";
import { orEqual } from "./routing-graph.js";

type SkippedGate = Pick<Gate, "score" | "value" | "branch" | "threshold">;

/** The graph with an `If` for each gate of the form Add(shortcut, Mul(branch, value)), with or
 * without a Relu behind. Other gates stay masked. Values that the graph gives are the same.
 * @param single batches hold one sample */
export function withSkips(graph: Graph, gates: readonly SkippedGate[], single: boolean): Graph {
  const relus = graph.nodes.filter(({ opType }) => opType === "Relu");
  const rectified = new Set(relus.flatMap(({ outputs }) => outputs));
  return gates.reduce((skipping, gate, k) => {
    const block = forcedBit(gate.threshold) === undefined ? blockOf(skipping, gate, rectified) : undefined;
    return block ? prune(withSkip(skipping, gate, block, { single, rows: `gate${k}` })) : skipping;
  }, graph);
}

/** The nodes that an `If` takes the place of. */
interface Block {
  /** The nodes of the branch, in order. */
  readonly branch: readonly Node[];
  readonly product: Node;
  readonly add: Node;
  readonly relu: Node | undefined;
  readonly shortcut: ValueName;
  /** What makes the block's output from the shortcut, where the gate is closed. */
  readonly skip: "Relu" | "Identity";
}

/** @param rectified values that a Relu made: a second one changes nothing */
function blockOf(graph: Graph, gate: SkippedGate, rectified: ReadonlySet<ValueName>): Block | undefined {
  const product = gateProduct(graph, gate);
  const add = product && onlyReader(graph, product, "Add");
  const shortcut = add?.inputs.find((name) => name !== product?.outputs[0]);
  if (!product || !add || shortcut === undefined || !isMade(graph, gate.score)) return undefined;
  const shapeOf = (name: ValueName): string => showShape(graph.types.get(name)?.shape);
  if (shapeOf(shortcut) !== shapeOf(add.outputs[0])) return undefined;
  const within = branchNodes(
    graph,
    gate,
    graph.outputs.map((o) => o.name),
  );
  const branch = graph.nodes.filter((node) => within.has(node));
  const relu = onlyReader(graph, add, "Relu");
  return { branch, product, add, relu, shortcut, skip: relu && !rectified.has(shortcut) ? "Relu" : "Identity" };
}

const isMade = (graph: Graph, value: ValueName): boolean =>
  graph.inputs.some(({ name }) => name === value) || graph.nodes.some(({ outputs }) => outputs.includes(value));

/** The one node that reads the output of another, if it is of this type. */
function onlyReader(graph: Graph, { outputs: [output] }: Node, opType: string): Node | undefined {
  const [reader, ...more] = consumers(graph).get(output) ?? [];
  const given = graph.outputs.some(({ name }) => name === output);
  return reader?.opType === opType && more.length === 0 && !given ? reader : undefined;
}

interface Form {
  readonly single: boolean;
  /** The name of the number of packed rows. */
  readonly rows: string;
}

function withSkip(graph: Graph, gate: SkippedGate, block: Block, form: Form): Graph {
  const gone = new Set([...block.branch, block.product, block.add]);
  const end = block.relu ?? block.add;
  const b = new GraphBuilder({ ...graph, nodes: [] });
  for (const name of [...graph.nodes.map((node) => node.name), ...graph.types.keys()]) b.reserve(name);
  for (const node of graph.nodes) {
    if (node === end) b.append(skipNode(b, graph, gate, block, form));
    else if (!gone.has(node)) b.append(node);
  }
  return b.build();
}

/** The `If` in place of a block. The builder gets what it reads. */
function skipNode(b: GraphBuilder, graph: Graph, gate: SkippedGate, block: Block, form: Form): Node {
  const [output] = (block.relu ?? block.add).outputs;
  const open = orEqual(b, "Greater", gate.score, b.scalar(gate.threshold));
  const node = (condition: ValueName, taken: Inner, left: Inner): Node => ({
    ...{ opType: "If", domain: "", name: "", inputs: [condition], outputs: [output] },
    attributes: { then_branch: taken.done(output), else_branch: left.done(output) },
  });
  const [taken, left] = [new Inner(b, graph, "open"), new Inner(b, graph, "closed")];
  if (form.single) {
    taken.give(
      taken.block(block, (name) => name),
      output,
    );
    left.give(left.op(block.skip, [block.shortcut]), output);
    return node(open, taken, left);
  }
  const goes = b.op("NonZero", [open]);
  const any = b.op("Cast", [b.op("Size", [goes])], { to: int(ONNX_CODE.bool) });
  const skipped = block.skip === "Relu" ? b.op("Relu", [block.shortcut]) : block.shortcut;
  const type = graph.types.get(output);
  if (type) b.setType(skipped, type);
  const which = taken.op("Reshape", [goes, taken.ints([-1])]);
  const packed = taken.block(block, (name) => taken.rows(name, which, form.rows), form.rows);
  taken.give(taken.op("ScatterND", [skipped, taken.op("Reshape", [goes, taken.ints([-1, 1])]), packed]), output);
  left.give(left.op("Identity", [skipped]), output);
  return node(any, taken, left);
}

/** A sub-graph of an `If`. Its new names come from the graph around it. */
class Inner {
  readonly #outer: GraphBuilder;
  readonly #graph: Graph;
  readonly #name: string;
  readonly #nodes: Node[] = [];
  readonly #initializers = new Map<ValueName, Tensor>();
  readonly #types = new Map<ValueName, NonNullable<ReturnType<Graph["types"]["get"]>>>();
  readonly #gathered = new Map<ValueName, ValueName>();
  #given: ValueName | undefined;

  constructor(outer: GraphBuilder, graph: Graph, name: string) {
    [this.#outer, this.#graph, this.#name] = [outer, graph, name];
  }

  op(opType: string, inputs: readonly ValueName[], attributes: Node["attributes"] = {}): ValueName {
    const output = this.#outer.fresh(`${this.#name}/${opType.toLowerCase()}`);
    this.#nodes.push({ opType, domain: "", name: "", inputs, outputs: [output], attributes });
    return output;
  }

  ints(values: readonly number[]): ValueName {
    const name = this.#outer.fresh(`${this.#name}/const`);
    const data = BigInt64Array.from(values, BigInt);
    this.#initializers.set(name, { dtype: "int64", dims: [values.length], data });
    return name;
  }

  /** The chosen rows of a value of the outer graph, or a value without rows as it is. */
  rows(name: ValueName, which: ValueName, count: string): ValueName {
    const type = this.#graph.types.get(name);
    if (this.#graph.initializers.has(name) || type?.shape[0] !== batchOf(this.#graph)) return name;
    const known = this.#gathered.get(name) ?? this.op("Gather", [name, which], { axis: int(0) });
    this.#gathered.set(name, known);
    if (type) this.#types.set(known, rowsOf(type, count, this.#graph));
    return known;
  }

  /** The block: branch, sum and Relu.
   * @param read the name under which the block reads a value of the outer graph
   * @param count the name of the number of rows, where it differs from the outer graph's */
  block(
    { branch, product, add, relu, shortcut }: Block,
    read: (name: ValueName) => ValueName,
    count?: string,
  ): ValueName {
    const own = new Set(branch.flatMap(({ outputs }) => outputs));
    const at = (name: ValueName): ValueName => (name === "" || own.has(name) ? name : read(name));
    for (const node of branch) this.#take(node, at, count);
    const value = product.inputs.find((name) => own.has(name)) as ValueName;
    const inputs = add.inputs.map((name) => (name === shortcut ? at(shortcut) : value));
    const sum = this.op("Add", inputs);
    const type = this.#graph.types.get(add.outputs[0]);
    if (type) this.#types.set(sum, rowsOf(type, count, this.#graph));
    const given = relu ? this.op("Relu", [sum]) : sum;
    if (type) this.#types.set(given, rowsOf(type, count, this.#graph));
    return given;
  }

  #take(node: Node, at: (name: ValueName) => ValueName, count: string | undefined): void {
    for (const name of usedInputs(node)) {
      const constant = this.#graph.initializers.get(name);
      if (constant) this.#initializers.set(name, constant);
    }
    for (const name of node.outputs) {
      const type = this.#graph.types.get(name);
      if (type) this.#types.set(name, rowsOf(type, count, this.#graph));
    }
    this.#nodes.push({ ...node, inputs: node.inputs.map(at) });
  }

  /** States what the sub-graph gives, with the type of the block's output. */
  give(value: ValueName, like: ValueName): void {
    this.#given = value;
    const type = this.#graph.types.get(like);
    if (type) this.#types.set(value, type);
  }

  /** The finished sub-graph.
   * @param like the value of the outer graph that it gives */
  done(like: ValueName): Attribute {
    const { dtype, shape } = this.#graph.types.get(like) ?? { dtype: "float32" as const, shape: undefined };
    const value: Graph = {
      ...emptyGraph(this.#name, this.#outer.opset),
      nodes: this.#nodes,
      initializers: this.#initializers,
      types: this.#types,
      outputs: [{ name: this.#given as ValueName, dtype, shape }],
    };
    return { kind: "graph", value };
  }
}

type Type = NonNullable<ReturnType<Graph["types"]["get"]>>;

/** A type with the number of packed rows in place of the batch. */
const rowsOf = ({ dtype, shape }: Type, count: string | undefined, graph: Graph): Type => ({
  dtype,
  shape: count === undefined ? shape : shape.map((dim) => (dim === batchOf(graph) ? count : dim)),
});
