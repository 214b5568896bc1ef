/** A whole training step of a narrow ResNet-20 with early exits, in both layouts, output by output. The images are a draw that
 *  keeps every ReLU's input away from its kink: where one lies within rounding of zero, as in about one draw of five, its
 *  gradient is there in one layout and not in the other. */
import { expect, test } from "vitest";
import { fromNumbers, toNumbers } from "../../src/core/tensor.js";
import { attachExits } from "../../src/dynamic/model/exits.js";
import type { Graph } from "../../src/graph/graph.js";
import { resnet } from "../../src/nn/resnet.js";
import { ortNode } from "../../src/node/ort-node/index.js";
import type { Tensors } from "../../src/runtime/backend.js";
import { attachGates, type GatedGraph } from "../../src/training/gates/attach.js";
import type { GatesConfig } from "../../src/training/recipe/config.js";
import { GATE_STEP } from "../../src/training/step/gates.js";
import { STEP, stepGraph } from "../../src/training/step/graph.js";
import { parametersOf } from "../../src/training/step/training-form.js";
import { random } from "../support/gradcheck.js";
import { CONFIG } from "../support/training.js";

const ROWS = 4;

const plain = (width: number): Graph => resnet(20)({ classes: 10, imageSize: 16, width }).graph;
const BUDGET = { kind: "budget", target: 0.5, weight: 10, relax: 0, floor: 0, quiet: 0 } as const;

test.each<[string, GatedGraph, GatesConfig | undefined]>([
  ["channels that fill blocks", { graph: plain(1), gates: [] }, undefined],
  ["channels of which only later ones do", { graph: plain(0.5), gates: [] }, undefined],
  ["channels that never do", { graph: plain(0.75), gates: [] }, undefined],
  ["with gates", attachGates(plain(1), { gate: "pooled", places: "all" }), BUDGET],
])("every output of a step of ResNet-20 is the same in both layouts: %s", async (_, made, gates) => {
  const graph = attachExits(made.graph, ["stage1.block2.out", "stage2.block1.out"]);
  const step = stepGraph({
    graph,
    gates: made.gates,
    logits: graph.outputs.map((o) => o.name),
    trained: parametersOf(graph),
    frozen: false,
    config: { ...CONFIG, batch: ROWS, ema: 0.9, clipNorm: 5, gates },
  });
  const closed = Array.from({ length: ROWS * made.gates.length }, (__, i) => (i % 3 === 0 ? -9 : 1));
  const all: Tensors = {
    ...Object.fromEntries(step.initial),
    // Gates normalise means over images. Where all images are alike, that divides rounding errors by almost nothing.
    images: fromNumbers(
      "float32",
      [ROWS, 3, 16, 16],
      toNumbers(random([ROWS, 3, 16, 16], 7, 0, 1)).map((v, i) => (v * (1 + Math.floor(i / 768))) / ROWS),
    ),
    [STEP.labels]: fromNumbers("int64", [ROWS], [3, 1, 4, 9]),
    [STEP.learningRate]: fromNumbers("float32", [], [0.1]),
    [STEP.exitWeights]: fromNumbers("float32", [3], [0.3, 0.6, 1]),
    [STEP.count]: fromNumbers("float32", [], [1]),
    [GATE_STEP.noise]: fromNumbers("float32", [ROWS, made.gates.length], closed),
    [GATE_STEP.bounds]: fromNumbers("float32", [2], [0.4, 0.6]),
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
