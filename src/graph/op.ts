/** @file What an operator declares about itself: shape rule, gradient, cost, reference kernel.
 *  Passes ask the operator and never compare its name. The table of all operators is in ops/. */
import type { DType } from "../core/dtype.js";
import { DynnError } from "../core/errors.js";
import type { Dim, Dims } from "../core/shape.js";
import type { Tensor } from "../core/tensor.js";
import { showNode } from "./attributes.js";
import type { GraphBuilder } from "./builder.js";
import type { Graph, Node, ValueName, ValueType } from "./graph.js";

/** A dense array of float64 numbers. Reference kernels use this one number type for every dtype. */
export interface NdArray {
  readonly dims: Dims;
  readonly data: Float64Array;
}

export interface InferContext {
  readonly node: Node;
  readonly opset: number;
  /** Types of the inputs. Undefined when an optional input is left out. */
  readonly inputs: readonly (ValueType | undefined)[];
  /** The tensor of input i when the input is a constant. */
  readonly constant: (i: number) => Tensor | undefined;
}

export interface KernelContext {
  readonly node: Node;
  readonly opset: number;
  /** Element types of the inputs and outputs, for the few operators whose results depend on them
   * (Cast). */
  readonly inputTypes: readonly (DType | undefined)[];
}

export interface VjpContext {
  readonly node: Node;
  readonly opset: number;
  /** The builder to which the rule appends nodes of the gradient graph. */
  readonly b: GraphBuilder;
  readonly inputs: readonly (ValueType | undefined)[];
  readonly outputs: readonly ValueType[];
  /** The gradient of the loss with respect to output i. Undefined when the loss does not depend
   * on it. */
  readonly grads: readonly (ValueName | undefined)[];
  /** Whether the caller needs the gradient of input i. A rule may skip the others. */
  readonly needs: (i: number) => boolean;
  readonly constant: (i: number) => Tensor | undefined;
}

/** Reverse-mode rule: appends nodes and returns the gradient of each input. Undefined means that
 * there is none, or that it is not needed. */
export type Vjp = (ctx: VjpContext) => readonly (ValueName | undefined)[];
/** The entry of an operator without a gradient rule: the reason why there is none. */
export interface NoGradient {
  readonly none: string;
  /** True when its integers take part in the computation of the answer, as those of QLinearConv
   * do. A gradient that reaches such a node is refused. Other integers (indices, shapes) count
   * as constants. */
  readonly blocks?: true;
}

/** One running statistic of a training form. Training averages its value with the value of the
 * batch. */
export interface RunningStatistic {
  readonly name: ValueName;
  /** The batch's mean or biased variance, in the statistic's shape. */
  readonly batch: ValueName;
  /** batch * correction is the unbiased estimate: n / (n - 1) for a variance, 1 for a mean. */
  readonly correction: number;
}

/** A mask that a training form takes as an input. Its elements are 0 with probability `ratio`,
 * else 1 / (1 - ratio). */
export interface DropoutMask {
  /** Graph input that takes the mask. */
  readonly name: ValueName;
  /** Share of elements that are dropped. */
  readonly ratio: number;
  /** Shape of the mask. */
  readonly shape: Dims;
}

export interface TrainingContext extends InferContext {
  /** The builder to which the training form is appended. */
  readonly b: GraphBuilder;
  readonly addStatistic: (statistic: RunningStatistic) => void;
  readonly addMask: (mask: DropoutMask) => void;
}

/** y = scale * x + shift per channel (axis 1), with constants. */
export interface ChannelAffine {
  readonly scale: Float64Array;
  readonly shift: Float64Array;
}

/** The type that an operator takes for an input. "T": any type, the same for all inputs of kind
 * T. "F": the same for floating-point types. "float": any floating-point type. "index": int64 or
 * int32. "vector": int64 with one axis. */
export type InputKind = "T" | "F" | "float" | "bool" | "index" | "vector" | "any";

export interface OpDef {
  /** Operator name, as ONNX has it. */
  readonly type: string;
  /** Kinds of the inputs, in order. The last kind applies to all further inputs. Left out: all
   * inputs have one type. */
  readonly takes?: readonly InputKind[];
  /** Types of all outputs.
   * @throws DynnError 'shape/mismatch' when the inputs do not fit */
  readonly infer: (ctx: InferContext) => readonly ValueType[];
  /** Appends the nodes of its vector-Jacobian product, or says why there is none. */
  readonly vjp: Vjp | NoGradient;
  /** True when gradients pass through its steps to integers, as if there were no rounding. */
  readonly straightThrough?: true;
  /** The parts of the operator that dynn refuses, for docs/ops.md. Left out: none. */
  readonly limit?: string;
  /** Reference kernel: plain loops in float64. It never changes its inputs. */
  readonly run: (inputs: readonly (NdArray | undefined)[], ctx: KernelContext) => readonly NdArray[];
  /** Multiply-accumulates of one run with these shapes, which have no unknown sizes. Left out:
   * none are counted. */
  readonly macs?: (ctx: {
    readonly node: Node;
    readonly inputs: readonly (Dims | undefined)[];
    readonly outputs: readonly Dims[];
  }) => number;
  /** Elements of the output when inputs are small integer tensors with symbolic elements (Shape,
   * Gather, Concat ...). */
  readonly propagate?: (ctx: InferContext, output: ValueType) => readonly Dim[] | undefined;
  /** Index of the input that holds the logits when output 0 holds probabilities. Both give the
   * same label, but confidences and losses need the logits. */
  readonly logitsInput?: number;
  /** True when output 0 equals input 0 at inference. */
  readonly isIdentity?: (ctx: InferContext) => boolean;
  /** Appends the training form of this node, when it differs from the inference form. All shapes
   * are known.
   * @throws DynnError 'training/config' when the opset has none */
  readonly train?: (ctx: TrainingContext) => void;
  /** True when one sample's output depends on the other samples of its batch (training mode). */
  readonly mixesBatch?: (ctx: { readonly node: Node; readonly opset: number }) => boolean;
  /** True when the operator takes one scale from all samples of a batch. dynn runs such a graph
   * one sample at a time. */
  readonly scalesBatch?: true;
  /** This operator as a per-channel affine map, when its parameters are constants. */
  readonly asAffine?: (ctx: InferContext) => ChannelAffine | undefined;
  /** This node with a following affine map folded into its constants. Undefined when that is not
   * possible. */
  readonly absorbAffine?: (ctx: InferContext, affine: ChannelAffine) => readonly (Tensor | undefined)[] | undefined;
}

/** The table through which rooms above ops/ use the operators. */
export interface OpTable {
  /** The operator of a node.
   * @throws DynnError 'model/op' for an operator that is not in the table */
  readonly get: (node: Node) => OpDef;
  /** Whether the operator of a node is there. */
  readonly has: (node: Node) => boolean;
}

/** Type of input i.
 * @throws DynnError 'model/input' when a required input is left out */
export function inputType(
  ctx: { readonly node: Node; readonly inputs: readonly (ValueType | undefined)[] },
  i: number,
): ValueType {
  const type = ctx.inputs[i];
  if (type) return type;
  throw new DynnError("model/input", `${showNode(ctx.node)}: input ${i} is missing. Export the model again.`, {
    node: ctx.node.name,
    input: i,
  });
}

/** The error for shapes that do not fit. It names the node. */
export const mismatch = (node: Node, text: string, detail: Readonly<Record<string, unknown>> = {}): DynnError =>
  new DynnError("shape/mismatch", `${showNode(node)}: ${text}`, { node: node.name, ...detail });

export const emptyGraph = (name: string, opset: number): Graph => ({
  name,
  opset,
  inputs: [],
  outputs: [],
  nodes: [],
  initializers: new Map(),
  types: new Map(),
});
