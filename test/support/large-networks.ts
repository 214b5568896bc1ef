/** @file Networks for photographs of 224 x 224 with random weights: MobileNetV2 (Sandler et al. 2018, table 2) and ResNet-50 (He et al. 2016,
 *  table 1), as they are published. A MobileNetV2 may have early exits. */
import { fromNumbers } from "../../src/core/tensor.js";
import { HEADS } from "../../src/nn/heads.js";
import { add, batchNorm, conv, type Feature, inside, node, pool, relu, type Scope } from "../../src/nn/layers.js";
import { type Architecture, network } from "../../src/nn/network.js";

const relu6 = (at: Scope, name: string, x: Feature): Feature =>
  node(
    at,
    name,
    "Clip",
    [x.value, at.b.constant(fromNumbers("float32", [], [0])), at.b.constant(fromNumbers("float32", [], [6]))],
    x.dims,
  );

const convBn = (at: Scope, name: string, x: Feature, options: Parameters<typeof conv>[3]): Feature =>
  batchNorm(at, `${name}bn`, conv(at, name, x, options));

/** Expansion, channels, repeats and stride of each row of table 2. */
const ROWS = [
  [1, 16, 1, 1],
  [6, 24, 2, 2],
  [6, 32, 3, 2],
  [6, 64, 4, 2],
  [6, 96, 3, 1],
  [6, 160, 3, 2],
  [6, 320, 1, 1],
] as const;

function inverted(at: Scope, x: Feature, expansion: number, to: number, stride: number): Feature {
  const wide = x.dims[0] * expansion;
  const expanded = expansion === 1 ? x : relu6(at, "relu0", convBn(at, "expand", x, { to: wide, kernel: 1 }));
  const own = relu6(at, "relu1", convBn(at, "depthwise", expanded, { to: wide, kernel: 3, stride, groups: wide }));
  const out = convBn(at, "project", own, { to, kernel: 1 });
  return stride === 1 && x.dims[0] === to ? add(at, "add", x, out) : out;
}

/** MobileNetV2. @param exits rows of the table after which an early exit stands */
export const mobilenetV2 =
  (exits: readonly number[] = []): Architecture =>
  (options) =>
    network("mobilenetv2", options, 32, ({ at, images, classes, wide }) => {
      let x = relu6(at, "relu", convBn(at, "stem", images, { to: wide(32), kernel: 3, stride: 2 }));
      const early: string[] = [];
      for (const [row, [expansion, to, repeats, stride]] of ROWS.entries()) {
        for (let i = 0; i < repeats; i++)
          x = inverted(inside(at, `row${row}.block${i}`), x, expansion, wide(to), i === 0 ? stride : 1);
        if (exits.includes(row)) early.push(HEADS["pool-linear"].head(inside(at, `exit${row}`), x, classes));
      }
      const last = relu6(at, "last", convBn(at, "head", x, { to: wide(1280), kernel: 1 }));
      return [...early, HEADS["pool-linear"].head(inside(at, "classifier"), last, classes, "logits")];
    });

const STAGES = [
  [64, 3],
  [128, 4],
  [256, 6],
  [512, 3],
] as const;

function bottleneck(at: Scope, x: Feature, middle: number, stride: number): Feature {
  const first = relu(at, "relu1", convBn(at, "conv1", x, { to: middle, kernel: 1 }));
  const second = relu(at, "relu2", convBn(at, "conv2", first, { to: middle, kernel: 3, stride }));
  const third = convBn(at, "conv3", second, { to: 4 * middle, kernel: 1 });
  const same = stride === 1 && x.dims[0] === 4 * middle;
  const short = same ? x : convBn(at, "short", x, { to: 4 * middle, kernel: 1, stride });
  return relu(at, "out", add(at, "add", third, short));
}

/** ResNet-50. Its first pooling is 2 x 2, where the published one is 3 x 3 with stride 2. */
export const resnet50: Architecture = (options) =>
  network("resnet50", options, 32, ({ at, images, classes, wide }) => {
    const stem = relu(at, "relu", convBn(at, "conv1", images, { to: wide(64), kernel: 7, stride: 2 }));
    let x = pool(at, "pool", "MaxPool", stem, [2, 2]);
    STAGES.forEach(([channels, blocks], stage) => {
      for (let i = 0; i < blocks; i++)
        x = bottleneck(inside(at, `stage${stage}.block${i}`), x, wide(channels), stage > 0 && i === 0 ? 2 : 1);
    });
    return [HEADS["pool-linear"].head(inside(at, "classifier"), x, classes, "logits")];
  });
