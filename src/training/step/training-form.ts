/** @file Changes a graph from its inference form to its training form. BatchNormalization then uses
 *  the statistics of the batch, and Dropout takes a mask as an input. Parameters and running
 *  statistics become inputs. */
import { isFloat } from "../../core/dtype.js";
import type { Tensor } from "../../core/tensor.js";
import { GraphBuilder } from "../../graph/builder.js";
import type { Graph, ValueName } from "../../graph/graph.js";
import { inferContext, inferShapes } from "../../graph/infer.js";
import type { DropoutMask, RunningStatistic } from "../../graph/op.js";
import { prune } from "../../graph/passes/prune.js";
import { opTable } from "../../ops/table.js";

/** Float initializers with such names are parameters. The names are those of PyTorch. `.mix` is the
 * pooling mix of an SDN head. */
export const PARAMETER = /\.(weight|bias|mix)$/;

/** The parameters that the outputs depend on, in the graph's order. */
export const parametersOf = (graph: Graph): ValueName[] =>
  [...prune(graph).initializers].filter(([name, t]) => PARAMETER.test(name) && isFloat(t.dtype)).map(([name]) => name);

export interface TrainingForm {
  /** The graph, with parameters and statistics as inputs. Types are inferred with a fixed batch. */
  readonly graph: Graph;
  readonly statistics: readonly RunningStatistic[];
  readonly masks: readonly DropoutMask[];
}

export interface TrainingFormOptions {
  /** Samples of one step, which replace the named batch. */
  readonly batch: number;
  /** Parameters that become inputs. */
  readonly trained: readonly ValueName[];
  /** Whether all nodes keep their inference form. */
  readonly frozen: boolean;
}

/** @throws DynnError 'training/config' when an operator has no training form in the graph's
 *  opset */
export function trainingForm(source: Graph, { batch, trained, frozen }: TrainingFormOptions): TrainingForm {
  const graph = inferShapes(source, opTable, { n: batch });
  const b = new GraphBuilder({ ...graph, nodes: [] });
  for (const name of graph.nodes.flatMap((node) => node.outputs)) b.reserve(name);
  const statistics: RunningStatistic[] = [];
  const masks: DropoutMask[] = [];
  const adders = {
    addStatistic: (s: RunningStatistic) => void statistics.push(s),
    addMask: (m: DropoutMask) => void masks.push(m),
  };
  for (const node of graph.nodes) {
    const { train } = opTable.get(node);
    if (train && !frozen) train({ ...inferContext(graph, node, graph.types), b, ...adders });
    else b.append(node);
  }
  const moved = [...trained, ...statistics.map((s) => s.name)];
  return { graph: inferShapes(asInputs(b.build(), moved), opTable), statistics, masks };
}

/** The graph with these initializers as inputs. */
export function asInputs(graph: Graph, names: readonly ValueName[]): Graph {
  const initializers = new Map(graph.initializers);
  const inputs = names.map((name) => {
    const { dtype, dims } = initializers.get(name) as Tensor;
    initializers.delete(name);
    return { name, dtype, shape: dims };
  });
  return { ...graph, inputs: [...graph.inputs, ...inputs], initializers, types: new Map() };
}
