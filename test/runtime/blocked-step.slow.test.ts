/** A whole training step of a narrow ResNet-20 with early exits, in both layouts, output by output. The images are a draw that
 *  keeps every ReLU's input away from its kink: where one lies within rounding of zero, as in about one draw of five, its
 *  gradient is there in one layout and not in the other. */
import { expect, test } from "vitest";
import { fromNumbers, toNumbers } from "../../src/core/tensor.js";
import { attachExits } from "../../src/dynamic/model/exits.js";
import { resnet } from "../../src/nn/resnet.js";
import { ortNode } from "../../src/node/ort-node/index.js";
import type { Tensors } from "../../src/runtime/backend.js";
import { STEP, stepGraph } from "../../src/training/step/graph.js";
import { parametersOf } from "../../src/training/step/training-form.js";
import { random } from "../support/gradcheck.js";
import { CONFIG } from "../support/training.js";

const ROWS = 4;

test.each([
  ["channels that fill blocks", 1],
  ["channels of which only later ones do", 0.5],
  ["channels that never do", 0.75],
])("every output of a step of ResNet-20 is the same in both layouts: %s", async (_, width) => {
  const backbone = resnet(20)({ classes: 10, imageSize: 16, width }).graph;
  const graph = attachExits(backbone, ["stage1.block2.out", "stage2.block1.out"]);
  const step = stepGraph({
    graph,
    logits: graph.outputs.map((o) => o.name),
    trained: parametersOf(graph),
    frozen: false,
    config: { ...CONFIG, batch: ROWS, ema: 0.9, clipNorm: 5 },
  });
  const all: Tensors = {
    ...Object.fromEntries(step.initial),
    images: fromNumbers("float32", [ROWS, 3, 16, 16], toNumbers(random([ROWS, 3, 16, 16], 7, 0, 1))),
    [STEP.labels]: fromNumbers("int64", [ROWS], [3, 1, 4, 9]),
    [STEP.learningRate]: fromNumbers("float32", [], [0.1]),
    [STEP.exitWeights]: fromNumbers("float32", [3], [0.3, 0.6, 1]),
    [STEP.count]: fromNumbers("float32", [], [1]),
  };
  const feeds = Object.fromEntries(step.graph.inputs.map(({ name }) => [name, all[name]]));
  const run = async (rewrite: boolean): Promise<Tensors> => {
    const session = await ortNode({ threads: 1, rewrite }).compile(step.graph);
    const results = await session.run(feeds);
    await session.release();
    return results;
  };
  const [got, want] = [await run(true), await run(false)];
  expect(Object.keys(got).toSorted()).toEqual(step.graph.outputs.map((o) => o.name).toSorted());
  for (const { name } of step.graph.outputs) {
    const wanted = toNumbers(want[name]);
    const scale = wanted.reduce((m, v) => Math.max(m, Math.abs(v)), 1e-3);
    const worst = toNumbers(got[name]).reduce((m, v, i) => Math.max(m, Math.abs(v - wanted[i])), 0);
    expect(worst, `${name}: off by ${worst} of ${scale}`).toBeLessThanOrEqual(1e-5 * scale);
  }
});
