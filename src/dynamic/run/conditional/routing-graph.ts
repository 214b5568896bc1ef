/** @file A policy as graph nodes, in standard operators and for a whole batch. The nodes compute
 *  the same as `readingOf` and `routeReadings`, and also in float64, so both decide alike. In
 *  float32 the confidence of a trained network is often exactly 1, and equal values would be ranked
 *  differently. NaN never fires, because each comparison with NaN is false, and a sample stops only
 *  where the comparison is true. */

import { ONNX_CODE } from "../../../core/dtype.js";
import { int64s } from "../../../core/tensor.js";
import { int, tensorAttribute } from "../../../graph/attributes.js";
import type { GraphBuilder } from "../../../graph/builder.js";
import type { ValueName } from "../../../graph/graph.js";
import { reduce, unsqueeze } from "../../../ops/support/emit.js";
import type { Policy, Rule } from "../../../schema/policy.js";

type Comparison = "Greater" | "Less";

/** {@link RULE_DEFS} as operators. */
interface RuleNodes {
  /** Logits over the temperature [n, classes] -> confidence [n], both float64. */
  readonly confidence: (b: GraphBuilder, scaled: ValueName) => ValueName;
  /** The comparison that is true when the first exit is more confident than the second. An exit
   * fires when its confidence compares so with the threshold, or equals it. */
  readonly surer: Comparison;
}

const softmax = (b: GraphBuilder, scaled: ValueName): ValueName => b.op("Softmax", [scaled], { axis: int(1) });

const maxSoftmax = (b: GraphBuilder, scaled: ValueName): ValueName =>
  reduce(b, "ReduceMax", softmax(b, scaled), [1], false);

const RULE_NODES = {
  "max-softmax": { confidence: maxSoftmax, surer: "Greater" },
  entropy: { confidence: entropy, surer: "Less" },
  margin: { confidence: margin, surer: "Greater" },
  patience: { confidence: maxSoftmax, surer: "Greater" },
} as const satisfies Record<Rule, RuleNodes>;

function entropy(b: GraphBuilder, scaled: ValueName): ValueName {
  const p = softmax(b, scaled);
  const zero = b.scalar(0, "float64");
  const terms = b.op("Mul", [p, b.op("Log", [p])]);
  const defined = b.op("Where", [b.op("Equal", [p, zero]), zero, terms]);
  return b.op("Neg", [reduce(b, "ReduceSum", defined, [1], false)]);
}

function margin(b: GraphBuilder, scaled: ValueName): ValueName {
  const [top] = b.ops("TopK", [softmax(b, scaled), b.ints([2])], 2, { axis: int(1) }) as [ValueName, ValueName];
  const place = (i: number) => b.op("Gather", [top, b.scalar(i, "int64")], { axis: int(1) });
  return b.op("Sub", [place(0), place(1)]);
}

/** The answer of an exit for each sample: logits [n, classes], confidence [n] in float64. */
export interface Answer {
  readonly logits: ValueName;
  readonly confidence: ValueName;
}

/** Facts about earlier exits, one row per sample. For patience: the last label, and the number of
 * exits in a row that gave it. For the fallback most-confident: the most confident answer so
 * far. With gates: their bits so far. */
export type Memory = Readonly<Partial<Record<"label" | "run" | "gates" | keyof Answer, ValueName>>>;

/** An exit's nodes. */
export interface ExitNodes {
  /** The answer for a sample that stops here. */
  readonly answer: Answer;
  /** Whether a sample stops here, bool [n]. Undefined at the final exit, where all samples stop. */
  readonly fires: ValueName | undefined;
  readonly memory: Memory;
}

/** Appends the nodes that read one exit.
 * @param logits float32 [n, classes]
 * @param exit its number in `policy`
 * @param last whether it is the final exit
 * @param before the memory of the exit before */
export function readExit(
  b: GraphBuilder,
  logits: ValueName,
  { policy, exit, last }: { readonly policy: Policy; readonly exit: number; readonly last: boolean },
  before: Memory,
): ExitNodes {
  const { confidence, surer } = RULE_NODES[policy.rule];
  const own = { logits, confidence: confidence(b, scaledLogits(b, logits, policy.temperatures?.[exit])) };
  const surest = policy.fallback === "most-confident" ? surestOf(b, surer, own, before) : undefined;
  if (last) return { answer: surest ?? own, fires: undefined, memory: {} };
  if (policy.rule !== "patience")
    return { answer: own, fires: orEqual(b, surer, own.confidence, threshold(b, policy, exit)), memory: { ...surest } };
  const agreed = agreement(b, logits, before);
  const patience = b.scalar(policy.thresholds[0], "int64");
  return { answer: own, fires: orEqual(b, "Greater", agreed.run, patience), memory: { ...surest, ...agreed } };
}

const threshold = (b: GraphBuilder, { thresholds }: Policy, exit: number): ValueName =>
  b.scalar(thresholds[exit], "float64");

function scaledLogits(b: GraphBuilder, logits: ValueName, temperature = 1): ValueName {
  const exact = b.op("Cast", [logits], { to: int(ONNX_CODE.float64) });
  return temperature === 1 ? exact : b.op("Div", [exact, b.scalar(temperature, "float64")]);
}

/** The label, and the number of exits in a row that gave it: 1 + run * (label = label before). */
function agreement(b: GraphBuilder, logits: ValueName, before: Memory): { label: ValueName; run: ValueName } {
  const label = labelOf(b, logits);
  if (before.label === undefined || before.run === undefined) return { label, run: filled(b, label, 1) };
  const same = b.op("Cast", [b.op("Equal", [label, before.label])], { to: int(ONNX_CODE.int64) });
  return { label, run: b.op("Add", [b.op("Mul", [before.run, same]), b.scalar(1, "int64")]) };
}

/** The more confident answer of this exit and the earlier exits. The earlier one, if both are
 * equal. */
function surestOf(b: GraphBuilder, surer: Comparison, own: Answer, before: Memory): Answer {
  if (before.logits === undefined || before.confidence === undefined) return own;
  const better = b.op(surer, [own.confidence, before.confidence]);
  return {
    logits: b.op("Where", [unsqueeze(b, better, [1]), own.logits, before.logits]),
    confidence: b.op("Where", [better, own.confidence, before.confidence]),
  };
}

/** x > y or x = y (x < y or x = y), because GreaterOrEqual and LessOrEqual need opset 12. */
export const orEqual = (b: GraphBuilder, comparison: Comparison, x: ValueName, y: ValueName): ValueName =>
  b.opset >= 12 ? b.op(`${comparison}OrEqual`, [x, y]) : b.op("Or", [b.op(comparison, [x, y]), b.op("Equal", [x, y])]);

/** The class with the largest logit, int64 [n]. The first one, if several are equal. */
export const labelOf = (b: GraphBuilder, logits: ValueName): ValueName =>
  b.op("ArgMax", [logits], { axis: int(1), keepdims: int(0) });

/** A tensor of int64 with the shape of `like` that holds one number everywhere. */
export const filled = (b: GraphBuilder, like: ValueName, value: number): ValueName =>
  b.op("ConstantOfShape", [b.op("Shape", [like])], { value: tensorAttribute(int64s([value])) });
