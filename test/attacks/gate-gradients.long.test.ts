/** @file The gradient of an attack through gates, under every surrogate, against central differences in float64 of what the surrogate
 *  stands for. The soft network and the frozen one are made here from withSurrogates, without the copy that the loss graph makes. */
import { describe, expect, test } from "vitest";
import type { Victim } from "../../src/attacks/goals/victim.js";
import type { Loss } from "../../src/attacks/losses/loss.js";
import { Evaluator } from "../../src/attacks/oracle/evaluator.js";
import { lossGraph, NAMES } from "../../src/attacks/oracle/loss-graph.js";
import { configureAttack } from "../../src/attacks/spec.js";
import { SURROGATES, type Surrogate, withSurrogates } from "../../src/autodiff/gates.js";
import { fromNumbers, type Tensor, toNumbers } from "../../src/core/tensor.js";
import { type DynamicModel, dynamicModel } from "../../src/dynamic/model/model.js";
import { underPolicy } from "../../src/dynamic/model/under-policy.js";
import type { Graph, ValueName } from "../../src/graph/graph.js";
import { inferShapes } from "../../src/graph/infer.js";
import { opTable } from "../../src/ops/table.js";
import { runReference } from "../../src/runtime/reference.js";
import type { Policy } from "../../src/schema/policy.js";
import { inFloat64 } from "../support/float64.js";
import { gatedImages, gatedSource } from "../support/gated.js";
import { backend, gatedSamples, gatedVictim } from "../support/gated-attacks.js";
import { random } from "../support/gradcheck.js";

/** The network of gated.ts with Softplus in place of ReLU. A closed gate leaves relu(shortcut), which sits on the kink of the next ReLU
 * wherever the shortcut is 0, and there no difference equals a gradient. Each gate is open for some images only. */
function smoothVictim({ exits = [], thresholds = [] }: { exits?: number[]; thresholds?: number[] } = {}): Victim {
  const { graph, metadata } = gatedSource({ exits });
  const nodes = graph.nodes.map((node) => (node.opType === "Relu" ? { ...node, opType: "Softplus" } : node));
  const given = dynamicModel({ graph: { ...graph, nodes }, metadata });
  const at: number[] = given.gates.map(() => 0);
  for (const k of at.keys()) {
    const { model } = under(given, thresholds, at);
    const [scores] = values({ ...model.graph, outputs: [] }, IMAGES, [given.gates[k].score]);
    const sorted = [...scores].sort((a, b) => a - b);
    at[k] = Math.fround((sorted[0] + 2 * sorted[1]) / 3);
  }
  return under(given, thresholds, at);
}

function under(model: DynamicModel, thresholds: readonly number[], gates: readonly number[]): Victim {
  const policy: Policy = { rule: "max-softmax", thresholds, fallback: "final", gates: { thresholds: [...gates] } };
  return { model: underPolicy(model, policy), policy };
}

const ROWS = 3;
const DIMS = [ROWS, 3, 8, 8];
const IMAGES = [...gatedImages(ROWS, 11)];

const fed = (graph: Graph, images: readonly number[]): Record<string, Tensor> => ({
  image: fromNumbers("float64", DIMS, images),
  ...(graph.inputs.some(({ name }) => name === NAMES.labels)
    ? { [NAMES.labels]: fromNumbers("int64", [ROWS], [0, 2, 3]) }
    : {}),
});

function values(graph: Graph, images: readonly number[], names: readonly ValueName[]): number[][] {
  const results = runReference(inFloat64(graph), fed(graph, images), opTable, names);
  return names.map((name) => [...toNumbers(results[name])]);
}

/** The model whose gates have the values that the surrogate stands for at the base. */
function stoodFor({ model }: Victim, through: Surrogate): DynamicModel {
  if (through.kind === "hard") return model;
  const { graph, constants } = withSurrogates(model.graph, model.gates, through);
  const names = [...constants];
  const found = names.length === 0 ? [] : values(inferShapes(graph, opTable), IMAGES, names);
  const initializers = new Map(graph.initializers);
  names.forEach((name, i) => {
    initializers.set(name, fromNumbers("float32", [ROWS, 1, 1, 1], found[i]));
  });
  const nodes = graph.nodes.filter((node) => !node.outputs.some((name) => constants.has(name)));
  return { ...model, graph: { ...graph, nodes, initializers, types: new Map() } };
}

function expectDifferences(victim: Victim, loss: Loss, through: Surrogate): number[] {
  const made = lossGraph(victim.model, loss, { gradient: true, through });
  const [analytic] = values(made, IMAGES, [NAMES.gradient()]);
  const path = lossGraph(stoodFor(victim, through), loss, { gradient: false });
  for (let trial = 0; trial < 3; trial++) {
    const direction = toNumbers(random(DIMS, 60 + trial));
    const along = (t: number): number =>
      values(
        path,
        IMAGES.map((v, i) => v + t * direction[i]),
        [NAMES.loss()],
      )[0].reduce((a, b) => a + b, 0);
    const h = 1e-6;
    const numeric = (along(h) - along(-h)) / (2 * h);
    const got = analytic.reduce((sum, g, i) => sum + g * direction[i], 0);
    expect(Math.abs(got - numeric), `direction ${trial}: ${got}, numeric ${numeric}`).toBeLessThan(
      1e-6 * Math.max(1, Math.abs(numeric)),
    );
  }
  return analytic;
}

const GOALS = [
  ["misclassify:final", {}],
  ["slowdown", { gateKappa: 20 }],
  ["speed-up", { gateKappa: 20, kappa: 50 }],
  ["early:margin", { kappa: 50, keep: 50 }],
] as const;

const THROUGH: readonly Surrogate[] = [
  { kind: "hard" },
  { kind: "straight-through" },
  { kind: "straight-through", slope: 0.3 },
  { kind: "soft" },
  { kind: "soft", slope: 2 },
];

describe.each([
  ["gates alone", smoothVictim()],
  ["gates and an exit", smoothVictim({ exits: [1], thresholds: [0.9] })],
])("%s", (_name, victim) => {
  test("each gate is open for some images only, and no score lies at its threshold", () => {
    const scores = values(
      { ...victim.model.graph, outputs: [] },
      IMAGES,
      victim.model.gates.map(({ score }) => score),
    );
    victim.model.gates.forEach(({ threshold }, k) => {
      for (const z of scores[k]) expect(Math.abs(z - threshold)).toBeGreaterThan(1e-4);
      expect(new Set(scores[k].map((z) => z >= threshold)).size).toBe(2);
    });
  });

  describe.each(GOALS)("%s", (goal, config) => {
    const { losses } = configureAttack({ name: "t", goal, radius: 0.1, ...config }, victim).goal;
    const loss = losses.at(-1) as Loss;

    test.each(THROUGH)("the gradient is the difference of what the surrogate stands for: %j", (through) => {
      expectDifferences(victim, loss, through);
    });

    test("the surrogates differ", () => {
      const found = THROUGH.map((through) => {
        const made = lossGraph(victim.model, loss, { gradient: true, through });
        return values(made, IMAGES, [NAMES.gradient()])[0];
      });
      for (const [k, one] of found.entries())
        for (const other of found.slice(k + 1))
          expect(Math.max(...one.map((g, i) => Math.abs(g - other[i])))).toBeGreaterThan(1e-6);
    });
  });
});

test("losses, logits and bits of a reply are those of hard gates under every surrogate", async () => {
  const victim = gatedVictim();
  const samples = await gatedSamples(victim, 12);
  const { goal } = configureAttack({ name: "t", goal: "early:margin", radius: 0.1 }, victim);
  const evaluator = new Evaluator(victim.model, { backend });
  const asked = (through: Surrogate | undefined, gradient: boolean) =>
    samples.map((sample) => ({
      question: { image: sample.pixels, loss: goal.losses[0], gradient, through },
      sample,
      label: goal.label(sample),
    }));
  const plain = (await evaluator.evaluate(asked(undefined, false))).map(({ loss, logits, bits, full }) => ({
    ...{ loss, bits, logits: [...(logits[0] as Float32Array)], full: [...(full as Float32Array)] },
  }));
  for (const kind of SURROGATES) {
    const found = await evaluator.evaluate(asked({ kind, slope: 3 }, true));
    found.forEach(({ loss, logits, bits, full }, i) => {
      expect(bits).toEqual(plain[i].bits);
      expect(loss).toBeCloseTo(plain[i].loss, 5);
      [...(logits[0] as Float32Array)].forEach((v, k) => {
        expect(v).toBeCloseTo(plain[i].logits[k], 5);
      });
      [...(full as Float32Array)].forEach((v, k) => {
        expect(v).toBeCloseTo(plain[i].full[k], 5);
      });
    });
  }
  await evaluator.release();
});
