/** @file What every architecture is made from: its options, checked, and a graph that takes images and gives logits. */
import { DynnError } from "../core/errors.js";
import { GraphBuilder } from "../graph/builder.js";
import type { Graph, ValueName } from "../graph/graph.js";
import { emptyGraph } from "../graph/op.js";
import { prune } from "../graph/passes/prune.js";
import type { Feature, Scope } from "./layers.js";

/** The size of an architecture, and its first weights. */
export interface NetworkOptions {
  /** Number of classes. */
  readonly classes: number;
  /** Side of a square image, or [height, width]. */
  readonly imageSize: number | readonly [number, number];
  /** Channels of an image. Default: 3. */
  readonly channels?: number;
  /** Factor on the channels of every layer, rounded, at least one channel. */
  readonly width?: number;
  /** First weights follow from it. Default: 0. */
  readonly seed?: number;
}

/** An architecture that was made. */
export interface Network {
  /** Its name. */
  readonly name: string;
  /** Input `images` float32 [n,c,h,w]; outputs are logits [n,classes], the final exit's last. Pixels are not normalised here. */
  readonly graph: Graph;
}

/** Makes an architecture.
 * @throws DynnError 'cli/value' when the options ask for what it cannot be */
export type Architecture = (options: NetworkOptions) => Network;

/** What a body of layers is given. */
export interface Plan {
  readonly at: Scope;
  readonly images: Feature;
  readonly classes: number;
  /** Channels of a layer that has `count` at width 1. */
  readonly wide: (count: number) => number;
}

const OPSET = 17;

/** A network whose layers `body` appends; it returns the logits of all exits, the final one's last. What no exit needs is dropped.
 * @param smallest least side of an image that every layer has something left of
 * @throws DynnError 'cli/value' */
export function network(
  name: string,
  options: NetworkOptions,
  smallest: number,
  body: (plan: Plan) => readonly ValueName[],
): Network {
  const { classes, channels = 3, width = 1, seed = 0 } = options;
  const [height, w] =
    typeof options.imageSize === "number" ? [options.imageSize, options.imageSize] : options.imageSize;
  checkWhole(name, "classes", classes, 2);
  checkWhole(name, "channels", channels, 1);
  checkWhole(name, "image height", height, smallest);
  checkWhole(name, "image width", w, smallest);
  if (!(width > 0 && Number.isFinite(width)))
    throw bad(name, "width", width, "a factor above 0", "Give 1 for the published network.");
  const b = new GraphBuilder(emptyGraph(name, OPSET));
  const images = { value: b.input("images", "float32", ["n", channels, height, w]), dims: [channels, height, w] };
  const wide = (count: number) => Math.max(1, Math.round(count * width));
  for (const logits of body({ at: { b, seed, path: "" }, images, classes, wide }))
    b.output(logits, "float32", ["n", classes]);
  return { name, graph: prune(b.build()) };
}

/** @throws DynnError 'cli/value' when a number is not whole or too small */
function checkWhole(name: string, what: string, got: number, least: number): void {
  if (!Number.isInteger(got) || got < least)
    throw bad(name, what, got, `a whole number from ${least} on`, "Give another value or another architecture.");
}

export const bad = (name: string, what: string, got: number, expected: string, advice: string): DynnError =>
  new DynnError("cli/value", `${name}: ${what} is ${got}, expected ${expected}. ${advice}`, { name, what, got });
