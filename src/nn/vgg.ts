/** @file VGG-16 with BatchNormalization for small images. It has thirteen 3x3 convolutions in
 *  five groups, a 2x2 max pool after each group, and one linear layer. CIFAR studies use one
 *  linear layer, because the three of ImageNet have 120 M parameters. Source: Simonyan &
 *  Zisserman 2015, configuration D; Liu & Deng 2015 for CIFAR. */
import { HEADS } from "./heads.js";
import { batchNorm, conv, inside, pool, relu } from "./layers.js";
import { type Architecture, network } from "./network.js";

const GROUPS = [
  [64, 64],
  [128, 128],
  [256, 256, 256],
  [512, 512, 512],
  [512, 512, 512],
];

/** Convolutions are named `conv0` to `conv12` through all groups. The output of a group is named
 * `group0.out`.
 * @throws DynnError 'cli/value' */
export const vgg16: Architecture = (options) =>
  network("vgg16", options, 2 ** GROUPS.length, ({ at, images, classes, wide }) => {
    let x = images;
    let count = 0;
    GROUPS.forEach((channels, group) => {
      for (const to of channels) {
        const i = count++;
        x = relu(at, `relu${i}`, batchNorm(at, `bn${i}`, conv(at, `conv${i}`, x, { to: wide(to), kernel: 3 })));
      }
      x = pool(inside(at, `group${group}`), "out", "MaxPool", x, [2, 2]);
    });
    return [HEADS["pool-linear"].head(inside(at, "linear"), x, classes, "logits")];
  });
