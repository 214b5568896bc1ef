import { describe, expect, test } from "vitest";
import type { ExitLogits, Objective, Sample } from "../../src/attacks/attack.js";
import { lossGraph } from "../../src/attacks/evaluator.js";
import { average, max } from "../../src/attacks/objectives/combined.js";
import { earlyFires, earlyLabelsChanged, earlyMargin, earlyPublished } from "../../src/attacks/objectives/early.js";
import { misclassify } from "../../src/attacks/objectives/misclassify.js";
import { routed } from "../../src/attacks/objectives/routed.js";
import { slowdown } from "../../src/attacks/objectives/slowdown.js";
import { uniform } from "../../src/core/rng.js";
import { fromNumbers, type Tensor, toNumbers } from "../../src/core/tensor.js";
import { softmaxRow } from "../../src/dynamic/route/policy.js";
import { ortNode } from "../../src/node/ort-node/index.js";
import { runReference } from "../../src/runtime/reference.js";
import { inFloat64 } from "../support/float64.js";
import { samplesOf, smallExits, victimOf } from "../support/models.js";

const model = smallExits();
const victim = victimOf(model, 0.6);
const [sample] = (await samplesOf(model, 1)) as [Sample];
const moved = sample.pixels.map((v, i) => v + 0.05 * ((i % 7) - 3) * 0.1);

const objectives: readonly Objective[] = [
  misclassify(victim, "final", { loss: "cross-entropy", kappa: 0 }),
  misclassify(victim, 0, { loss: "margin", kappa: 1e3 }),
  average(victim),
  max(victim),
  routed(victim),
  routed(victimOf(model, 0.99, { fallback: "most-confident" })),
  earlyPublished(victim, { alpha: 0.1 }),
  earlyMargin(victim, { kappa: 1e3, keep: 1e3, weight: 2 }),
  slowdown(victim),
];
const losses = objectives.flatMap((objective) =>
  objective.losses.map((_, index) => [`${objective.name}, loss ${index}`, objective, index] as const),
);

const feeds = (objective: Objective, image: Float32Array) => ({
  image: { dtype: "float32" as const, dims: [1, 3, 8, 8], data: image },
  dynn_clean: { dtype: "float32" as const, dims: [1, 3, 8, 8], data: sample.pixels },
  dynn_labels: { dtype: "int64" as const, dims: [1], data: BigInt64Array.of(BigInt(objective.label(sample))) },
});

const widened = (fed: Readonly<Record<string, Tensor>>): Record<string, Tensor> =>
  Object.fromEntries(
    Object.entries(fed).map(([name, t]) => [
      name,
      t.dtype === "float32" ? fromNumbers("float64", t.dims, t.data as Float32Array) : t,
    ]),
  );

describe("every loss", () => {
  test.each(losses)(
    "has the gradient of its own finite difference on ONNX Runtime: %s",
    async (_, objective, index) => {
      const graph = lossGraph(model, objective.losses[index], true);
      const session = await ortNode({ threads: 1 }).compile(graph);
      const only = (f: ReturnType<typeof feeds>) =>
        Object.fromEntries(Object.entries(f).filter(([name]) => session.inputs.includes(name)));
      const gradient = toNumbers((await session.run(only(feeds(objective, moved)))).dynn_gradient);
      await session.release();
      const direction = uniform({ seed: 5, sample: 0, purpose: "test", step: 9 }, moved.length, -1, 1);
      const forward = inFloat64(lossGraph(model, objective.losses[index], false));
      const h = 1e-6;
      const fed = only(feeds(objective, moved));
      const along = (t: number): number => {
        const image = Float64Array.from(moved, (v, i) => v + t * direction[i]);
        const out = runReference(forward, {
          ...widened(fed),
          image: { dtype: "float64", dims: [1, 3, 8, 8], data: image },
        });
        return toNumbers(out.dynn_loss)[0];
      };
      const numeric = (along(h) - along(-h)) / (2 * h);
      const analytic = gradient.reduce((s, g, i) => s + g * direction[i], 0);
      expect(Math.abs(analytic - numeric)).toBeLessThanOrEqual(1e-4 * Math.max(1, Math.abs(numeric)));
      expect(Math.abs(numeric)).toBeGreaterThan(1e-6);
    },
  );

  test("of the routed objective holds only the prefix up to its exit", () => {
    const convs = routed(victim).losses.map(
      (loss) => lossGraph(model, loss, false).nodes.filter((n) => n.opType === "Conv").length,
    );
    expect(convs).toEqual([1, 2, 3]);
  });

  test("of the slowdown objective leaves the final exit out", () => {
    const [loss] = slowdown(victim).losses;
    expect(
      lossGraph(model, loss as never, true)
        .nodes.filter((n) => n.opType === "Conv" && n.inputs[0] !== "image")
        .some((n) => n.inputs[1] === "w2"),
    ).toBe(false);
    expect(loss?.exits).toEqual([0, 1]);
  });
});

/** Logits whose winner is `label` with probability `p` of four classes. */
const row = (label: number, p: number): Float32Array => {
  const rest = (1 - p) / 3;
  return Float32Array.from([0, 1, 2, 3], (k) => Math.log(k === label ? p : rest));
};
const sure = (label: number) => row(label, 0.9);
const unsure = (label: number) => row(label, 0.4);
const of = (...rows: (Float32Array | undefined)[]): ExitLogits => rows;
const who = (label: number, clean: ExitLogits = of(sure(label), sure(label), sure(label))): Sample => ({
  id: 0,
  pixels: new Float32Array(192),
  label,
  clean: clean as Float32Array[],
});

describe("success", () => {
  test("of misclassify is a changed label at its exit, whatever the others say", () => {
    const at1 = misclassify(victim, 1, { loss: "cross-entropy", kappa: 0 });
    expect(at1.succeeded(who(2), of(undefined, sure(3), undefined))).toBe(true);
    expect(at1.succeeded(who(2), of(sure(3), sure(2), sure(3)))).toBe(false);
  });

  test("of average and max is a wrong routed answer: an unsure wrong exit does not count", () => {
    for (const objective of [average(victim), max(victim)]) {
      expect(objective.succeeded(who(2), of(unsure(3), sure(2), sure(2)))).toBe(false);
      expect(objective.succeeded(who(2), of(sure(3), sure(2), sure(2)))).toBe(true);
      expect(objective.succeeded(who(2), of(unsure(2), unsure(2), sure(1)))).toBe(true);
    }
  });

  test("of routed is decided by the prefix that fired", () => {
    expect(routed(victim).succeeded(who(2), of(sure(3), undefined, undefined))).toBe(true);
    expect(routed(victim).succeeded(who(2), of(unsure(3), sure(2), undefined))).toBe(false);
  });

  test("of slowdown is that no early exit fires", () => {
    expect(slowdown(victim).succeeded(who(2), of(unsure(2), unsure(1), undefined))).toBe(true);
    expect(slowdown(victim).succeeded(who(2), of(unsure(2), sure(2), undefined))).toBe(false);
    expect(slowdown(victim).succeeded(who(2), of(unsure(2), unsure(1), sure(2)))).toBe(true);
  });

  test("of early:published needs the final label kept and every early one changed", () => {
    expect(earlyLabelsChanged(victim)(who(2), of(unsure(1), sure(3), sure(2)))).toBe(true);
    expect(earlyLabelsChanged(victim)(who(2), of(unsure(1), sure(2), sure(2)))).toBe(false);
    expect(earlyLabelsChanged(victim)(who(2), of(unsure(1), sure(3), sure(1)))).toBe(false);
  });

  test("of early:margin needs a wrong early exit that fires, and the final label kept", () => {
    expect(earlyFires(victim)(who(2), of(unsure(1), sure(3), sure(2)))).toBe(true);
    expect(earlyFires(victim)(who(2), of(unsure(1), unsure(3), sure(2)))).toBe(false);
    expect(earlyFires(victim)(who(2), of(sure(2), sure(3), sure(2)))).toBe(false);
    expect(earlyFires(victim)(who(2), of(sure(1), sure(3), sure(1)))).toBe(false);
  });

  test("of the early attack in early:margin under the fallback most-confident needs an exit that fires, not only answers", () => {
    const surest = victimOf(model, 0.95, { fallback: "most-confident" });
    expect(earlyFires(surest)(who(2), of(sure(1), unsure(2), unsure(2)))).toBe(false);
    expect(earlyFires(surest)(who(2), of(row(1, 0.96), unsure(2), unsure(2)))).toBe(true);
  });

  test("of the early attack is about the model's own final label, not the true one", () => {
    const wrongWhenClean = who(0, of(sure(2), sure(2), sure(2)));
    expect(earlyPublished(victim, { alpha: 0.1 }).label(wrongWhenClean)).toBe(2);
    expect(earlyFires(victim)(wrongWhenClean, of(sure(1), sure(3), sure(2)))).toBe(true);
  });
});

describe("the routed objective", () => {
  test("starts from the exit that the clean image takes", () => {
    expect(routed(victim).starts(who(1, of(sure(1), sure(1), sure(1))))).toEqual([0]);
    expect(routed(victim).starts(who(1, of(unsure(1), unsure(1), sure(1))))).toEqual([2]);
  });

  test("moves on to the next prefix when no exit of this one fires, and back when an earlier one does", () => {
    const { follow } = routed(victim);
    expect(follow?.(of(unsure(1), undefined, undefined), 0)).toBe(1);
    expect(follow?.(of(unsure(1), unsure(1), undefined), 1)).toBe(2);
    expect(follow?.(of(sure(1), unsure(1), unsure(1)), 2)).toBe(0);
    expect(follow?.(of(unsure(1), sure(1), undefined), 1)).toBe(1);
  });

  test("under the fallback most-confident follows the exit that would answer", () => {
    const { follow, losses: all } = routed(victimOf(model, 0.95, { fallback: "most-confident" }));
    expect(all.length).toBe(5);
    const at = follow?.(of(unsure(1), row(1, 0.8), unsure(1)), 4) as number;
    expect(all[at]?.key).toBe("routed@2/1");
  });
});

test("max ranks iterates by the summed cross-entropy of all exits", () => {
  const logits = of(unsure(1), sure(2), sure(3)) as Float32Array[];
  const total = logits.reduce((s, l) => s - Math.log(softmaxRow(l)[1]), 0);
  expect(max(victim).score?.(who(1), { loss: 0, gradient: new Float32Array(0), logits })).toBeCloseTo(total, 6);
});

test("attacks on early exits refuse a model with one exit", async () => {
  const { linearModel } = await import("../support/models.js");
  const single = victimOf(linearModel([[1], [0]], [0, 0]));
  expect(() => slowdown(single)).toThrow(
    "objective slowdown: the model has a single exit, and this attack needs early ones. Use misclassify:final, or a multi-exit model. [attack/unsupported]",
  );
});
