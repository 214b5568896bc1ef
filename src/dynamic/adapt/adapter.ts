/** @file What an adapter is: a small rewrite of a foreign graph towards the model contract. */
import type { Graph, Node, ValueName } from "../../graph/graph.js";
import type { OpTable } from "../../graph/op.js";

/** What an adapter may know besides the graph. */
export interface AdaptContext {
  /** The operators. */
  readonly ops: OpTable;
  /** What the model is called in errors. */
  readonly name: string;
  /** Height and width of the images, where the caller knows them. */
  readonly imageSize: readonly [number, number] | undefined;
  /** Why the batch of 1 in the file cannot be opened, where that is known already. */
  readonly closed?: string | undefined;
}

/** A graph after a rewrite, and the sentence that says what changed. */
export interface Adapted {
  readonly graph: Graph;
  readonly change: string;
  readonly unchecked?: UncheckedBatch;
  /** Why the graph keeps its batch of 1. */
  readonly closed?: string;
}

/** A batch that was opened by the sizes alone, because the network is too large to run on
 * reading. */
export interface UncheckedBatch {
  /** The graph with the batch of the file. */
  readonly file: Graph;
  /** The same graph for any batch. */
  readonly opened: Graph;
  /** What the model is called in errors. */
  readonly name: string;
  /** The sentence about the change, before and after the answers were compared. */
  readonly change: string;
  readonly checked: string;
}

/** Rewrites a graph, or returns undefined where the graph needs no rewrite.
 * @throws DynnError when the graph needs the rewrite and does not allow it */
export type Adapter = (graph: Graph, context: AdaptContext) => Adapted | undefined;

/** Operators that compute each element from the elements at its place. */
const ELEMENTWISE = new Set([
  ...["Add", "Sub", "Mul", "Div", "Pow", "Sqrt", "Abs", "Neg", "Cast", "Identity"],
  ...["Relu", "LeakyRelu", "Clip", "Sigmoid", "Tanh", "Dropout"],
]);

export const isElementwise = (node: Node): boolean => node.domain === "" && ELEMENTWISE.has(node.opType);

export const isOp = (node: Node, ...types: readonly string[]): boolean =>
  node.domain === "" && types.includes(node.opType);

/** A node of the standard domain with one output. */
export const madeNode = (
  opType: string,
  inputs: readonly ValueName[],
  output: ValueName,
  attributes: Node["attributes"] = {},
): Node => ({ opType, domain: "", name: "", inputs, outputs: [output], attributes });

/** The node with another name for one value that it reads. */
export const withInput = (node: Node, from: ValueName, to: ValueName): Node => ({
  ...node,
  inputs: node.inputs.map((name) => (name === from ? to : name)),
});
