/** @file Names the parameters of a network that another program exported, so that training changes
 *  them. Exporters fold BatchNormalization into convolutions and give the results names of their
 *  own. */
import { isFloat } from "../../core/dtype.js";
import { GraphBuilder } from "../../graph/builder.js";
import { type Graph, type Node, subgraphs, type ValueName } from "../../graph/graph.js";
import { PARAMETER } from "../step/training-form.js";

/** The part that each input of an operator plays. */
const LINEAR = [undefined, "weight", "bias"] as const;
const PARTS: Readonly<Record<string, typeof LINEAR>> = {
  Conv: LINEAR,
  ConvTranspose: LINEAR,
  Gemm: LINEAR,
  MatMul: LINEAR,
  BatchNormalization: LINEAR,
};

/** The graph with names that end in `.weight` or `.bias` for the constants of linear layers and of
 * BatchNormalization. Other names and all values stay. A graph with inner graphs stays as it is. */
export function withNamedParameters(graph: Graph): Graph {
  const names = newNames(graph);
  if (names.size === 0) return graph;
  const named = (name: ValueName): ValueName => names.get(name) ?? name;
  return {
    ...graph,
    nodes: graph.nodes.map((node) => ({ ...node, inputs: node.inputs.map(named) })),
    initializers: new Map([...graph.initializers].map(([name, tensor]) => [named(name), tensor])),
    types: new Map(),
  };
}

function newNames(graph: Graph): ReadonlyMap<ValueName, ValueName> {
  const b = new GraphBuilder(graph);
  const names = new Map<ValueName, ValueName>();
  if (graph.nodes.some((node) => subgraphs(node).length > 0)) return names;
  for (const { name, part } of graph.nodes.flatMap(partsOf)) {
    const tensor = graph.initializers.get(name);
    const isNew = tensor && isFloat(tensor.dtype) && !PARAMETER.test(name) && !names.has(name);
    if (isNew) names.set(name, b.fresh(`${name}.${part}`));
  }
  return names;
}

const partsOf = ({ domain, opType, inputs }: Node): readonly { name: ValueName; part: string }[] =>
  (domain === "" ? (PARTS[opType] ?? []) : []).flatMap((part, i) => {
    const name = inputs[i];
    return part && name ? [{ name, part }] : [];
  });
