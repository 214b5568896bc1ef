/** @file Optimizers as graph nodes: the update of each parameter and of its state. The formulas are
 *  those of PyTorch. They use few nodes, because every node is one kernel launch per parameter. */
import { int } from "../../graph/attributes.js";
import type { GraphBuilder } from "../../graph/builder.js";
import type { ValueName } from "../../graph/graph.js";
import { cast } from "../../ops/support/mask.js";
import type { AdamConfig, OptimizerConfig, SgdConfig } from "../recipe/config.js";

/** Values that all updates of a step use. */
export interface StepScalars {
  /** float32 scalar. */
  readonly learningRate: ValueName;
  /** float32 scalar, 1 at the first update. */
  readonly step: ValueName;
}

/** One parameter before its update. All values are float32 with the parameter's shape. */
export interface ParameterUpdate {
  readonly param: ValueName;
  readonly grad: ValueName;
  /** One value per slot, in the order of the slots. Zeros before the first update. */
  readonly state: readonly ValueName[];
  /** Whether weight decay applies to this parameter. */
  readonly decay: boolean;
}

export interface UpdatedParameter {
  readonly param: ValueName;
  readonly state: readonly ValueName[];
}

export interface OptimizerEmitter {
  /** Names of the tensors that the optimizer keeps for each parameter. */
  readonly slots: readonly string[];
  /** Appends the nodes for all parameters together. The returned function appends the update of one
   * parameter. */
  readonly begin: (b: GraphBuilder, scalars: StepScalars) => (update: ParameterUpdate) => UpdatedParameter;
}

export const optimizerOf = (config: OptimizerConfig): OptimizerEmitter =>
  config.kind === "sgd" ? sgd(config) : adam(config);

/** `v = momentum * v + g; p -= lr * v`, or with Nesterov `p -= lr * (g + momentum * v)` (Sutskever
 * et al. 2013, as in PyTorch). */
const sgd = ({ momentum, nesterov, weightDecay }: SgdConfig): OptimizerEmitter => ({
  slots: momentum === 0 ? [] : ["momentum"],
  begin: (b, { learningRate }) => {
    const plus = (x: ValueName, factor: number, y: ValueName): ValueName =>
      b.op("Add", [x, b.op("Mul", [y, b.scalar(factor)])]);
    return ({ param, grad, state, decay }) => {
      const g = decay && weightDecay > 0 ? plus(grad, weightDecay, param) : grad;
      const velocities = state.map((v) => plus(g, momentum, v));
      const [v = g] = velocities;
      const direction = nesterov && momentum > 0 ? plus(g, momentum, v) : v;
      return { param: b.op("Sub", [param, b.op("Mul", [direction, learningRate])], {}, "param"), state: velocities };
    };
  },
});

/** Kingma & Ba 2015, algorithm 1, in the order of operations at the end of section 2. There the
 * step size and epsilon contain the bias corrections, and all parameters use the same two numbers.
 * AdamW: Loshchilov & Hutter 2019, algorithm 2, with the decay scaled by lr. */
const adam = ({ kind, beta1, beta2, epsilon, weightDecay }: AdamConfig): OptimizerEmitter => ({
  slots: ["m", "v"],
  begin: (b, scalars) => {
    const { stepSize, offset } = correctedSteps(b, scalars, { beta1, beta2, epsilon });
    const decoupled = kind === "adamw" && weightDecay > 0;
    const shrink = decoupled ? oneMinus(b, b.op("Mul", [scalars.learningRate, b.scalar(weightDecay)])) : "";
    return ({ param, grad, state: [m = "", v = ""], decay }) => {
      const coupled = decay && !decoupled && weightDecay > 0;
      const g = coupled ? b.op("Add", [grad, b.op("Mul", [param, b.scalar(weightDecay)])]) : grad;
      const kept = decay && decoupled ? b.op("Mul", [param, shrink]) : param;
      const mean = averaged(b, m, g, beta1);
      const square = averaged(b, v, b.op("Mul", [g, g]), beta2);
      const denominator = b.op("Add", [b.op("Sqrt", [square]), offset]);
      const change = b.op("Div", [b.op("Mul", [mean, stepSize]), denominator]);
      return { param: b.op("Sub", [kept, change], {}, "param"), state: [mean, square] };
    };
  },
});

/** lr * sqrt(1 - beta2^t) / (1 - beta1^t), and epsilon * sqrt(1 - beta2^t). They are computed in
 * float64, because float32 keeps only four digits of 1 - 0.999^t in the first steps. */
function correctedSteps(
  b: GraphBuilder,
  { learningRate, step }: StepScalars,
  { beta1, beta2, epsilon }: Pick<AdamConfig, "beta1" | "beta2" | "epsilon">,
): { readonly stepSize: ValueName; readonly offset: ValueName } {
  const t = cast(b, step, "float64");
  const correction = (beta: number): ValueName =>
    b.op("Sub", [b.scalar(1, "float64"), b.op("Pow", [b.scalar(beta, "float64"), t])]);
  const root = b.op("Sqrt", [correction(beta2)]);
  const ratio = b.op("Div", [root, correction(beta1)]);
  return {
    stepSize: cast(b, b.op("Mul", [cast(b, learningRate, "float64"), ratio]), "float32"),
    offset: cast(b, b.op("Mul", [b.scalar(epsilon, "float64"), root]), "float32"),
  };
}

const oneMinus = (b: GraphBuilder, x: ValueName): ValueName => b.op("Sub", [b.scalar(1), x]);

/** A running average: decay * average + (1 - decay) * value. For weights, the decay is near 1
 * (Polyak & Juditsky 1992). */
export const averaged = (b: GraphBuilder, average: ValueName, value: ValueName, decay: number): ValueName =>
  b.op("Add", [b.op("Mul", [average, b.scalar(decay)]), b.op("Mul", [value, b.scalar(1 - decay)])]);

/** Scales all gradients down together when their common L2 norm is above `maxNorm`. The factor is
 * min(1, maxNorm / (norm + 1e-6)) (Pascanu et al. 2013, section 3.2, with the guard of PyTorch's
 * clip_grad_norm_).
 * @param grads float32 of any shapes, at least one */
export function clipGradients(b: GraphBuilder, grads: readonly ValueName[], maxNorm: number): readonly ValueName[] {
  const squares = grads.map((grad) => b.op("ReduceSumSquare", [grad], { keepdims: int(0) }));
  const norm = b.op("Sqrt", [b.op("Sum", squares)]);
  const ratio = b.op("Div", [b.scalar(maxNorm), b.op("Add", [norm, b.scalar(1e-6)])]);
  const coefficient = b.op("Min", [ratio, b.scalar(1)]);
  return grads.map((grad) => b.op("Mul", [grad, coefficient]));
}
