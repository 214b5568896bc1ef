/** @file Gates in a training step: noise on their scores, surrogates for their values, and the loss
 *  that pays for open gates. Sources: Verelst & Tuytelaars, "Dynamic convolutions", CVPR 2020,
 *  section 3.3 (budget); Jang et al. 2017 (logistic noise); Graves 2016, equation 11 (ponder). */
import { withSurrogates } from "../../autodiff/gates.js";
import { fromNumbers } from "../../core/tensor.js";
import { int } from "../../graph/attributes.js";
import { GraphBuilder } from "../../graph/builder.js";
import type { Graph, ValueName } from "../../graph/graph.js";
import { inferShapes } from "../../graph/infer.js";
import { reduce, reduceSum, split } from "../../ops/support/emit.js";
import { opTable } from "../../ops/table.js";
import type { TrainedGate } from "../gates/attach.js";
import { EPSILON } from "../gates/halting.js";
import type { GatesConfig } from "../recipe/config.js";

/** Names of the inputs and outputs that gates add to a step. */
export const GATE_STEP = {
  /** Noise on the scores, [n, gates]. */
  noise: "step.gate_noise",
  /** Smallest and largest open rate that costs nothing, [2]. */
  bounds: "step.gate_bounds",
  /** Share of the batch for which each gate is open, [gates]. */
  rates: "step.gate_rates",
} as const;

/** A forward pass whose gates have a gradient. */
export interface GateForm {
  readonly graph: Graph;
  /** Values that no gradient passes. */
  readonly constants: ReadonlySet<ValueName>;
}

/** The forward pass with noise on the scores and with straight-through values. Gates that halt stay
 * as they are: their gradient passes the halting shares.
 * @param rows samples of a step */
export function gateForm(graph: Graph, gates: readonly TrainedGate[], config: GatesConfig, rows: number): GateForm {
  if (config.kind === "ponder") return { graph, constants: new Set() };
  const noisy = withNoise(graph, gates, rows);
  const { graph: made, constants } = withSurrogates(noisy, gates, { kind: "straight-through" });
  return { graph: inferShapes(made, opTable), constants };
}

/** Adds a fed number to each score. */
function withNoise(graph: Graph, gates: readonly TrainedGate[], rows: number): Graph {
  const b = new GraphBuilder({ ...graph, nodes: [] });
  for (const name of graph.nodes.flatMap((node) => node.outputs)) b.reserve(name);
  const noise = b.input(GATE_STEP.noise, "float32", [rows, gates.length]);
  const columns = split(b, noise, 1, new Array<number>(gates.length).fill(1));
  const known = new Map(gates.map(({ score }, k) => [score, columns[k]]));
  for (const node of graph.nodes) {
    const [score] = node.outputs as [ValueName];
    const column = known.get(score);
    if (column === undefined) {
      b.append(node);
      continue;
    }
    const clean = b.fresh(`${score}.clean`);
    b.append({ ...node, outputs: [clean] });
    const inputs = [clean, b.op("Reshape", [column, b.ints([-1])])];
    b.append({ opType: "Add", domain: "", name: "", inputs, outputs: [score], attributes: {} });
  }
  return b.build();
}

/** What gates add to the loss. */
export interface GateLoss {
  /** float32 scalar. */
  readonly total: ValueName;
  /** Share of the batch for which each gate is open, float32 [gates]. */
  readonly rates: ValueName;
}

/** Appends the loss of the gates. */
export function gateLoss(b: GraphBuilder, gates: readonly TrainedGate[], config: GatesConfig): GateLoss {
  const columns = gates.map(({ value }) => b.op("Reshape", [value, b.ints([-1, 1])]));
  const values = b.op("Concat", columns, { axis: int(1) }, "gates");
  const rates = reduce(b, "ReduceMean", values, [0], false);
  const cost = config.kind === "ponder" ? ponder(b, gates) : budget(b, gates, rates, config.target);
  return { total: b.op("Mul", [cost, b.scalar(config.weight)]), rates };
}

/** (c - target)^2 + mean of max(0, rate - upper)^2 + max(0, lower - rate)^2, with the share c of
 * the gated work that is done. */
function budget(b: GraphBuilder, gates: readonly TrainedGate[], rates: ValueName, target: number): ValueName {
  const all = gates.reduce((sum, { macs }) => sum + macs, 0);
  const shares = fromNumbers(
    "float32",
    [gates.length],
    gates.map(({ macs }) => macs / all),
  );
  const done = reduceSum(b, b.op("Mul", [rates, b.constant(shares)]), [0], false);
  const [lower, upper] = split(b, b.input(GATE_STEP.bounds, "float32", [2]), 0, [1, 1]) as [ValueName, ValueName];
  const above = squareOf(b, b.op("Relu", [b.op("Sub", [rates, upper])]));
  const below = squareOf(b, b.op("Relu", [b.op("Sub", [lower, rates])]));
  const outside = reduce(b, "ReduceMean", b.op("Add", [above, below]), [0], false);
  return b.op("Add", [squareOf(b, b.op("Sub", [done, b.scalar(target)])), outside]);
}

const squareOf = (b: GraphBuilder, x: ValueName): ValueName => b.op("Mul", [x, x]);

/** The mean over the batch of the stages' ponder costs N + R: the number of blocks that run, and
 * what is left for the last one. N has no gradient. */
function ponder(b: GraphBuilder, gates: readonly TrainedGate[]): ValueName {
  const stages = [...new Set(gates.map(({ stage }) => stage))];
  const costs = stages.map((stage) =>
    stagePonder(
      b,
      gates.filter((gate) => gate.stage === stage),
    ),
  );
  const sum = costs.reduce((total, cost) => b.op("Add", [total, cost]));
  return reduce(b, "ReduceMean", sum, [0], false);
}

/** 1 + sum of active_k + remainder, [n]. A score is what is left minus EPSILON. */
function stagePonder(b: GraphBuilder, gates: readonly TrainedGate[]): ValueName {
  const flat = gates.map(({ value }) => b.op("Reshape", [value, b.ints([-1])]));
  const left = gates.map(({ score }) => b.op("Add", [score, b.scalar(EPSILON)]));
  const add = (x: ValueName, y: ValueName): ValueName => b.op("Add", [x, y]);
  const one = b.scalar(1);
  const remainders = [...flat, undefined].map((next, k) => {
    const active = flat[k - 1] ?? one;
    const stops = next === undefined ? active : b.op("Sub", [active, next]);
    return b.op("Mul", [stops, left[k - 1] ?? one]);
  });
  return add(flat.reduce(add, one), remainders.reduce(add));
}
