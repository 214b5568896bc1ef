/** @file Wide ResNet with pre-activation blocks. WRN-32-4 has three stages of five blocks, and
 *  its layers are four times as wide as those of a ResNet. Its depth counts 6n + 2, as the
 *  source of the exits does. Zagoruyko & Komodakis also count the convolutions of the shortcuts:
 *  6n + 4. Source: Zagoruyko & Komodakis, "Wide residual networks", BMVC 2016; Kaya et al. 2019
 *  for the size. */
import { HEADS } from "./heads.js";
import { add, batchNorm, conv, type Feature, inside, relu, type Scope } from "./layers.js";
import { type Architecture, network } from "./network.js";

const STEM = 16;
const STAGES = [16, 32, 64];
const BLOCKS = 5;
const FACTOR = 4;

/** BatchNormalization and ReLU before each convolution. Where the size changes, the shortcut is
 * a 1x1 convolution of their result. */
function block(at: Scope, x: Feature, to: number, stride: number): Feature {
  const active = relu(at, "relu1", batchNorm(at, "bn1", x));
  const first = conv(at, "conv1", active, { to, kernel: 3, stride });
  const second = conv(at, "conv2", relu(at, "relu2", batchNorm(at, "bn2", first)), { to, kernel: 3 });
  const same = x.dims[0] === to && stride === 1;
  return add(at, "out", second, same ? x : conv(at, "shortcut", active, { to, kernel: 1, stride }));
}

/** Block outputs are named `stage1.block0.out`.
 * @throws DynnError 'cli/value' */
export const wideResnet: Architecture = (options) =>
  network("wide-resnet-32-4", options, 4, ({ at, images, classes, wide }) => {
    let x = conv(at, "conv1", images, { to: wide(STEM), kernel: 3 });
    STAGES.forEach((channels, stage) => {
      for (let i = 0; i < BLOCKS; i++)
        x = block(inside(at, `stage${stage + 1}.block${i}`), x, wide(FACTOR * channels), stage > 0 && i === 0 ? 2 : 1);
    });
    const last = relu(at, "relu", batchNorm(at, "bn1", x));
    return [HEADS["pool-linear"].head(inside(at, "linear"), last, classes, "logits")];
  });
