/** @file MobileNet-v1 for small images: thirteen depthwise-separable blocks; of its five strides of 2 the first is 1 here.
 *  Source: Howard et al. 2017, table 1. */
import { HEADS } from "./heads.js";
import { batchNorm, conv, type Feature, inside, relu, type Scope } from "./layers.js";
import { type Architecture, network } from "./network.js";

const STEM = 32;
/** Channels and stride of each block. */
const BLOCKS = [
  [64, 1],
  [128, 2],
  [128, 1],
  [256, 2],
  [256, 1],
  [512, 2],
  [512, 1],
  [512, 1],
  [512, 1],
  [512, 1],
  [512, 1],
  [1024, 2],
  [1024, 1],
] as const;

/** A 3x3 convolution of each channel by itself, then a 1x1 convolution over channels. */
function block(at: Scope, x: Feature, to: number, stride: number): Feature {
  const depthwise = { to: x.dims[0], kernel: 3, stride, groups: x.dims[0] };
  const own = relu(at, "relu1", batchNorm(at, "bn1", conv(at, "conv1", x, depthwise)));
  return relu(at, "out", batchNorm(at, "bn2", conv(at, "conv2", own, { to, kernel: 1 })));
}

/** Block outputs are named `block0.out`.
 * @throws DynnError 'cli/value' */
export const mobilenet: Architecture = (options) =>
  network("mobilenet", options, 16, ({ at, images, classes, wide }) => {
    let x = relu(at, "relu", batchNorm(at, "bn1", conv(at, "conv1", images, { to: wide(STEM), kernel: 3 })));
    BLOCKS.forEach(([to, stride], i) => {
      x = block(inside(at, `block${i}`), x, wide(to), stride);
    });
    return [HEADS["pool-linear"].head(inside(at, "linear"), x, classes, "logits")];
  });
