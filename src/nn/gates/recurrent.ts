/** @file Gates that share an LSTM, which takes one step for each block. So a gate knows what
 *  earlier gates read. The steps are written out one after the other. Source: Wang et al.,
 *  "SkipNet", ECCV 2018, section 3.2 (recurrent gate), with a state of 10 as in its code. */
import { int } from "../../graph/attributes.js";
import type { GraphBuilder } from "../../graph/builder.js";
import type { ValueName } from "../../graph/graph.js";
import { type Initial, linearUniform } from "../init.js";
import { type Feature, inside, linear, node, parameter, type Scope } from "../layers.js";
import { averaged, type GateMechanism, OPEN } from "./mechanism.js";

const STATE = 10;

/** Parts of a step, in the order of their rows in the weights. */
const PARTS = ["write", "keep", "fresh", "show"] as const;

/** Zeros, and 1 for the part that keeps the memory. Source: Gers et al. 2000. */
const keepsAtFirst: Initial = (_, dims) => {
  const data = new Float32Array(PARTS.length * STATE);
  data.fill(1, PARTS.indexOf("keep") * STATE, (PARTS.indexOf("keep") + 1) * STATE);
  return { dtype: "float32", dims, data };
};

/** The projection of each block is its own. The LSTM and the last layer are shared. */
export const recurrentGate: GateMechanism = ({ at: top }) => {
  const shared = inside(top, "recurrent.gate");
  const [step, score] = [lstm(shared), scoreLayer(inside(shared, "score"))];
  return (at, x) => {
    const own = inside(at, "fc1");
    return score(at, step(at, linear(own, own.path, averaged(at, x), STATE)));
  };
};

function scoreLayer(shared: Scope): (at: Scope, x: Feature) => Feature {
  const weight = parameter(shared, "weight", [1, STATE], OPEN.weight);
  const bias = parameter(shared, "bias", [1], OPEN.bias);
  return (at, x) => node(at, "fc2", "Gemm", [x.value, weight, bias], [1], { transB: int(1) });
}

interface Memory {
  readonly state: ValueName;
  readonly memory: ValueName;
}

/** An LSTM of one layer. State and memory are zero before its first step. Source: Hochreiter &
 * Schmidhuber 1997, with the forget gate of Gers et al. 2000. */
function lstm(shared: Scope): (at: Scope, x: Feature) => Feature {
  const rows = PARTS.length * STATE;
  const matrix = (name: string): ValueName =>
    parameter(inside(shared, name), "weight", [rows, STATE], linearUniform(STATE));
  const [input, hidden] = [matrix("input"), matrix("hidden")];
  const bias = parameter(inside(shared, "input"), "bias", [rows], keepsAtFirst);
  let last: Memory | undefined;
  return ({ b }, x) => {
    const own = b.op("Gemm", [x.value, input, bias], { transB: int(1) });
    last = stepOf(b, last ? b.op("Gemm", [last.state, hidden, own], { transB: int(1) }) : own, last);
    return { value: last.state, dims: [STATE] };
  };
}

/** memory = keep * memory + write * fresh; state = show * tanh(memory).
 * @param sums the weighted sums of all parts, [n, 40] */
function stepOf(b: GraphBuilder, sums: ValueName, last: Memory | undefined): Memory {
  const [write, keep, fresh, show] = PARTS.map((_, i) => partOf(b, sums, i)) as [string, string, string, string];
  const gated = (gate: ValueName, value: ValueName): ValueName => b.op("Mul", [b.op("Sigmoid", [gate]), value]);
  const added = gated(write, b.op("Tanh", [fresh]));
  const memory = last ? b.op("Add", [gated(keep, last.memory), added]) : added;
  return { state: gated(show, b.op("Tanh", [memory])), memory };
}

const partOf = (b: GraphBuilder, sums: ValueName, part: number): ValueName =>
  b.op("Slice", [sums, b.ints([part * STATE]), b.ints([(part + 1) * STATE]), b.ints([1])]);
