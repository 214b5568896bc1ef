/** @file The account of an attack's work against a count over the nodes of the graphs that ran. */
import { expect, test } from "vitest";
import { Evaluator } from "../../src/attacks/oracle/evaluator.js";
import { lossGraph } from "../../src/attacks/oracle/loss-graph.js";
import type { Question } from "../../src/attacks/question.js";
import { runAttack } from "../../src/attacks/runner.js";
import type { Sample } from "../../src/attacks/sample.js";
import { configureAttack } from "../../src/attacks/spec.js";
import { fromNumbers } from "../../src/core/tensor.js";
import { dynamicModel } from "../../src/dynamic/model/model.js";
import { int } from "../../src/graph/attributes.js";
import { GraphBuilder } from "../../src/graph/builder.js";
import { nodeMacs } from "../../src/graph/cost.js";
import type { Graph } from "../../src/graph/graph.js";
import { inferShapes } from "../../src/graph/infer.js";
import { emptyGraph } from "../../src/graph/op.js";
import { opTable } from "../../src/ops/table.js";
import type { Backend } from "../../src/runtime/backend.js";
import { referenceBackend } from "../../src/runtime/reference.js";
import { samplesOf, smallExits, victimOf } from "../support/models.js";

const model = smallExits();
const samples = await samplesOf(model, 12);

/** A backend that counts the MACs of every row it runs. */
function counting(): { readonly backend: Backend; readonly total: () => number } {
  let total = 0;
  const backend: Backend = {
    ...referenceBackend,
    compile: async (graph: Graph) => {
      const macs = [...nodeMacs(graph, opTable).values()].reduce((sum, m) => sum + m, 0);
      const session = await referenceBackend.compile(graph);
      return {
        ...session,
        run: (feeds) => {
          total += macs * (feeds[model.input.name]?.dims[0] ?? 0);
          return session.run(feeds);
        },
      };
    },
  };
  return { backend, total: () => total };
}

test.each(["misclassify:final", "average", "routed", "slowdown"])(
  "the work of an attack is the node-by-node count of the graphs that ran: %s",
  async (goal) => {
    const { backend, total } = counting();
    const attack = configureAttack({ name: "t", goal, radius: 0.05, steps: 4 }, victimOf(model, 0.6));
    const outcomes = await runAttack(attack, samples, {
      evaluator: new Evaluator(model, { backend }),
      seed: 1,
      batch: 5,
    });
    const spent = outcomes.reduce((sum, { spent: s }) => sum + s.forwardMacs + s.backwardMacs, 0);
    expect(spent).toBe(total());
    expect(spent).toBeGreaterThan(0);
  },
);

test.each(["deepfool", "fab", "fab-t"])("and where several gradients share a forward pass: %s", async (method) => {
  const { backend, total } = counting();
  const attack = configureAttack({ name: "t", method, norm: "l2", steps: 3 }, victimOf(model, 0.6));
  const outcomes = await runAttack(attack, samples, {
    evaluator: new Evaluator(model, { backend }),
    seed: 1,
    batch: 5,
  });
  expect(outcomes.reduce((sum, { spent: s }) => sum + s.forwardMacs + s.backwardMacs, 0)).toBe(total());
});

test("the gradients of several targets in one run are those of one run each", async () => {
  const { goal } = configureAttack({ name: "t", method: "deepfool", norm: "l2" }, victimOf(model, 0.6));
  const evaluator = new Evaluator(model, { backend: referenceBackend });
  const loss = goal.losses[goal.losses.length - 1];
  const ask = (sample: Sample, aims: Pick<Question, "target" | "targets">) =>
    evaluator.evaluate([{ sample, label: 0, question: { image: sample.pixels, loss, gradient: true, ...aims } }]);
  const targets = [3, 1, 2];
  for (const sample of samples.slice(0, 3)) {
    const [{ each, loss: first, gradient }] = await ask(sample, { targets });
    expect(each).toHaveLength(3);
    expect({ loss: first, gradient }).toEqual(each?.[0]);
    for (const [k, target] of targets.entries()) {
      const [alone] = await ask(sample, { target });
      expect(each?.[k]).toEqual({ loss: alone.loss, gradient: alone.gradient });
    }
  }
});

test("questions about large images run in parts of equal length, and each gets its own reply", async () => {
  const large = dynamicModel({ graph: brightness(1024), metadata: new Map() });
  const rows: (number | undefined)[] = [];
  const compile = async (graph: Graph) => {
    const session = await referenceBackend.compile(graph);
    const run: typeof session.run = (feeds) => {
      rows.push(feeds.image?.dims[0]);
      return session.run(feeds);
    };
    return { ...session, run };
  };
  const evaluator = new Evaluator(large, { backend: { ...referenceBackend, compile } });
  const { goal } = configureAttack({ name: "t", method: "fgsm", radius: 0.1 }, victimOf(large, 0.5));
  const asked = Array.from({ length: 10 }, (_, id) => {
    const image = new Float32Array(1024 * 1024).fill(id / 16);
    return { sample: { ...samples[0], id }, label: 0, question: { image, loss: goal.losses[0], gradient: false } };
  });
  const replies = await evaluator.evaluate(asked);
  expect(rows).toEqual([3, 4, 3]);
  expect(replies.map(({ logits }) => logits[0]?.[0])).toEqual(asked.map((_, id) => id / 16));
});

/** A model whose first logit is the mean of a gray image, and whose second logit is its negative. */
function brightness(size: number): Graph {
  const b = new GraphBuilder(emptyGraph("brightness", 17));
  const image = b.input("image", "float32", ["n", 1, size, size]);
  const mean = b.op("Flatten", [b.op("GlobalAveragePool", [image])], { axis: int(1) });
  const both = b.constant(fromNumbers("float32", [1, 2], [1, -1]));
  b.output(b.op("Mul", [mean, both], {}, "logits"), "float32", ["n", 2]);
  return inferShapes(b.build(), opTable);
}

test("the routed goal pays only for the prefix up to the exit taken", async () => {
  const attack = configureAttack({ name: "t", goal: "routed", radius: 0.001, steps: 1 }, victimOf(model, 0.3));
  const evaluator = new Evaluator(model, { backend: referenceBackend });
  const work = attack.goal.losses.map((loss) => evaluator.workOf({ image: new Float32Array(), loss, gradient: true }));
  const forward = work.map((w) => w.forward);
  expect(forward).toEqual(attack.goal.losses.map((loss) => macsOf(lossGraph(model, loss, { gradient: false }))));
  expect(forward[0]).toBeLessThan(forward[1]);
  expect(forward[1]).toBeLessThan(forward[2]);
});

const macsOf = (graph: Graph): number => [...nodeMacs(graph, opTable).values()].reduce((sum, m) => sum + m, 0);
