/** @file Recognises outputs that hold probabilities.
 *  A softmax may be one operator, may be written out, may be averaged over heads, and may have
 *  other operators behind it that only move its elements. */
import { isStatic, type Shape, sizeOf } from "../core/shape.js";
import { toNumbers } from "../core/tensor.js";
import { attribute } from "../graph/attributes.js";
import { type Graph, type Node, producers, type ValueName } from "../graph/graph.js";
import { inferContext } from "../graph/infer.js";
import { axesOf } from "./support/reduction.js";
import { distributionAxes } from "./support/softmax.js";

/** What an output holds. `logits`: the value to take in its place. `column`: the logit of class 1
 * of two classes. `probabilities`: no logits exist, so take the logarithm. `share`: the
 * probability of class 1 of two classes. `labels`: a probability for each label of several. */
export interface OutputReading {
  readonly kind: "logits" | "column" | "probabilities" | "share" | "labels";
  readonly value: ValueName;
}

/** Largest number of operators that are followed back from an output. */
const MOST_STEPS = 64;

/** Reads what an output of a classifier holds.
 * @param graph with types inferred and constants folded */
export function readOutput(graph: Graph, name: ValueName): OutputReading {
  return new Reader(graph).read(name);
}

/** Axes of a value besides the batch that are longer than 1. */
const longAxes = (shape: Shape): number[] => shape.flatMap((d, axis) => (axis > 0 && d !== 1 ? [axis] : []));

/** How much the elements of a distribution sum to, and the operator it comes from. */
interface Mass {
  readonly sum: number;
  readonly from: "softmax" | "sigmoid";
}

class Reader {
  readonly #graph: Graph;
  readonly #makers: ReadonlyMap<ValueName, Node>;
  #steps = 0;

  constructor(graph: Graph) {
    this.#graph = graph;
    this.#makers = producers(graph);
  }

  read(output: ValueName): OutputReading {
    const value = this.#through(output);
    const node = this.#makers.get(value);
    const logits = node && (this.#softmaxInput(node) ?? this.#logSoftmaxInput(node));
    if (logits !== undefined) return { kind: "logits", value: logits };
    if (node && is(node, "Log")) return this.#log(output, node);
    const column = node && this.#sigmoidInput(node);
    if (column !== undefined) return this.#columns(value) > 1 ? labels(output) : { kind: "column", value: column };
    return this.#average(output, value);
  }

  /** Log of probabilities: the logits before them, or the output as it is. */
  #log(output: ValueName, node: Node): OutputReading {
    const inner = this.read(node.inputs[0]);
    return inner.kind === "logits" && inner.value !== node.inputs[0] ? inner : { kind: "logits", value: output };
  }

  #average(output: ValueName, value: ValueName): OutputReading {
    const mass = this.#mass(value) ?? this.#bothShares(value);
    if (mass === undefined) return { kind: "logits", value: output };
    if (mass.from === "softmax") return { kind: "probabilities", value: output };
    if (this.#columns(value) > 1) return labels(output);
    return Math.abs(mass.sum - 1) < 1e-3 ? { kind: "share", value: output } : { kind: "logits", value: output };
  }

  /** Numbers per sample of a value; 2 when it is not known. */
  #columns(value: ValueName): number {
    const dims = this.#shape(value).slice(1);
    return isStatic(dims) ? sizeOf(dims) : 2;
  }

  #shape(value: ValueName): Shape {
    return this.#graph.types.get(value)?.shape ?? [];
  }

  /** The value behind operators that only move elements or change their type. */
  #through(name: ValueName): ValueName {
    let at = name;
    for (let node = this.#makers.get(at); node && this.#steps++ < MOST_STEPS; node = this.#makers.get(at)) {
      if (!is(node, ...VIEWS) || node.outputs[0] !== at || !this.#keepsRows(node)) break;
      at = node.inputs[0];
    }
    return at;
  }

  /** Whether each sample keeps its own elements in their order. */
  #keepsRows({ inputs, outputs, opType }: Node): boolean {
    const [from, to] = [this.#shape(inputs[0]), this.#shape(outputs[0])];
    if (from[0] !== to[0]) return false;
    if (opType !== "Reshape" && opType !== "Transpose") return true;
    const long = (shape: Shape) => longAxes(shape).map((axis) => shape[axis]);
    return long(from).length <= 1 && long(from).join() === long(to).join();
  }

  /** The input of a softmax over the classes: one operator, or exp(x) / sum(exp(x)). */
  #softmaxInput(node: Node): ValueName | undefined {
    if (is(node, "Softmax")) return this.#overClasses(node) ? node.inputs[0] : undefined;
    const [top, bottom] = this.#quotient(node) ?? [];
    const sum = bottom === undefined ? undefined : this.#makers.get(this.#through(bottom));
    const exp = top === undefined ? undefined : this.#makers.get(top);
    if (!exp || !sum || !is(exp, "Exp") || !is(sum, "ReduceSum") || sum.inputs[0] !== top) return undefined;
    return this.#reducesClasses(sum) ? this.#unshifted(exp.inputs[0]) : undefined;
  }

  /** The input of LogSoftmax, or of x - log(sum(exp(x))). */
  #logSoftmaxInput(node: Node): ValueName | undefined {
    if (is(node, "LogSoftmax")) return this.#overClasses(node) ? node.inputs[0] : undefined;
    if (!is(node, "Sub")) return undefined;
    const [x, norm] = node.inputs;
    const maker = this.#makers.get(this.#through(norm));
    if (maker && is(maker, "ReduceLogSumExp"))
      return maker.inputs[0] === x && this.#reducesClasses(maker) ? this.#unshifted(x) : undefined;
    const sum = maker && is(maker, "Log") ? this.#makers.get(maker.inputs[0]) : undefined;
    const exp = sum && is(sum, "ReduceSum") && this.#reducesClasses(sum) ? this.#makers.get(sum.inputs[0]) : undefined;
    return exp && is(exp, "Exp") && exp.inputs[0] === x ? this.#unshifted(x) : undefined;
  }

  /** Numerator and denominator of Div, or of Mul with a Reciprocal. */
  #quotient(node: Node): readonly [ValueName, ValueName] | undefined {
    if (is(node, "Div")) return [node.inputs[0], node.inputs[1]];
    if (!is(node, "Mul")) return undefined;
    const [a, b] = node.inputs;
    const reciprocal = (name: ValueName) => {
      const maker = this.#makers.get(name);
      return maker && is(maker, "Reciprocal") ? maker.inputs[0] : undefined;
    };
    const [overA, overB] = [reciprocal(a), reciprocal(b)];
    return overB !== undefined ? [a, overB] : overA !== undefined ? [b, overA] : undefined;
  }

  /** x of x - max(x), which has the same softmax. */
  #unshifted(name: ValueName): ValueName {
    const node = this.#makers.get(name);
    const max = node && is(node, "Sub") ? this.#makers.get(node.inputs[1]) : undefined;
    const isShift = max && is(max, "ReduceMax") && max.inputs[0] === node?.inputs[0];
    return isShift ? max.inputs[0] : name;
  }

  /** Whether a softmax runs over the one long axis of its samples. */
  #overClasses(node: Node): boolean {
    const shape = this.#shape(node.inputs[0]);
    const [axis, ...more] = longAxes(shape);
    const axes = shape.length === 0 ? [] : distributionAxes(node, this.#graph.opset, shape.length);
    return axis !== undefined && more.length === 0 && axes.includes(axis) && !axes.includes(0);
  }

  #reducesClasses(node: Node): boolean {
    const axes = this.#reducedAxes(node);
    const long = longAxes(this.#shape(node.inputs[0]));
    return long.length === 1 && axes.includes(long[0]) && !axes.includes(0);
  }

  #reducedAxes(node: Node): readonly number[] {
    return axesOf(inferContext(this.#graph, node, this.#graph.types));
  }

  /** The input of a sigmoid: one operator, or 1 / (1 + exp(-x)). */
  #sigmoidInput(node: Node): ValueName | undefined {
    if (is(node, "Sigmoid")) return node.inputs[0];
    const bottom = is(node, "Reciprocal")
      ? node.inputs[0]
      : is(node, "Div") && this.#scalar(node.inputs[0]) === 1
        ? node.inputs[1]
        : undefined;
    const sum = bottom === undefined ? undefined : this.#makers.get(bottom);
    if (!sum || !is(sum, "Add")) return undefined;
    const other = sum.inputs.find((name) => this.#scalar(name) !== 1);
    const exp = other === undefined || sum.inputs.every((n) => n === other) ? undefined : this.#makers.get(other);
    const negated = exp && is(exp, "Exp") ? this.#makers.get(exp.inputs[0]) : undefined;
    return negated && is(negated, "Neg") ? negated.inputs[0] : undefined;
  }

  /** The number that a constant holds in all its elements. */
  #scalar(name: ValueName): number | undefined {
    const tensor = this.#graph.initializers.get(name);
    if (!tensor || tensor.data.length === 0 || tensor.data.length > 4096) return undefined;
    const values = toNumbers(tensor);
    return values.every((v) => v === values[0]) ? values[0] : undefined;
  }

  /** The sum over classes of a weighted sum of probabilities; undefined for anything else. */
  #mass(name: ValueName): Mass | undefined {
    if (this.#steps++ > MOST_STEPS) return undefined;
    const node = this.#makers.get(this.#through(name));
    if (!node) return undefined;
    if (this.#softmaxInput(node) !== undefined) return { sum: 1, from: "softmax" };
    if (this.#sigmoidInput(node) !== undefined) return { sum: 1, from: "sigmoid" };
    if (is(node, "Add", "Sum")) return total(node.inputs.map((input) => this.#mass(input)));
    if (is(node, "Mean")) return scaled(total(node.inputs.map((input) => this.#mass(input))), 1 / node.inputs.length);
    if (is(node, "Mul", "Div")) return this.#scaled(node);
    return is(node, "ReduceMean", "ReduceSum") ? this.#reduced(node) : undefined;
  }

  #scaled(node: Node): Mass | undefined {
    const [a, b] = node.inputs;
    const factor = this.#scalar(b);
    if (factor !== undefined) return scaled(this.#mass(a), is(node, "Div") ? 1 / factor : factor);
    const first = is(node, "Mul") ? this.#scalar(a) : undefined;
    return first === undefined ? undefined : scaled(this.#mass(b), first);
  }

  /** Heads that lie beside each other on an axis of their own, reduced along that axis. */
  #reduced(node: Node): Mass | undefined {
    const [axis, ...more] = this.#reducedAxes(node);
    if (axis === undefined || axis === 0 || more.length > 0) return undefined;
    const stacked = this.#makers.get(node.inputs[0]);
    const heads = this.#shape(node.inputs[0])[axis];
    const each = stacked && this.#stacked(stacked, axis);
    return is(node, "ReduceMean") ? each : typeof heads === "number" ? scaled(each, heads) : undefined;
  }

  #stacked(node: Node, axis: number): Mass | undefined {
    const shape = this.#shape(node.outputs[0]);
    if (is(node, "Softmax")) {
      const axes = distributionAxes(node, this.#graph.opset, shape.length);
      return axes.includes(0) || axes.includes(axis) ? undefined : { sum: 1, from: "softmax" };
    }
    if (is(node, "Sigmoid")) return { sum: 1, from: "sigmoid" };
    const at = attribute(node, "axis", "int");
    if (!is(node, "Concat") || at === undefined || (at < 0 ? at + shape.length : at) !== axis) return undefined;
    return scaled(total(node.inputs.map((input) => this.#mass(input))), 1 / node.inputs.length);
  }

  /** Concat of p and 1 - p. */
  #bothShares(name: ValueName): Mass | undefined {
    const node = this.#makers.get(name);
    if (!node || !is(node, "Concat") || node.inputs.length !== 2) return undefined;
    const isRest = (rest: ValueName, p: ValueName): boolean => {
      const sub = this.#makers.get(rest);
      return sub !== undefined && is(sub, "Sub") && this.#scalar(sub.inputs[0]) === 1 && sub.inputs[1] === p;
    };
    const [a, b] = node.inputs;
    const p = isRest(a, b) ? b : isRest(b, a) ? a : undefined;
    const single = p !== undefined && this.#columns(p) === 1 && this.#mass(p)?.from === "sigmoid";
    return single ? { sum: 1, from: "softmax" } : undefined;
  }
}

/** Quantized probabilities are still probabilities. */
const STEPS = ["QuantizeLinear", "DequantizeLinear"] as const;

const VIEWS = [
  "Identity",
  "Flatten",
  "Reshape",
  "Squeeze",
  "Unsqueeze",
  "Cast",
  "Dropout",
  "Transpose",
  ...STEPS,
] as const;

const is = (node: Node, ...types: readonly string[]): boolean =>
  (node.domain === "" || node.domain === "ai.onnx") && types.includes(node.opType);

const labels = (value: ValueName): OutputReading => ({ kind: "labels", value });

const scaled = (mass: Mass | undefined, factor: number): Mass | undefined =>
  mass && factor > 0 ? { ...mass, sum: mass.sum * factor } : undefined;

/** The sum of masses of one kind. */
function total(masses: readonly (Mass | undefined)[]): Mass | undefined {
  const known = masses.filter((mass) => mass !== undefined);
  const [first] = known;
  if (!first || known.length < masses.length || known.some((mass) => mass.from !== first.from)) return undefined;
  return { from: first.from, sum: known.reduce((sum, mass) => sum + mass.sum, 0) };
}

/** Whether a value ends in an operator whose results have no bounds, so that it holds no
 * probabilities. A bias may follow. */
export function endsUnbounded(graph: Graph, value: ValueName): boolean {
  const makers = producers(graph);
  let node = makers.get(value);
  for (let step = 0; node && step < MOST_STEPS && is(node, ...VIEWS, "Add"); step++)
    node = node.inputs.map((name) => makers.get(name)).find((maker) => maker !== undefined);
  return node !== undefined && is(node, "Gemm", "MatMul", "Conv", "Log", "LogSoftmax");
}
