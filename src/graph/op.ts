/** @file What an operator declares about itself: shape rule, gradient, cost, reference kernel.
 *  Passes ask the operator; they never compare its name. The table that holds all operators lives in ops/. */
import type { DType } from "../core/dtype.js";
import { DynnError } from "../core/errors.js";
import type { Dim, Dims } from "../core/shape.js";
import type { Tensor } from "../core/tensor.js";
import { showNode } from "./attributes.js";
import type { GraphBuilder } from "./builder.js";
import type { Graph, Node, ValueName, ValueType } from "./graph.js";

/** A dense array of float64 numbers: the one number type of reference kernels, whatever the dtype. */
export interface NdArray {
  readonly dims: Dims;
  readonly data: Float64Array;
}

export interface InferContext {
  readonly node: Node;
  readonly opset: number;
  /** Types of the inputs; undefined where an optional input is left out. */
  readonly inputs: readonly (ValueType | undefined)[];
  /** The tensor of input i when it is a constant. */
  readonly constant: (i: number) => Tensor | undefined;
}

export interface KernelContext {
  readonly node: Node;
  readonly opset: number;
  /** Element types of the inputs and outputs, for the few operators whose numbers depend on them (Cast). */
  readonly inputTypes: readonly (DType | undefined)[];
}

export interface VjpContext {
  readonly node: Node;
  readonly opset: number;
  /** Emits nodes of the gradient graph. */
  readonly b: GraphBuilder;
  readonly inputs: readonly (ValueType | undefined)[];
  readonly outputs: readonly ValueType[];
  /** The gradient of the loss with respect to output i, or undefined when the loss does not depend on it. */
  readonly grads: readonly (ValueName | undefined)[];
  /** Whether the gradient of input i is wanted; a rule may skip the others. */
  readonly needs: (i: number) => boolean;
  readonly constant: (i: number) => Tensor | undefined;
}

/** Reverse-mode rule: emits nodes, returns the gradient of each input (undefined: none or not wanted). */
export type Vjp = (ctx: VjpContext) => readonly (ValueName | undefined)[];
/** Stands where a gradient rule would, with the reason why there is none. */
export interface NoGradient {
  readonly none: string;
}

/** One running statistic of a training form: its value is averaged with the batch's own. */
export interface RunningStatistic {
  readonly name: ValueName;
  /** The batch's mean or variance (biased), in the statistic's shape. */
  readonly batch: ValueName;
  /** batch value * correction is the unbiased estimate (n / (n - 1) for a variance, 1 for a mean). */
  readonly correction: number;
}

/** A mask that a training form is fed: elements are 0 with probability `ratio`, else 1 / (1 - ratio). */
export interface DropoutMask {
  /** Graph input that takes the mask. */
  readonly name: ValueName;
  /** Share of elements that are dropped. */
  readonly ratio: number;
  /** Shape of the mask. */
  readonly shape: Dims;
}

export interface TrainingContext extends InferContext {
  /** Takes the nodes of the training form. */
  readonly b: GraphBuilder;
  readonly addStatistic: (statistic: RunningStatistic) => void;
  readonly addMask: (mask: DropoutMask) => void;
}

/** y = scale * x + shift per channel (axis 1), with constants. */
export interface ChannelAffine {
  readonly scale: Float64Array;
  readonly shift: Float64Array;
}

/** What an operator takes for an input: "T" any type, but one for all of its kind; "F" the same, of floating point; "float" any type of
 *  floating point; "index" int64 or int32; "vector" int64 with one axis. */
export type InputKind = "T" | "F" | "float" | "bool" | "index" | "vector" | "any";

export interface OpDef {
  /** Operator name, as ONNX has it. */
  readonly type: string;
  /** Kinds of the inputs, in order; the last holds for all that follow. Left out: all have one type. */
  readonly takes?: readonly InputKind[];
  /** Types of all outputs.
   * @throws DynnError 'shape/mismatch' when the inputs do not fit */
  readonly infer: (ctx: InferContext) => readonly ValueType[];
  /** Appends the nodes of its vector-Jacobian product, or says why there is none. */
  readonly vjp: Vjp | NoGradient;
  /** What of the operator is refused, for docs/ops.md. Left out: nothing. */
  readonly limit?: string;
  /** Reference kernel: plain loops in float64. Its inputs are never changed. */
  readonly run: (inputs: readonly (NdArray | undefined)[], ctx: KernelContext) => readonly NdArray[];
  /** Multiply-accumulates of one run with these shapes (no unknowns left). Left out: none are counted. */
  readonly macs?: (ctx: {
    readonly node: Node;
    readonly inputs: readonly (Dims | undefined)[];
    readonly outputs: readonly Dims[];
  }) => number;
  /** Elements of the output when inputs are small integer tensors with symbolic entries (Shape, Gather, Concat ...). */
  readonly propagate?: (ctx: InferContext, output: ValueType) => readonly Dim[] | undefined;
  /** Index of the input that holds the logits, when output 0 are probabilities (they keep the label, but confidences and losses
   *  need the logits). */
  readonly logitsInput?: number;
  /** True when output 0 is input 0, unchanged, at inference. */
  readonly isIdentity?: (ctx: InferContext) => boolean;
  /** Appends this node in the form that it has in training, where that differs from inference; all shapes are known.
   * @throws DynnError 'training/config' when the opset has none */
  readonly train?: (ctx: TrainingContext) => void;
  /** True when one sample's output depends on the other samples of its batch (training mode). */
  readonly mixesBatch?: (ctx: { readonly node: Node; readonly opset: number }) => boolean;
  /** This operator as a per-channel affine map, when its parameters are constants. */
  readonly asAffine?: (ctx: InferContext) => ChannelAffine | undefined;
  /** This node with a following affine map folded into its constants, or undefined when it cannot be. */
  readonly absorbAffine?: (ctx: InferContext, affine: ChannelAffine) => readonly (Tensor | undefined)[] | undefined;
}

/** How rooms above ops/ reach the operators. */
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

/** A shape failure that names the node. */
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
