/** The evaluation of a network with gates counts, for each gate, the records that open it. */
import { expect, test } from "vitest";
import { fromNumbers, toNumbers } from "../../../src/core/tensor.js";
import { ortNode } from "../../../src/node/ort-node/index.js";
import { opTable } from "../../../src/ops/table.js";
import { runReference } from "../../../src/runtime/reference.js";
import { attachGates } from "../../../src/training/gates/attach.js";
import { statedGates } from "../../../src/training/gates/metadata.js";
import { evaluateExits } from "../../../src/training/run/evaluate.js";
import { narrow, spread } from "../../support/spread-gates.js";
import { patterns, SIDE } from "../../support/training.js";

const COUNT = 10;

test("open records are counted as the deployed graph opens them, in batches of any size", async () => {
  const made = attachGates(narrow(), { gate: "pooled", seed: 3 });
  const graph = spread(made.graph, { bias: 0, weight: 4 });
  const data = patterns(COUNT, { noise: 0.4 });
  const pixels = new Float32Array(COUNT * 3 * SIDE * SIDE);
  await data.read(
    Uint32Array.from({ length: COUNT }, (_, i) => i),
    pixels,
  );
  const images = fromNumbers("float32", [COUNT, 3, SIDE, SIDE], pixels);
  const names = made.gates.map(({ value }) => value);
  const values = runReference(graph, { images }, opTable, names);
  const want = names.map((name) => toNumbers(values[name]).reduce((sum, v) => sum + v, 0));
  expect(new Set(want).size).toBeGreaterThan(1);
  const exits = [{ name: "final", logits: "logits" }];
  for (const batch of [3, 10]) {
    const gates = statedGates(made.gates);
    const { open } = await evaluateExits(graph, data, { exits, backend: ortNode({ threads: 1 }), batch, gates });
    expect(open).toEqual(want);
  }
  const without = await evaluateExits(graph, data, { exits, backend: ortNode({ threads: 1 }), batch: 10 });
  expect(without.open).toEqual([]);
});
