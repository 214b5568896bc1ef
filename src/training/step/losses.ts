/** @file The loss of a training step as graph nodes. All exits are stacked first, so the number of
 *  nodes does not depend on the number of exits. A network with one exit is not a special case. */
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
  /** Logits float32 [n, classes] of every exit, the final exit last. */
  readonly exits: readonly ValueName[];
  /** int64 [n], each in [0, classes). */
  readonly labels: ValueName;
  readonly classes: number;
  /** Coefficient of each exit, float32 [exits]. */
  readonly weights: ValueName;
  /** Share of each target that is spread evenly over the classes. */
  readonly labelSmoothing: number;
  /** Settings of distillation: early exits also learn from the final exit, or all exits from the
   * teacher. */
  readonly distill?: DistillConfig | undefined;
  /** Logits of another network, float32 [n, classes]. Left out: the final exit is the teacher. */
  readonly teacher?: ValueName | undefined;
}

export interface MixedLoss {
  /** Sum over exits of coefficient * loss, float32 scalar. */
  readonly total: ValueName;
  /** Mean loss of each exit over the batch, float32 [exits]. */
  readonly perExit: ValueName;
  /** Number of images in the batch that each exit answers right, float32 [exits]. */
  readonly correct: ValueName;
  /** The teacher's values. The gradient must not pass them, so they belong to the gradient's
   * `constants`. */
  readonly constants: ReadonlySet<ValueName>;
}

/** Appends sum_k weights[k] * mean over the batch of L_k. L_k is the cross-entropy with smoothed
 * labels. With distillation, an exit that learns has L_k =
 * `(1 - weight) * cross-entropy + weight * T^2 * KL(teacher, exit)` on logits / T (Hinton et al.
 * 2015, section 2; the final exit as the teacher: Phuong & Lampert 2019). A gradient starts with 1
 * at `total` and takes `constants`. */
export function mixedLoss(b: GraphBuilder, request: MixedLossRequest): MixedLoss {
  const { exits, labels, classes, weights, labelSmoothing, distill, teacher } = request;
  const rows = exits.map((logits) => unsqueeze(b, logits, [EXITS]));
  const stack = b.op("Concat", rows, { axis: int(EXITS) }, "exits");
  const hard = crossEntropy(b, stack, targetsOf(b, labels, classes, labelSmoothing), CLASSES);
  const constants = new Set<ValueName>();
  const losses = distill ? distilled(b, { exits, stack, hard, constants, teacher }, distill) : hard;
  const perExit = reduce(b, "ReduceMean", losses, [BATCH], false);
  const total = reduceSum(b, b.op("Mul", [perExit, weights]), [0], false);
  return { total, perExit, correct: correctOf(b, stack, labels), constants };
}

/** Mixes the hard losses [exits, n] with the divergence of the exits from the teacher. Adds the
 * teacher's logarithms to `constants`. */
function distilled(
  b: GraphBuilder,
  on: {
    readonly exits: readonly ValueName[];
    readonly stack: ValueName;
    readonly hard: ValueName;
    readonly constants: Set<ValueName>;
    readonly teacher: ValueName | undefined;
  },
  { temperature, weight }: DistillConfig,
): ValueName {
  const final = on.exits.length - 1;
  const tempered = (logits: ValueName, axis: number): ValueName =>
    b.op("LogSoftmax", [b.op("Div", [logits, b.scalar(temperature)])], { axis: int(axis) });
  const teacher = tempered(on.teacher ?? on.exits[final], 1);
  on.constants.add(teacher);
  const gap = b.op("Sub", [teacher, tempered(on.stack, CLASSES)]);
  const divergence = reduceSum(b, b.op("Mul", [b.op("Exp", [teacher]), gap]), [CLASSES], false);
  const shares = (early: number, last: number): ValueName =>
    b.constant(
      fromNumbers(
        "float32",
        [final + 1, 1],
        on.exits.map((_, k) => (k === final && on.teacher === undefined ? last : early)),
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
