/** @file Flat images ([n,784]) and images without a channel axis ([n,28,28]) become images. */
import { showShape } from "../../core/shape.js";
import { int64s } from "../../core/tensor.js";
import { GraphBuilder } from "../../graph/builder.js";
import type { Adapter } from "./adapter.js";
import { madeNode, withInput } from "./adapter.js";

/** Flat inputs of fewer pixels a side are more likely tables. */
const LEAST_SIDE = 8;

/** Puts a Reshape from [n,channels,height,width] in front of the graph. */
export const imageRank: Adapter = (graph, { imageSize }) => {
  const [input] = graph.inputs;
  const [batch, ...rest] = input?.shape ?? [];
  const dims = rest.filter((d) => typeof d === "number");
  if (graph.inputs.length !== 1 || batch === undefined || dims.length !== rest.length) return undefined;
  const image = dims.length === 1 ? imageOf(dims[0], imageSize) : dims.length === 2 ? planeOf(dims, batch) : undefined;
  if (!image) return undefined;
  const shape = [batch, ...image];
  const b = new GraphBuilder({ ...graph, inputs: [{ ...input, shape }], types: new Map() });
  const flat = b.fresh(`${input.name}.flat`);
  const reshape = madeNode("Reshape", [input.name, b.constant(int64s([-1, ...dims]))], flat);
  return {
    graph: { ...b.build(), nodes: [reshape, ...graph.nodes.map((node) => withInput(node, input.name, flat))] },
    change: `The input "${input.name}" is ${showShape(input.shape)}. dynn takes ${showShape(shape)}${image[0] > 1 ? ", channel after channel," : ""} and reshapes inside.`,
  };
};

/** Channels, height and width of a flat image: of the size that is known, else of a square. */
function imageOf(pixels: number, size: readonly [number, number] | undefined): readonly number[] | undefined {
  const channels = size ? pixels / (size[0] * size[1]) : 0;
  if (size && (channels === 1 || channels === 3)) return [channels, ...size];
  for (const count of [1, 3]) {
    const side = Math.sqrt(pixels / count);
    if (Number.isInteger(side) && side >= LEAST_SIDE) return [count, side, side];
  }
  return undefined;
}

/** A first axis of fixed length above 1 may be the channels of a single image. */
const planeOf = (dims: readonly number[], batch: number | string): readonly number[] | undefined =>
  dims.every((d) => d >= LEAST_SIDE) && (typeof batch === "string" || batch === 1) ? [1, ...dims] : undefined;
