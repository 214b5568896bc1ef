/** @file Flags that one attack of an audit shows by itself: a network where each must appear, and one where it must not. */
import { describe, expect, test } from "vitest";
import type { AttackConfig } from "../../src/attacks/spec.js";
import { inMemory } from "../../src/data/dataset.js";
import { type DynamicModel, dynamicModel } from "../../src/dynamic/model/model.js";
import { GraphBuilder } from "../../src/graph/builder.js";
import { emptyGraph } from "../../src/graph/op.js";
import { ortNode } from "../../src/node/ort-node/index.js";
import type { Backend } from "../../src/runtime/backend.js";
import { audit } from "../../src/studies/audit/index.js";
import { type LinearExit, linearExits, logitsAt } from "../support/attack.js";
import { OPSET } from "../support/models.js";

const WEIGHTS = [[6, -2, 1], [-4, 5, 2], [1, -3, -6], [-3, 0, 3]]; // biome-ignore format: a matrix
const scaled = (factor: number, bias = 0): LinearExit => ({
  weights: WEIGHTS.map((row) => row.map((w) => factor * w)),
  bias: [bias, 0, 0, 0],
});
const ORDINARY = [scaled(1)];
/** Probabilities of 1 in float32. */
const STEEP = [scaled(4000)];
/** Always the class 0. */
const CONSTANT = [scaled(0, 1)];

const IMAGES = [0, 1, 2, 3, 4, 5, 6, 7].map((i) => [0.2 + 0.08 * i, 0.75 - 0.06 * i, 0.3 + 0.05 * i]);

interface Given {
  /** The network, or what stands in for it with the same labels. */
  readonly exits: readonly LinearExit[];
  readonly model?: DynamicModel;
  readonly attack: Omit<AttackConfig, "name">;
  readonly backend?: Backend;
}

async function healthOf({ exits, model = linearExits(exits), attack, backend = ortNode({ threads: 1 }) }: Given) {
  const final = (image: readonly number[]) => logitsAt(exits, Float32Array.from(image)).at(-1) as number[];
  const labels = Int32Array.from(IMAGES, (image) => final(image).indexOf(Math.max(...final(image))));
  const data = inMemory(
    { name: "made", shape: [3, 1, 1], classes: undefined, labels },
    Float32Array.from(IMAGES.flat()),
  );
  const { record } = await audit({
    ...{ model, backend, data, attacks: [{ name: "t", ...attack }] },
    policy: {
      kind: "fixed",
      policy: { rule: "max-softmax", thresholds: exits.slice(1).map(() => 0.7), fallback: "final" },
    },
    ...{ seed: 5, batch: 8, version: "test", now: () => 0 },
  });
  return record.attacks[0].health;
}

const pgd = { method: "pgd", radius: 0.02, steps: 6, randomStart: false } as const;

/** Every run adds its number to the logits. */
const restless = (): Backend => {
  const inner = ortNode({ threads: 1 });
  let runs = 0;
  return {
    ...inner,
    compile: async (graph) => {
      const session = await inner.compile(graph);
      return {
        inputs: session.inputs,
        outputs: session.outputs,
        release: () => session.release(),
        run: async (feeds) => {
          const results = await session.run(feeds);
          const by = 1e-3 * ++runs;
          return Object.fromEntries(
            Object.entries(results).map(([name, t]) =>
              t.dtype === "float32"
                ? [name, { ...t, data: (t.data as Float32Array).map((v, i) => v + by * (i % 4)) }]
                : [name, t],
            ),
          );
        },
      };
    },
  };
};

const all = { share: 1 };
const FLAGS: readonly { flag: string; where: string; shown: Given; expected: object; hidden: Given }[] = [
  {
    flag: "zero-gradient",
    where: "the softmax is saturated",
    shown: { exits: STEEP, attack: pgd },
    expected: all,
    hidden: { exits: ORDINARY, attack: pgd },
  },
  {
    flag: "unchanged",
    where: "the gradient is zero everywhere",
    shown: { exits: CONSTANT, attack: pgd },
    expected: all,
    hidden: { exits: ORDINARY, attack: pgd },
  },
  {
    flag: "unchanged",
    where: "no success exists, and not where successes lie beyond the radius",
    shown: { exits: CONSTANT, attack: { method: "fmn", norm: "l2", radius: 0.01, steps: 20 } },
    expected: all,
    hidden: { exits: ORDINARY, attack: { method: "fmn", norm: "l2", radius: 0.001, steps: 60 } },
  },
  {
    flag: "loss-flat",
    where: "the loss is constant",
    shown: { exits: CONSTANT, attack: { ...pgd, randomStart: true } },
    expected: all,
    hidden: { exits: ORDINARY, attack: { ...pgd, randomStart: true } },
  },
  {
    flag: "saturated",
    where: "every probability is 1",
    shown: { exits: STEEP, attack: pgd },
    expected: all,
    hidden: { exits: ORDINARY, attack: pgd },
  },
  {
    flag: "saturated",
    where: "the loss is the cross-entropy, and not for the margin",
    shown: { exits: STEEP, attack: { ...pgd, loss: "cross-entropy" } },
    expected: all,
    hidden: { exits: STEEP, attack: { ...pgd, loss: "margin" } },
  },
  {
    flag: "probabilities",
    where: "the outputs are a softmax that the graph hides",
    shown: { exits: ORDINARY, model: hiddenProbabilities(), attack: pgd },
    expected: { share: null },
    hidden: { exits: ORDINARY, attack: pgd },
  },
  {
    flag: "random",
    where: "two runs differ",
    shown: { exits: ORDINARY, attack: pgd, backend: restless() },
    expected: { share: null },
    hidden: { exits: ORDINARY, attack: pgd },
  },
  {
    flag: "large-radius",
    where: "half the pixel range changes no answer",
    shown: { exits: CONSTANT, attack: { ...pgd, radius: 0.5 } },
    expected: { share: null },
    hidden: { exits: CONSTANT, attack: { ...pgd, radius: 0.4 } },
  },
  {
    flag: "large-radius",
    where: "the network is at fault, and not where a control found nothing",
    shown: { exits: CONSTANT, attack: { method: "square", queries: 20, radius: 0.5 } },
    expected: { share: null },
    hidden: { exits: CONSTANT, attack: { method: "sign-noise", radius: 0.5 } },
  },
  {
    flag: "large-radius",
    where: "any wrong answer would do, and not for a target",
    shown: { exits: CONSTANT, attack: { ...pgd, radius: 0.5 } },
    expected: { share: null },
    hidden: { exits: CONSTANT, attack: { ...pgd, radius: 0.5, target: "least-likely" } },
  },
  {
    flag: "large-radius",
    where: "the answer matters, and not for another goal",
    shown: { exits: [...CONSTANT, ...CONSTANT], attack: { ...pgd, radius: 0.5, goal: "routed" } },
    expected: { share: null },
    hidden: { exits: [scaled(0, 9), ...CONSTANT], attack: { ...pgd, radius: 0.5, goal: "slowdown" } },
  },
];

describe("an attack has the flag", () => {
  test.each(FLAGS)("$flag where $where", async ({ flag, shown, expected, hidden }) => {
    expect(await healthOf(shown)).toContainEqual({ flag, meaning: expect.any(String), ...expected });
    expect((await healthOf(hidden)).map((one) => one.flag)).not.toContain(flag);
  });

  test("none on an ordinary network", async () => {
    expect(await healthOf({ exits: ORDINARY, attack: { ...pgd, radius: 0.1 } })).toEqual([]);
  });

  test("zero-gradient with the share of the samples", async () => {
    // The first logit saturates the softmax where the first pixel is above 0.5.
    const half: LinearExit = { weights: [[1000, 0, 0], [0, 4, 0], [0, 0, 0], [0, 0, 0]], bias: [-500, 0, 0, 0] }; // biome-ignore format: a matrix
    const health = await healthOf({ exits: [half], attack: { ...pgd, radius: 0.001 } });
    const steep = IMAGES.filter(([first]) => first > 0.515).length;
    expect(health.find(({ flag }) => flag === "zero-gradient")?.share).toBeCloseTo(steep / IMAGES.length, 12);
    expect(steep).toBeLessThan(IMAGES.length);
  });
});

/** A classifier whose output is a softmax, behind a product that could give any numbers. */
function hiddenProbabilities(): DynamicModel {
  const b = new GraphBuilder(emptyGraph("hidden", OPSET));
  const matrix = (rows: readonly (readonly number[])[]) =>
    b.constant({ dtype: "float32", dims: [rows.length, 4], data: Float32Array.from(rows.flat()) });
  const flat = b.op("Flatten", [b.input("image", "float32", ["n", 3, 1, 1])]);
  const logits = b.op("MatMul", [flat, matrix([0, 1, 2].map((i) => WEIGHTS.map((row) => row[i])))]);
  const same = matrix([0, 1, 2, 3].map((i) => [0, 1, 2, 3].map((j) => (i === j ? 1 : 0))));
  b.output(b.op("MatMul", [b.op("Softmax", [logits]), same], {}, "p"), "float32", undefined);
  return dynamicModel({ graph: b.build(), metadata: new Map() });
}
