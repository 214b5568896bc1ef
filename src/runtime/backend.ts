/** @file What a backend is: something that compiles a graph and runs it on tensors.
 *  Read by: dynamic, attacks, training; implemented by reference, ort-node. */
import type { Tensor } from "../core/tensor.js";
import type { Graph } from "../graph/graph.js";

export type Tensors = Readonly<Record<string, Tensor>>;

export interface Session {
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** Run once. The result's arrays belong to the caller.
   * @throws DynnError 'runtime/run' when an input is missing or has a shape or dtype that the graph does not take */
  readonly run: (feeds: Tensors) => Promise<Tensors>;
  readonly release: () => Promise<void>;
}

export interface Backend {
  readonly name: string;
  /** Whether a graph may hold `If`, and only the branch that is taken costs time. */
  readonly routes?: boolean;
  /** @throws DynnError 'runtime/load' when the backend cannot run the graph */
  readonly compile: (graph: Graph) => Promise<Session>;
}
