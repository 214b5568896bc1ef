/** @file What a backend is: something that compiles a graph and runs it on tensors.
 *  Read by: dynamic, attacks, training; implemented by reference, ort-node. */
import type { Tensor } from "../core/tensor.js";
import type { Graph } from "../graph/graph.js";

/** Tensors by the names of inputs or outputs. */
export type Tensors = Readonly<Record<string, Tensor>>;

/** A graph that is ready to run. */
export interface Session {
  /** Names of the inputs. */
  readonly inputs: readonly string[];
  /** Names of the outputs. */
  readonly outputs: readonly string[];
  /** Run once. The result's arrays belong to the caller.
   * @throws DynnError 'runtime/run' when an input is missing or has a shape or dtype that the graph does not take */
  readonly run: (feeds: Tensors) => Promise<Tensors>;
  /** Give back its memory. */
  readonly release: () => Promise<void>;
}

/** An engine that runs graphs. */
export interface Backend {
  /** How records name the engine. */
  readonly name: string;
  /** Whether a graph may hold `If`, and only the branch that is taken costs time. */
  readonly routes?: boolean;
  /** Make a session that runs the graph.
   * @throws DynnError 'runtime/load' when the backend cannot run the graph */
  readonly compile: (graph: Graph) => Promise<Session>;
}
