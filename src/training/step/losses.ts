/** @file The loss of a training step as graph nodes. All exits are stacked first, so that the number of nodes does not grow with
 *  their number, and a network with one exit is no other case. */
import { crossEntropy, targetsOf } from "../../autodiff/losses.js";
import { fromNumbers } from "../../core/tensor.js";
import { int } from "../../graph/attributes.js";
import type { GraphBuilder } from "../../graph/builder.js";
import type { ValueName } from "../../graph/graph.js";
import { reduce, reduceSum, unsqueeze } from "../../ops/support/emit.js";
import { cast } from "../../ops/support/mask.js";
import type { DistillConfig } from "../recipe/config.js";

/** Axes of the stack [exits, n, classes]. */
const [EXITS, BATCH, CLASSES] = [0, 1, 2];

export interface MixedLossRequest {
  /** Logits float32 [n, classes] of every exit, the final one last. */
  readonly exits: readonly ValueName[];
  /** int64 [n], each in [0, classes). */
  readonly labels: ValueName;
  readonly classes: number;
  /** Coefficient of each exit, float32 [exits]. */
  readonly weights: ValueName;
  /** Share of each target that is spread evenly over the classes. */
  readonly labelSmoothing: number;
  /** The early exits learn from the final one as well. */
  readonly distill?: DistillConfig | undefined;
}

export interface MixedLoss {
  /** Sum over exits of coefficient * loss, float32 scalar. */
  readonly total: ValueName;
  /** Loss of each exit, mean over the batch, float32 [exits]. */
  readonly perExit: ValueName;
  /** Images of the batch whose label each exit's largest logit names, float32 [exits]. */
  readonly correct: ValueName;
  /** Values that the gradient must not pass: the teacher's. For the gradient's `constants`. */
  readonly constants: ReadonlySet<ValueName>;
}

/** Append sum_k weights[k] * mean over the batch of L_k. L_k is the cross-entropy with smoothed labels; with distillation, an early
 * exit's is (1 - weight) * cross-entropy + weight * T^2 * KL(teacher, exit) on logits / T (Hinton et al. 2015, section 2; the
 * final exit as the teacher: Phuong & Lampert 2019).
 * The seed of the gradient is 1 at `total`, and `constants` goes with it. */
export function mixedLoss(b: GraphBuilder, request: MixedLossRequest): MixedLoss {
  const { exits, labels, classes, weights, labelSmoothing, distill } = request;
  const rows = exits.map((logits) => unsqueeze(b, logits, [EXITS]));
  const stack = b.op("Concat", rows, { axis: int(EXITS) }, "exits");
  const hard = crossEntropy(b, stack, targetsOf(b, labels, classes, labelSmoothing), CLASSES);
  const constants = new Set<ValueName>();
  const losses = distill ? distilled(b, { exits, stack, hard, constants }, distill) : hard;
  const perExit = reduce(b, "ReduceMean", losses, [BATCH], false);
  const total = reduceSum(b, b.op("Mul", [perExit, weights]), [0], false);
  return { total, perExit, correct: correctOf(b, stack, labels), constants };
}

/** The hard losses [exits, n] mixed with what the early exits miss of the final exit's distribution; the teacher's logarithms are
 *  added to `constants`. */
function distilled(
  b: GraphBuilder,
  on: {
    readonly exits: readonly ValueName[];
    readonly stack: ValueName;
    readonly hard: ValueName;
    readonly constants: Set<ValueName>;
  },
  { temperature, weight }: DistillConfig,
): ValueName {
  const final = on.exits.length - 1;
  const tempered = (logits: ValueName, axis: number): ValueName =>
    b.op("LogSoftmax", [b.op("Div", [logits, b.scalar(temperature)])], { axis: int(axis) });
  const teacher = tempered(on.exits[final], 1);
  on.constants.add(teacher);
  const gap = b.op("Sub", [teacher, tempered(on.stack, CLASSES)]);
  const divergence = reduceSum(b, b.op("Mul", [b.op("Exp", [teacher]), gap]), [CLASSES], false);
  const shares = (early: number, last: number): ValueName =>
    b.constant(
      fromNumbers(
        "float32",
        [final + 1, 1],
        on.exits.map((_, k) => (k === final ? last : early)),
      ),
    );
  return b.op("Add", [
    b.op("Mul", [on.hard, shares(1 - weight, 1)]),
    b.op("Mul", [divergence, shares(weight * temperature ** 2, 0)]),
  ]);
}

function correctOf(b: GraphBuilder, stack: ValueName, labels: ValueName): ValueName {
  const answers = b.op("ArgMax", [stack], { axis: int(CLASSES), keepdims: int(0) });
  return reduceSum(b, cast(b, b.op("Equal", [answers, labels]), "float32"), [BATCH], false);
}
