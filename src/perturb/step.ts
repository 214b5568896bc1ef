/** @file One step of projected gradient ascent, in two forms that agree. Attacks use the form on
 *  the arrays of one image. Adversarial training uses the form as graph nodes for a batch. Source:
 *  Madry et al. 2018. */
import type { GraphBuilder } from "../graph/builder.js";
import type { ValueName } from "../graph/graph.js";
import { reduce, reduceSum } from "../ops/support/emit.js";
import type { Norm, SteppedNorm } from "../schema/norm.js";
import { NORMS } from "./norms.js";

/** How far a step goes, and the ball that it stays in. Lengths are in pixel units of [0,1]. */
export interface PgdStep<N extends Norm = Norm> {
  readonly norm: N;
  readonly radius: number;
  readonly stepSize: number;
}

/** Moves an image along its gradient. Then projects it into the ball around the clean image and
 * into [0,1], in place.
 * @param image float32 [c*h*w] in [0,1]
 * @param gradient d loss / d image, the shape of `image`. Under l2, a gradient of zeros does not
 *  move the image
 * @param clean the shape of `image` */
export function pgdStep(
  image: Float32Array,
  gradient: Float32Array,
  clean: Float32Array,
  { norm, radius, stepSize }: PgdStep,
): void {
  NORMS[norm].step(image, gradient, stepSize);
  NORMS[norm].project(image, clean, radius);
}

/** Values of one shape, [n,c,h,w]. */
export interface PgdValues {
  readonly image: ValueName;
  readonly gradient: ValueName;
  readonly clean: ValueName;
}

/** {@link pgdStep} as graph nodes, separately for each sample of the batch. Returns the moved
 * images, [n,c,h,w]. */
export function pgdStepNodes(
  b: GraphBuilder,
  { image, gradient, clean }: PgdValues,
  { norm, radius, stepSize }: PgdStep<SteppedNorm>,
): ValueName {
  const { direction, project } = NORM_NODES[norm];
  const moved = b.op("Add", [image, b.op("Mul", [direction(b, gradient), b.scalar(stepSize)])]);
  return b.op("Clip", [project(b, moved, clean, radius), b.scalar(0), b.scalar(1)]);
}

interface NormNodes {
  /** The steepest ascent of length 1. */
  readonly direction: (b: GraphBuilder, gradient: ValueName) => ValueName;
  /** The nearest point of the ball around `clean`. */
  readonly project: (b: GraphBuilder, moved: ValueName, clean: ValueName, radius: number) => ValueName;
}

const SAMPLE_AXES = [1, 2, 3];
/** The smallest normal float32. It keeps a division by a length of zero finite. */
const TINY = 2 ** -126;

/** Divides by the largest element first, because squares of small elements underflow to zero in
 * float32. */
const unitLength = (b: GraphBuilder, gradient: ValueName): ValueName => {
  const largest = reduce(b, "ReduceMax", b.op("Abs", [gradient]), SAMPLE_AXES, true);
  const scaled = b.op("Div", [gradient, b.op("Max", [largest, b.scalar(TINY)])]);
  return b.op("Div", [scaled, b.op("Max", [lengthNodes(b, scaled), b.scalar(TINY)])]);
};

const lengthNodes = (b: GraphBuilder, x: ValueName): ValueName =>
  b.op("Sqrt", [reduceSum(b, b.op("Mul", [x, x]), SAMPLE_AXES, true)]);

const intoBall = (b: GraphBuilder, moved: ValueName, clean: ValueName, radius: number): ValueName => {
  const difference = b.op("Sub", [moved, clean]);
  const distance = b.op("Max", [lengthNodes(b, difference), b.scalar(TINY)]);
  const factor = b.op("Min", [b.op("Div", [b.scalar(radius), distance]), b.scalar(1)]);
  return b.op("Add", [clean, b.op("Mul", [difference, factor])]);
};

const NORM_NODES: Readonly<Record<SteppedNorm, NormNodes>> = {
  linf: {
    direction: (b, gradient) => b.op("Sign", [gradient]),
    project: (b, moved, clean, radius) =>
      b.op("Min", [
        b.op("Max", [moved, b.op("Sub", [clean, b.scalar(radius)])]),
        b.op("Add", [clean, b.scalar(radius)]),
      ]),
  },
  l2: { direction: unitLength, project: intoBall },
};
