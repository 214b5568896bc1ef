/** @file One small network that reads the image and scores all blocks at once: a ResNet with one
 *  block in each stage. Source: Wu et al., "BlockDrop", CVPR 2018, section 3.2 (policy network for
 *  CIFAR). */
import { batchNorm, conv, type Feature, inside, linear, node, relu } from "../layers.js";
import { block, STAGES } from "../resnet.js";
import { averaged, type GateContext, type GateMechanism, OPEN } from "./mechanism.js";

/** The network runs before the first gate. Each gate takes one of its scores. */
export const policyGate: GateMechanism = (context) => {
  const scores = policyNetwork(context);
  let next = 0;
  return (at) => {
    const { b } = at;
    const k = next++;
    return node(at, "own", "Slice", [scores.value, b.ints([k]), b.ints([k + 1]), b.ints([1])], [1]);
  };
};

/** Scores of all gates, [count]. */
function policyNetwork({ at, image, count }: GateContext): Feature {
  const own = inside(at, "policy");
  let x = relu(own, "relu", batchNorm(own, "bn1", conv(own, "conv1", image, { to: STAGES[0], kernel: 3 })));
  STAGES.forEach((channels, stage) => {
    x = block(inside(own, `stage${stage + 1}.block0`), x, channels, stage > 0 ? 2 : 1);
  });
  const last = inside(own, "gate.fc");
  return linear(last, last.path, averaged(own, x), count, OPEN);
}
