/** @file Attaches gates to the residual blocks of a classifier. The graph stays plain ONNX in the
 *  masked form: every block runs, and the gate's value 0 or 1 multiplies its branch. */
import { isStatic } from "../../core/shape.js";
import { GraphBuilder } from "../../graph/builder.js";
import type { Graph, Node, ValueName } from "../../graph/graph.js";
import { inferShapes } from "../../graph/infer.js";
import { GATES, type GateName } from "../../nn/gates/index.js";
import type { ScoreOf } from "../../nn/gates/mechanism.js";
import type { Feature, Scope } from "../../nn/layers.js";
import { cast } from "../../ops/support/mask.js";
import { opTable } from "../../ops/table.js";
import { type GatePlaces, gateSites, type NamedBlock } from "./sites.js";

/** A gate of a network in training. The names are those of the metadata `dynn.gates`. */
export interface TrainedGate {
  /** The name of the gate's block. */
  readonly name: string;
  /** The gate's score, float32 [n]. The block runs where it is at least 0. */
  readonly score: ValueName;
  /** 1 for samples whose block runs and 0 for the others, float32 [n,1,1,1]. */
  readonly value: ValueName;
  /** What the value multiplies. */
  readonly branch: ValueName;
  /** MACs of the branch for one sample. */
  readonly macs: number;
  /** The number of the stage that halts as one, for gates that halt. */
  readonly stage?: number | undefined;
}

/** A graph with gates. */
export interface GatedGraph {
  /** The graph with inferred types. */
  readonly graph: Graph;
  /** The gates, in the order of their blocks. */
  readonly gates: readonly TrainedGate[];
}

/** Options of {@link attachGates}. */
export interface GateOptions {
  /** How scores are made. */
  readonly gate: GateName;
  /** Which blocks get gates. */
  readonly places?: GatePlaces | undefined;
  /** The seed of the gates' first weights. */
  readonly seed?: number | undefined;
}

/** Puts a gate on each chosen block: `sum = shortcut + value * branch`. Parameters of the network
 * keep their names and values.
 * @param source one image input; the last output holds the final logits
 * @throws DynnError 'training/config' when no block could have a gate
 * @example
 * const { graph, gates } = attachGates(plain, { gate: "pooled", seed: 1 }); */
export function attachGates(source: Graph, { gate, places = "same-size", seed = 0 }: GateOptions): GatedGraph {
  const graph = inferShapes(source, opTable);
  const sites = new Map(gateSites(graph, places).map((site) => [site.sum, site]));
  const b = new GraphBuilder({ ...graph, nodes: [] });
  for (const name of graph.nodes.flatMap((node) => node.outputs)) b.reserve(name);
  const at: Scope = { b, seed, path: "" };
  const gates: TrainedGate[] = [];
  let scoreOf: ScoreOf | undefined;
  for (const node of graph.nodes) {
    const site = sites.get(node.outputs[0]);
    if (!site) {
      b.append(node);
      continue;
    }
    scoreOf ??= GATES[gate].mechanism({ at, image: firstImage(graph), count: sites.size });
    gates.push(gated(at, node, site, scoreOf(scopeOf(at, site), featureOf(graph, site.input))));
  }
  return { graph: inferShapes(b.build(), opTable), gates };
}

/** The scope of a block's gate. */
export const scopeOf = (at: Scope, { name }: NamedBlock): Scope => ({ ...at, path: `${name}.gate` });

/** Appends the sum of a block with its gate.
 * @param score [n,1] */
function gated(at: Scope, node: Node, site: NamedBlock, { value }: Feature): TrainedGate {
  const score = at.b.op("Reshape", [value, at.b.ints([-1])], {}, `${site.name}.gate.score`);
  return appendGate(at.b, node, site, score);
}

/** Appends the value of a gate, its product with the branch, and the sum of the block.
 * @param score [n] */
export function appendGate(b: GraphBuilder, node: Node, site: NamedBlock, score: ValueName): TrainedGate {
  const { name, branch, macs } = site;
  const value = b.op("Reshape", [cast(b, isOpen(b, score), "float32"), b.ints([-1, 1, 1, 1])], {}, `${name}.gate`);
  const product = b.op("Mul", [branch, value], {}, `${name}.gated`);
  b.append({ ...node, inputs: node.inputs.map((input) => (input === branch ? product : input)) });
  return { name, score, value, branch, macs };
}

/** Opset 12 is the first with GreaterOrEqual. */
const isOpen = (b: GraphBuilder, score: ValueName): ValueName =>
  b.opset >= 12 ? b.op("GreaterOrEqual", [score, b.scalar(0)]) : b.op("Not", [b.op("Less", [score, b.scalar(0)])]);

/** A value and its sizes without the batch. */
export function featureOf(graph: Graph, value: ValueName): Feature {
  const dims = graph.types.get(value)?.shape.slice(1);
  if (!dims || !isStatic(dims)) throw new Error(`bug: the sizes of "${value}" are not known`);
  return { value, dims };
}

/** The images as the first convolution reads them, normalised. */
function firstImage(graph: Graph): Feature {
  const first = graph.nodes.find((node) => node.opType === "Conv");
  return featureOf(graph, first?.inputs[0] ?? graph.inputs[0].name);
}
