import { describe, test } from "vitest";
import { ortNode } from "../../src/runtime/ort-node/index.js";
import { expectClose, referenceNetwork } from "../support/reference-network.js";
import { hasShared } from "../support/shared.js";

/** Images whose gradient float32 may not decide. mobilenet_v2, image 1: the input of one ReLU6 is -3.3e-7 in float64, and rounding
 *  on the way there (about 1e-6) puts it on either side of the kink; ONNX Runtime gives -7.3e-7 without and +2.8e-7 with its
 *  layout pass. reference-networks.slow.test.ts checks that image on the reference kernels. */
const UNDECIDED: Readonly<Record<string, readonly number[]>> = { mobilenet_v2: [1] };

describe.skipIf(!hasShared)(
  "whole networks on ONNX Runtime: logits and input gradients are those of PyTorch in float64",
  () => {
    test.each(["squeezenet", "mobilenet_v2", "efficientnet", "densenet", "vit"])("%s", async (name) => {
      const { graph, feeds, logits, gradient } = referenceNetwork(name);
      const session = await ortNode({ threads: 1 }).compile(graph);
      const results = await session.run(feeds);
      await session.release();
      expectClose(results[logits.name], logits.expected, `${name}: logits`);
      expectClose(results[gradient.name], gradient.expected, `${name}: gradient`, UNDECIDED[name]);
    });
  },
);
