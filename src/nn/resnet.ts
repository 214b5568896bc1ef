/** @file ResNet for small images: three stages of (depth - 2) / 6 blocks with 16, 32 and 64
 *  channels. Shortcuts have no parameters. Source: He et al., "Deep residual learning", CVPR
 *  2016, section 4.2 (shortcuts: option A). */
import { ints } from "../graph/attributes.js";
import { HEADS } from "./heads.js";
import { add, batchNorm, conv, type Feature, inside, node, relu, type Scope } from "./layers.js";
import { type Architecture, bad, network } from "./network.js";

/** Channels of each stage. */
export const STAGES = [16, 32, 64] as const;

/** Every stride-th pixel, with channels of zeros added before and after. */
function shortcut(at: Scope, x: Feature, like: Feature, stride: number): Feature {
  const thinned =
    stride === 1
      ? x
      : node(at, "thinned", "AveragePool", [x.value], [x.dims[0], ...like.dims.slice(1)], {
          kernel_shape: ints([1, 1]),
          strides: ints([stride, stride]),
        });
  const more = like.dims[0] - x.dims[0];
  if (more === 0) return thinned;
  const before = Math.floor(more / 2);
  const pads = at.b.ints([0, before, 0, 0, 0, more - before, 0, 0]);
  return node(at, "shortcut", "Pad", [thinned.value, pads], like.dims);
}

/** Two 3x3 convolutions beside a shortcut without parameters. */
export function block(at: Scope, x: Feature, to: number, stride: number): Feature {
  const first = relu(at, "relu1", batchNorm(at, "bn1", conv(at, "conv1", x, { to, kernel: 3, stride })));
  const second = batchNorm(at, "bn2", conv(at, "conv2", first, { to, kernel: 3 }));
  return relu(at, "out", add(at, "add", second, shortcut(at, x, second, stride)));
}

/** ResNet of a depth 6n + 2. Block outputs are named `stage1.block0.out`.
 * @throws DynnError 'cli/value' */
export const resnet =
  (depth: number): Architecture =>
  (options) => {
    const name = `resnet${depth}`;
    const blocks = (depth - 2) / 6;
    if (!Number.isInteger(blocks) || blocks < 1)
      throw bad(name, "depth", depth, "6n + 2", "Give 20, 32, 44, 56 or 110, as published.");
    return network(name, options, 4, ({ at, images, classes, wide }) => {
      let x = relu(at, "relu", batchNorm(at, "bn1", conv(at, "conv1", images, { to: wide(STAGES[0]), kernel: 3 })));
      STAGES.forEach((channels, stage) => {
        for (let i = 0; i < blocks; i++)
          x = block(inside(at, `stage${stage + 1}.block${i}`), x, wide(channels), stage > 0 && i === 0 ? 2 : 1);
      });
      return [HEADS["pool-linear"].head(inside(at, "linear"), x, classes, "logits")];
    });
  };
