/** @file Reductions over batch and space, and pools. */
import { type Attributes, attribute, int, ints } from "../../graph/attributes.js";
import type { Node, ValueName } from "../../graph/graph.js";
import { axesOf } from "./axes.js";
import { type Layout, NCHWC } from "./layout.js";
import type { Rule } from "./rule.js";

/** Over batch and space: the mean over space is a blocked operator, and its [n, c, 1, 1] is the same in both layouts. */
export const reduction =
  (mean: boolean): Rule =>
  (l, node) => {
    const [x] = node.inputs as [ValueName];
    const axes = axesOf(l, node);
    if (!l.isBlocked(x) || !l.isFloat(x) || axes?.join() !== "0,2,3") return false;
    const [, channels, height, width] = l.shape(x) as [unknown, number, number, number];
    const pooled = l.nchwc("GlobalAveragePool", [l.blocked(x)]);
    const rows = l.op("Reshape", [pooled, l.b.ints([-1, channels])]);
    const reduced = mean
      ? l.op("ReduceMean", [rows], { axes: ints([0]), keepdims: int(0) })
      : sumOfRows(l, rows, height * width);
    const kept = attribute(node, "keepdims", "int") !== 0;
    const output = node.outputs[0] as ValueName;
    l.push({
      opType: "Reshape",
      domain: "",
      name: "",
      inputs: [reduced, l.b.ints(kept ? [1, channels, 1, 1] : [channels])],
      outputs: [output],
      attributes: {},
    });
    l.madePlain(output);
    return true;
  };

const sumOfRows = (l: Layout, rows: ValueName, each: number): ValueName =>
  l.op("Mul", [l.op("ReduceSum", [rows, l.b.ints([0])], { keepdims: int(0) }), l.b.scalar(each)]);

/** Pools without indices, dilations or ceiling. */
export const pool: Rule = (l, node) => {
  const [x, output] = [node.inputs[0] as ValueName, node.outputs[0] as ValueName];
  const plain =
    node.outputs.length === 1 &&
    l.shape(x).length === 4 &&
    (attribute(node, "ceil_mode", "int") ?? 0) === 0 &&
    (attribute(node, "auto_pad", "string") ?? "NOTSET") === "NOTSET" &&
    (attribute(node, "dilations", "ints") ?? []).every((d) => d === 1);
  if (!plain || !l.isBlocked(x)) return false;
  const made = l.b.fresh(`${output}.blocked`);
  l.push({ ...node, domain: NCHWC, inputs: [l.blocked(x)], outputs: [made], attributes: poolAttributes(node) });
  l.madeBlocked(output, made);
  return true;
};

const poolAttributes = ({
  attributes: { ceil_mode: _, dilations: __, storage_order: ___, ...rest },
}: Node): Attributes => rest;
