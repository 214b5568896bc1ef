/** @file MSDNet, small: a network made with exits. Each layer keeps three scales of the image, and each scale reads all earlier layers at
 *  its scale and at the next finer one; classifiers read the coarsest scale, so even the first sees coarse features.
 *  Source: Huang et al., "Multi-scale dense networks", ICLR 2018, sections 3 and 4, appendix A (without network reduction). */
import { HEADS } from "./heads.js";
import { batchNorm, concat, conv, type Feature, inside, relu, type Scope } from "./layers.js";
import { type Architecture, network } from "./network.js";

/** Channels of the first layer, and channels that a layer adds, at each scale from fine to coarse. */
const FIRST = [16, 32, 64];
const GROWTH = [6, 12, 24];
/** A bottleneck has so many times the channels that it leads to, at each scale. */
const BOTTLENECK = [1, 2, 4];
/** Layers before each classifier and after the one before. */
const LAYERS = [4, 2, 2, 2];
/** Channels inside a classifier. */
const CLASSIFIER = 128;

const unit = (at: Scope, name: string, x: Feature, to: number, kernel: number, stride = 1): Feature => {
  const own = inside(at, name);
  return relu(own, "out", batchNorm(own, "bn", conv(own, "conv", x, { to, kernel, stride })));
};

/** 1x1 bottleneck to at most `inner` channels, then 3x3. */
const narrowed = (at: Scope, name: string, x: Feature, to: number, inner: number, stride: number): Feature => {
  const own = inside(at, name);
  return unit(own, "main", unit(own, "bottleneck", x, Math.min(inner, x.dims[0]), 1), to, 3, stride);
};

/** The first layer: each scale is a convolution of the next finer one. */
function firstLayer(at: Scope, images: Feature, wide: (count: number) => number): Feature[] {
  const scales: Feature[] = [];
  FIRST.forEach((channels, s) => {
    scales.push(unit(at, `scale${s}`, scales[s - 1] ?? images, wide(channels), 3, s === 0 ? 1 : 2));
  });
  return scales;
}

/** A further layer: half of what is new at a scale comes from the scale itself, half from the next finer one. */
const nextLayer = (at: Scope, scales: readonly Feature[], wide: (count: number) => number): Feature[] =>
  scales.map((x, s) => {
    const own = inside(at, `scale${s}`);
    const grown = (name: string, from: Feature, scale: number, share: number): Feature => {
      const to = wide(GROWTH[s] * share);
      return narrowed(own, name, from, to, BOTTLENECK[scale] * to, scale === s ? 1 : 2);
    };
    const finer = scales[s - 1];
    return concat(
      own,
      "all",
      finer ? [x, grown("down", finer, s - 1, 0.5), grown("same", x, s, 0.5)] : [x, grown("same", x, s, 1)],
    );
  });

/** Exits `exit0` ... and `logits`.
 * @throws DynnError 'cli/value' */
export const msdnet: Architecture = (options) =>
  network("msdnet", options, 16, ({ at, images, classes, wide }) => {
    let scales = firstLayer(inside(at, "layer0"), images, wide);
    let layer = 1;
    return LAYERS.map((count, exit) => {
      for (let i = 0; i < count; i++) scales = nextLayer(inside(at, `layer${layer++}`), scales, wide);
      const last = exit === LAYERS.length - 1;
      const own = inside(at, last ? "classifier" : `exit${exit}`);
      const coarsest = scales.at(-1) as Feature;
      const inner = unit(own, "unit1", unit(own, "unit0", coarsest, wide(CLASSIFIER), 3, 2), wide(CLASSIFIER), 3, 2);
      return HEADS["pool-linear"].head(own, inner, classes, last ? "logits" : own.path);
    });
  });
