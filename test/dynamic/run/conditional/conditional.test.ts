import { describe, expect, test } from "vitest";
import { dynamicModel } from "../../../../src/dynamic/model/model.js";
import { RULE_DEFS } from "../../../../src/dynamic/route/policy.js";
import { conditionalModel } from "../../../../src/dynamic/run/conditional/index.js";
import { type Graph, subgraphs } from "../../../../src/graph/graph.js";
import { readModel } from "../../../../src/onnx/read.js";
import { writeModel } from "../../../../src/onnx/write.js";
import { FALLBACKS, type Policy, RULES } from "../../../../src/schema/policy.js";
import { expectEqualToRoute, images, KINDS, medianPolicy, randomModel, run } from "../../../deploy/support.js";
import { failure } from "../../../support/failure.js";

describe("a conditional file", () => {
  const model = randomModel({ kind: "branches", exits: 4, classes: 4, seed: 3 });
  test.each(RULES.flatMap((rule) => FALLBACKS.map((fallback) => [rule, fallback] as const)))(
    "answers as route does: rule %s, fallback %s",
    async (rule, fallback) => {
      const policy = await medianPolicy(model, { rule, fallback, temperatures: [1.5, 1, 0.8, 2] }, images(24));
      const exits = await expectEqualToRoute(model, policy, images(24));
      expect(new Set(exits).size).toBeGreaterThan(1);
    },
  );

  const maxSoftmax = (...values: number[]): Policy => ({ rule: "max-softmax", thresholds: values, fallback: "final" });

  test("stops everyone at the first exit at threshold 0, and no one early where nothing fires", async () => {
    expect(await expectEqualToRoute(model, maxSoftmax(0, 0, 0), images(4))).toEqual([0, 0, 0, 0]);
    expect(await expectEqualToRoute(model, maxSoftmax(2, 2, 2), images(4))).toEqual([3, 3, 3, 3]);
  });

  test("has samples of one batch stop at different exits, and the same ones alone", async () => {
    const policy = await medianPolicy(model, { rule: "max-softmax", fallback: "final" }, images(24));
    const exits = await expectEqualToRoute(model, policy, images(24));
    expect(new Set(exits).size).toBeGreaterThan(2);
    const each = images(24).length / 24;
    for (const i of [0, 5, 11])
      expect(await expectEqualToRoute(model, policy, images(24).subarray(i * each, (i + 1) * each))).toEqual([
        exits[i],
      ]);
  });

  test("made for one sample it packs nothing, and answers as route does, whatever the rule", async () => {
    for (const rule of RULES)
      for (const fallback of FALLBACKS) {
        const policy = await medianPolicy(model, { rule, fallback }, images(8));
        const exits = await expectEqualToRoute(model, policy, images(8), { single: true });
        expect(new Set(exits).size, rule).toBeGreaterThan(1);
      }
    const operators = scopes(conditionalModel(model, maxSoftmax(0.5, 0.5, 0.5), { single: true }).graph).flatMap((g) =>
      g.nodes.map((node) => node.opType),
    );
    expect(operators).toContain("If");
    for (const packs of ["Compress", "ScatterND", "NonZero"]) expect(operators).not.toContain(packs);
  });

  test("has four outputs with one row per sample", async () => {
    const { outputs, dims } = await run(model, maxSoftmax(0.6, 0.6, 0.6), images(3));
    expect(outputs).toEqual(["logits", "exit", "label", "confidence"]);
    expect(dims).toEqual({ logits: [3, 4], exit: [3], label: [3], confidence: [3] });
  });

  test("does not stop at logits that are no numbers", async () => {
    const broken = images(3).fill(Number.NaN, 0, 108);
    for (const rule of ["max-softmax", "entropy", "margin"] as const) {
      const [low, high] = RULE_DEFS[rule].range(4);
      const loosest = rule === "entropy" ? high : low;
      const policy: Policy = { rule, fallback: "final", thresholds: [loosest, loosest, loosest] };
      expect((await run(model, policy, broken)).exit, rule).toEqual([3, 0, 0]);
    }
  });

  test("leaves out exits that cannot fire, and keeps the numbers of the others", async () => {
    const policy = maxSoftmax(2, 0.3, 2);
    const whole = conditionalModel(model, maxSoftmax(0.5, 0.5, 0.5));
    const some = conditionalModel(model, policy);
    expect(scopes(some.graph).length).toBe(3);
    expect(scopes(whole.graph).length).toBe(7);
    expect(await expectEqualToRoute(model, policy, images(6))).toContain(1);
  });

  test("gives way when the network has values of the names of its outputs", async () => {
    const awkward = randomModel({ kind: "chain", exits: 3, classes: 3, seed: 2, hint: "label" });
    await expectEqualToRoute(awkward, maxSoftmax(0.6, 0.6), images(5));
  });
});

/** A graph and all graphs in it. */
const scopes = (graph: Graph): Graph[] => [graph, ...graph.nodes.flatMap(subgraphs).flatMap(scopes)];

describe("the graphs of a conditional file", () => {
  const policy: Policy = { rule: "max-softmax", thresholds: [0.5, 0.5, 0.5], fallback: "most-confident" };
  test.each(KINDS)("hold each weight once and no name twice: %s", (kind) => {
    const model = randomModel({ kind, exits: 4, classes: 4, seed: 1 });
    const all = scopes(conditionalModel(model, policy).graph);
    const large = all.flatMap(({ initializers }) => [...initializers.values()]).filter((t) => t.data.length > 8);
    const wanted = [...model.graph.initializers.values()].filter((t) => t.data.length > 8);
    expect(large.length).toBe(wanted.length);
    expect(new Set(large)).toEqual(new Set(wanted));
    const names = all.flatMap((g) => [
      ...g.inputs.map(({ name }) => name),
      ...g.initializers.keys(),
      ...g.nodes.flatMap((n) => n.outputs),
    ]);
    expect(new Set(names).size).toBe(names.length);
  });

  test("keep the weights of a stage in the sub-graph that runs it", () => {
    const model = randomModel({ kind: "branches", exits: 4, classes: 4, seed: 1 });
    const large = (graph: Graph) => [...graph.initializers.values()].filter((t) => t.data.length > 8).length;
    const [top, ...inner] = scopes(conditionalModel(model, policy).graph).map(large);
    expect(top).toBeLessThan(model.graph.initializers.size / 2);
    expect(inner.filter((count) => count > 0).length).toBe(3);
  });

  test("name their number of rows apart", () => {
    const model = randomModel({ kind: "chain", exits: 3, classes: 4, seed: 1 });
    const [top, first, second] = scopes(conditionalModel(model, { ...policy, thresholds: [0.5, 0.5] }).graph).filter(
      (g) => g.initializers.size > 0,
    ) as [Graph, Graph, Graph];
    const rows = (g: Graph) =>
      new Set(g.nodes.filter((n) => n.opType === "Conv").map((n) => g.types.get(n.outputs[0])?.shape[0]));
    expect([rows(top), rows(first), rows(second)]).toEqual([new Set(["n"]), new Set(["n1"]), new Set(["n2"])]);
  });

  test("are refused as a model, with the way out", () => {
    const model = randomModel({ kind: "chain", exits: 3, classes: 4, seed: 1 });
    const file = readModel(writeModel(conditionalModel(model, { ...policy, thresholds: [0.5, 0.5] })));
    expect(() => dynamicModel(file, { name: "c.onnx" })).toThrow(
      failure(
        "model/op",
        "c.onnx: is a conditional export of dynn, which skips its later stages by itself, so exits and costs cannot be read from it. Give the model that it was exported from, or run it with ONNX Runtime.",
      ),
    );
  });
});
