/** @file A closed gate's branch is not executed: poisoned weights, the structure of the graph, and answers against the masked form. */
import { describe, expect, test } from "vitest";
import { Images } from "../../../src/core/images.js";
import type { Tensor } from "../../../src/core/tensor.js";
import type { DynamicModel } from "../../../src/dynamic/model/model.js";
import { route } from "../../../src/dynamic/route/route.js";
import { conditionalModel } from "../../../src/dynamic/run/conditional/index.js";
import { withSkips } from "../../../src/dynamic/run/conditional/skips.js";
import { createExecutor } from "../../../src/dynamic/run/executor/index.js";
import { Forward } from "../../../src/dynamic/run/forward.js";
import { type Graph, type Node, subgraphs } from "../../../src/graph/graph.js";
import { ortNode } from "../../../src/node/ort-node/index.js";
import { referenceBackend } from "../../../src/runtime/reference.js";
import type { Policy } from "../../../src/schema/policy.js";
import { gatedImages, gatedModel } from "../../support/gated.js";

const backend = ortNode({ threads: 1 });
const COUNT = 40;

/** The model with NaN in the weights of one block's first convolution. */
function poisoned(model: DynamicModel, block: number): DynamicModel {
  const conv = model.graph.nodes.find(({ outputs }) => outputs.includes(`block${block}.conv1`)) as Node;
  const weight = model.graph.initializers.get(conv.inputs[1]) as Tensor<"float32">;
  const bad = { ...weight, data: new Float32Array(weight.data.length).fill(Number.NaN) };
  const initializers = new Map([...model.graph.initializers, [conv.inputs[1], bad]]);
  return { ...model, graph: { ...model.graph, initializers } };
}

const FORMS = [
  ["gates alone, staged", [], [], "staged"],
  ["gates and exits, staged", [0, 2], [0.97, 0.97], "staged"],
  ["gates and exits, conditional", [0, 2], [0.97, 0.97], "conditional"],
] as const;

async function answersOf(model: DynamicModel, policy: Policy, engine: "staged" | "conditional", batch: number) {
  const executor = await createExecutor(model, { backend, policy, engine, batch });
  const answers = await executor.classify(gatedImages(COUNT));
  await executor.release();
  return answers;
}

describe.each(FORMS)("%s", (_name, exits, thresholds, engine) => {
  const model = gatedModel({ exits });
  const policy: Policy = { rule: "max-softmax", thresholds, fallback: "final" };

  test.each([1, 2, 8, 64])(
    "in batches of %i poison in a closed branch changes nothing, and shows in an open one",
    async (batch) => {
      const healthy = await answersOf(model, policy, engine, batch);
      let [closed, open] = [0, 0];
      for (const block of [0, 1, 2, 3]) {
        const sick = await answersOf(poisoned(model, block), policy, engine, batch);
        healthy.forEach((answer, i) => {
          if (answer.gates?.[block] === 1) {
            open++;
            expect(sick[i].logits.every(Number.isNaN)).toBe(true);
          } else {
            closed++;
            expect(sick[i]).toEqual(answer);
          }
        });
      }
      expect(Math.min(closed, open)).toBeGreaterThan(20);
    },
  );

  test("gives the bits and, within rounding, the logits of the masked form", async () => {
    const forward = await Forward.compile(model, referenceBackend);
    const logits = await forward.logits(Images.for(model, gatedImages(COUNT)), { batch: COUNT });
    await forward.release();
    const routed = route(logits, policy);
    for (const batch of [1, 8]) {
      const answers = await answersOf(model, policy, engine, batch);
      answers.forEach((answer, i) => {
        const masked = logits.row(answer.answer, i);
        expect(answer.gates).toEqual(routed[i].gates);
        answer.logits.forEach((value, k) => {
          expect(Math.abs(value - masked[k])).toBeLessThan(1e-4);
        });
      });
    }
  });
});

test.each([1, 8])("wide blocks skip in the blocked layout too, in batches of %i", async (batch) => {
  const wide = (bias: number) => gatedModel({ exits: [1], width: 8, biases: [bias, bias, bias, bias] });
  const policy: Policy = { rule: "max-softmax", thresholds: [2], fallback: "final" };
  const bits = new Set<string>();
  for (const bias of [-1e6, -8, -2, 0, 2, 8, 1e6]) {
    const model = wide(bias);
    const forward = await Forward.compile(model, ortNode({ threads: 1, rewrite: false }));
    const logits = await forward.logits(Images.for(model, gatedImages(COUNT)), { batch: COUNT });
    await forward.release();
    const routed = route(logits, policy);
    for (const engine of ["staged", "conditional"] as const)
      (await answersOf(model, policy, engine, batch)).forEach((answer, i) => {
        bits.add(String(answer.gates));
        expect(answer.gates).toEqual(routed[i].gates);
        answer.logits.forEach((value, k) => {
          expect(Math.abs(value - logits.row(1, i)[k])).toBeLessThan(1e-3 * Math.max(1, Math.abs(value)));
        });
      });
  }
  expect(bits.size).toBeGreaterThan(3);
});

/** All convolutions of a graph, with the depth at which they lie. */
const convs = (graph: Graph, depth = 0): [string, number][] =>
  graph.nodes.flatMap((node) => [
    ...(node.opType === "Conv" ? [[node.outputs[0], depth] as [string, number]] : []),
    ...subgraphs(node).flatMap((inner) => convs(inner, depth + 1)),
  ]);

describe("the graph", () => {
  test.each([true, false])("holds each branch and its weights once, inside an If (single: %s)", (single) => {
    const { graph } = conditionalModel(
      gatedModel(),
      { rule: "max-softmax", thresholds: [], fallback: "final" },
      { single },
    );
    const found = convs(graph);
    expect(found.filter(([, depth]) => depth === 0).map(([name]) => name)).toEqual(["stem"]);
    expect(found.filter(([, depth]) => depth === 1)).toHaveLength(8);
    expect([...graph.initializers.values()].filter(({ dims }) => dims.length === 4)).toHaveLength(1);
    expect(graph.nodes.filter(({ opType }) => opType === "If")).toHaveLength(4);
    expect(graph.nodes.filter(({ opType }) => opType === "Mul")).toEqual([]);
  });

  test("stays as it is without gates, and where a block has another form", () => {
    const plain = gatedModel({ plain: [0, 1, 2, 3] });
    expect(withSkips(plain.graph, plain.gates, false)).toBe(plain.graph);
    const { graph, gates } = gatedModel({ plain: [1, 2, 3] });
    const other = { ...graph, nodes: graph.nodes.map((n) => (n.opType === "Add" ? { ...n, opType: "Max" } : n)) };
    expect(withSkips(other, gates, false)).toBe(other);
    expect(withSkips(graph, gates, false)).not.toBe(graph);
  });
});
