/** @file Rewrites a linear layer on flattened images, as heads have it. Its weights are reordered
 *  for images in blocked layout, so that the images need not return to plain layout. */
import type { Tensor } from "../../core/tensor.js";
import { attribute, int } from "../../graph/attributes.js";
import type { Node, ValueName } from "../../graph/graph.js";
import { type Layout, placeInBlocks } from "./layout.js";
import type { Rule } from "./rule.js";

/** Flattens images in their order in memory, when their only reader is a linear layer with constant
 * weights. */
export const flatten: Rule = (l, node) => {
  const [[x], [output]] = [node.inputs, node.outputs] as [[ValueName], [ValueName]];
  const size = l.shape(x).slice(2);
  const isWhole = (attribute(node, "axis", "int") ?? 1) === 1 && size.every((d) => typeof d === "number");
  const [reader] = l.readers(output);
  if (!isWhole || !l.isBlocked(x) || !l.fits(x) || !l.isUsedOnce(output) || !reader || !weightsOf(l, reader, output))
    return false;
  l.madeBlocked(output, l.op("Flatten", [l.blocked(x)], { axis: int(1) }, `${output}.blocked`));
  return true;
};

/** A MatMul or Gemm of the output of {@link flatten}. */
export const linear: Rule = (l, node) => {
  const [x, w, ...bias] = node.inputs as [ValueName, ValueName, ...ValueName[]];
  const weights = weightsOf(l, node, x);
  if (!weights || l.shape(x).length !== 2 || !l.isBlocked(x)) return false;
  const images = l.maker(x)?.inputs[0];
  const [, channels, ...size] = l.shape(images) as readonly number[];
  const pixels = size.reduce((a, b) => a * b, 1);
  const laid = l.laidOut(w, "linear", () =>
    inBlockOrder(weights, isTransposed(node), { channels: channels, pixels, block: l.block }),
  );
  l.push({ ...node, inputs: [l.blocked(x), laid, ...bias.map((name) => name && l.plain(name))] });
  l.madePlain(node.outputs[0]);
  return true;
};

const isTransposed = (node: Node): boolean => attribute(node, "transB", "int") === 1;

/** The matrix that a linear layer multiplies rows of x with. Undefined when the node is not such a
 * layer, or uses x in another way. */
function weightsOf(l: Layout, { domain, opType, inputs, attributes }: Node, x: ValueName): Tensor | undefined {
  const isLinear = domain === "" && (opType === "Gemm" || opType === "MatMul") && inputs[0] === x && inputs[1] !== x;
  const { transA } = attributes;
  if (!isLinear || (transA?.kind === "int" && transA.value === 1)) return undefined;
  const weights = l.constant(inputs[1]);
  return weights?.dtype === "float32" && weights.dims.length === 2 ? weights : undefined;
}

/** The matrix with its rows (columns when transposed) in the order of blocked images. */
function inBlockOrder(
  { dtype, dims, data }: Tensor,
  transposed: boolean,
  { channels, pixels, block }: { readonly channels: number; readonly pixels: number; readonly block: number },
): Tensor {
  const [rows, columns] = dims as readonly [number, number];
  const [inputs, outputs] = transposed ? [columns, rows] : [rows, columns];
  const at = (input: number, output: number): number =>
    transposed ? output * inputs + input : input * outputs + output;
  const laid = new Float32Array(data.length);
  for (let channel = 0; channel < channels; channel++)
    for (let pixel = 0; pixel < pixels; pixel++) {
      const to = placeInBlocks(channel, pixel, pixels, block);
      for (let o = 0; o < outputs; o++) laid[at(to, o)] = data[at(channel * pixels + pixel, o)] as number;
    }
  return { dtype, dims, data: laid };
}
