/** @file The interface of backends. A backend compiles a graph and runs it on tensors. */
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
  /** Runs the graph once. The arrays of the result belong to the caller.
   * @throws DynnError 'runtime/run' when an input is missing or has a shape or dtype that the
   *   graph does not take */
  readonly run: (feeds: Tensors) => Promise<Tensors>;
  /** Frees the memory of the session. */
  readonly release: () => Promise<void>;
}

/** The machine that runs graphs, for records. */
export interface BackendMachine {
  readonly cpu: string;
  readonly cores: number;
  /** E.g. "node 22.11.0". */
  readonly runtime: string;
  /** E.g. "onnxruntime 1.30.0". */
  readonly engine: string;
  /** Threads inside one operator. Null: the engine's own choice. */
  readonly threads: number | null;
  /** Mean number of running processes over the last minute. */
  readonly load: number;
}

/** An engine that runs graphs. */
export interface Backend {
  /** The name of the engine in records. */
  readonly name: string;
  /** Whether a graph may hold `If`. Only the branch that runs then takes time. */
  readonly routes?: boolean;
  /** Bytes of memory that runs can still take. Left out: not known, as in a browser. */
  readonly freeMemory?: () => number;
  /** Describes the machine. Left out: not known. */
  readonly machine?: () => BackendMachine;
  /** Makes a session that runs the graph.
   * @throws DynnError 'runtime/load' when the backend cannot run the graph */
  readonly compile: (graph: Graph) => Promise<Session>;
}
