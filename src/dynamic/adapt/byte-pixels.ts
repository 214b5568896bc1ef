/** @file An input of bytes (uint8, 0 to 255) becomes float32 pixels in [0,1]. */
import { DynnError } from "../../core/errors.js";
import { scalar, toNumbers } from "../../core/tensor.js";
import { showNode } from "../../graph/attributes.js";
import { GraphBuilder } from "../../graph/builder.js";
import { consumers, type Graph, type Node, type ValueName } from "../../graph/graph.js";
import { type Adapter, isOp, madeNode, withInput } from "./adapter.js";

/** Operators that only move elements. */
const MOVES = ["Transpose", "Reshape", "Flatten", "Squeeze", "Unsqueeze", "Slice", "Identity"];

/** Multiplies pixels by 255 in front, and drops the step from bytes to floats.
 * @throws DynnError 'model/input' when the model computes with the bytes themselves */
export const bytePixels: Adapter = (graph, { name }) => {
  const [input] = graph.inputs;
  if (graph.inputs.length !== 1 || input.dtype !== "uint8") return undefined;
  const b = new GraphBuilder({ ...graph, inputs: [{ ...input, dtype: "float32" }], types: new Map() });
  const scaled = b.fresh(`${input.name}.bytes`);
  const first = madeNode("Mul", [input.name, b.constant(scalar("float32", 255))], scaled);
  const steps = new Set(stepsToFloats(graph, input.name, name));
  const nodes = graph.nodes.flatMap((node) => {
    const read = withInput(node, input.name, scaled);
    return steps.has(node) ? dequantized(b, graph, read) : [read];
  });
  const change = `The input "${input.name}" is uint8. dynn takes pixels in [0,1], multiplies them by 255 inside, and does not round them to whole numbers.`;
  return { graph: { ...b.build(), nodes: [first, ...nodes] }, change };
};

/** The nodes that make floats of bytes.
 * @throws DynnError 'model/input' */
function stepsToFloats(graph: Graph, input: ValueName, name: string): Node[] {
  const readers = consumers(graph);
  const bytes = new Set([input]);
  const steps: Node[] = [];
  for (const value of bytes)
    for (const node of readers.get(value) ?? []) {
      if (isOp(node, "Shape")) continue;
      if (isOp(node, ...MOVES)) bytes.add(node.outputs[0]);
      else if (isOp(node, "Cast") || (isOp(node, "DequantizeLinear") && isOneScale(graph, node))) steps.push(node);
      else throw computesWithBytes(name, input, showNode(node));
    }
  const output = graph.outputs.find((o) => bytes.has(o.name));
  if (output) throw computesWithBytes(name, input, `output "${output.name}"`);
  return steps;
}

const computesWithBytes = (name: string, input: ValueName, what: string): DynnError =>
  new DynnError(
    "model/input",
    `${name}: input "${input}" is uint8, and ${what} computes with the bytes. dynn reads uint8 inputs that a Cast or DequantizeLinear turns into floats first. Give the model with a float32 input.`,
    { input, what },
  );

const isOneScale = ({ initializers }: Graph, { inputs }: Node): boolean =>
  [inputs[1], inputs[2]].every((name) => !name || initializers.get(name)?.data.length === 1);

/** A Cast reads floats as well as bytes. A DequantizeLinear becomes arithmetic. */
function dequantized(b: GraphBuilder, { initializers }: Graph, node: Node): Node[] {
  if (!isOp(node, "DequantizeLinear")) return [node];
  const [x, scale, zero] = node.inputs;
  const value = initializers.get(zero ?? "");
  const zeroPoint = b.constant(scalar("float32", value ? toNumbers(value)[0] : 0));
  const shifted = b.fresh(`${node.outputs[0]}.shifted`);
  return [madeNode("Sub", [x, zeroPoint], shifted), madeNode("Mul", [shifted, scale], node.outputs[0])];
}
