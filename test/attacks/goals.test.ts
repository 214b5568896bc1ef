import { describe, expect, test } from "vitest";
import { earlyFires, earlyLabelsChanged } from "../../src/attacks/goals/early.js";
import type { Goal } from "../../src/attacks/goals/goal.js";
import type { Victim } from "../../src/attacks/goals/victim.js";
import { lossGraph } from "../../src/attacks/oracle/loss-graph.js";
import type { ExitLogits, Sample, Seen } from "../../src/attacks/sample.js";
import { type AttackConfig, configureAttack } from "../../src/attacks/spec.js";
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

const goalOf = (under: Victim, goal: string, rest: Partial<AttackConfig> = {}): Goal =>
  configureAttack({ name: "t", goal, radius: goal === "early:published" ? undefined : 0.1, ...rest }, under).goal;

const goals: readonly Goal[] = [
  goalOf(victim, "misclassify:final"),
  goalOf(victim, "misclassify:0", { loss: "margin" }),
  goalOf(victim, "misclassify:1", { loss: "scaled-cross-entropy" }),
  ...["cross-entropy", "margin", "scaled-cross-entropy"].map((loss) =>
    goalOf(victim, "misclassify:final", { loss, target: 3 } as Partial<AttackConfig>),
  ),
  goalOf(victim, "average"),
  goalOf(victim, "max"),
  goalOf(victim, "routed"),
  goalOf(victimOf(model, 0.99, { fallback: "most-confident" }), "routed"),
  goalOf(victim, "early:published"),
  goalOf(victim, "early:margin", { kappa: 1e3, keep: 1e3, weight: 2 }),
  goalOf(victim, "slowdown"),
];
const losses = goals.flatMap((goal) =>
  goal.losses.map(({ key }, index) => [`${goal.name}, loss ${index}, ${key}`, goal, index] as const),
);

const feeds = (goal: Goal, image: Float32Array) => ({
  image: { dtype: "float32" as const, dims: [1, 3, 8, 8], data: image },
  dynn_clean: { dtype: "float32" as const, dims: [1, 3, 8, 8], data: sample.pixels },
  dynn_labels: { dtype: "int64" as const, dims: [1], data: BigInt64Array.of(BigInt(goal.label(sample))) },
  dynn_targets: { dtype: "int64" as const, dims: [1], data: BigInt64Array.of(3n) },
});

const widened = (fed: Readonly<Record<string, Tensor>>): Record<string, Tensor> =>
  Object.fromEntries(
    Object.entries(fed).map(([name, t]) => [
      name,
      t.dtype === "float32" ? fromNumbers("float64", t.dims, t.data as Float32Array) : t,
    ]),
  );

describe("every loss", () => {
  test.each(losses)("has the gradient of its own finite difference on ONNX Runtime: %s", async (_, goal, index) => {
    const graph = lossGraph(model, goal.losses[index], { gradient: true });
    const session = await ortNode({ threads: 1 }).compile(graph);
    const only = (f: ReturnType<typeof feeds>) =>
      Object.fromEntries(Object.entries(f).filter(([name]) => session.inputs.includes(name)));
    const gradient = toNumbers((await session.run(only(feeds(goal, moved)))).dynn_gradient);
    await session.release();
    const direction = uniform({ seed: 5, sample: 0, purpose: "test", step: 9 }, moved.length, -1, 1);
    const forward = inFloat64(lossGraph(model, goal.losses[index], { gradient: false }));
    const h = 1e-6;
    const fed = only(feeds(goal, moved));
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
  });

  test("of the routed goal holds only the prefix up to its exit", () => {
    const convs = goalOf(victim, "routed").losses.map(
      (loss) => lossGraph(model, loss, { gradient: false }).nodes.filter((n) => n.opType === "Conv").length,
    );
    expect(convs).toEqual([1, 2, 3]);
  });

  test("of the slowdown goal leaves the final exit out", () => {
    const [loss] = goalOf(victim, "slowdown").losses;
    expect(
      lossGraph(model, loss as never, { gradient: true })
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
const of = (...rows: (Float32Array | undefined)[]): Seen => ({ logits: rows });
const who = (label: number, clean: ExitLogits = [sure(label), sure(label), sure(label)]): Sample => ({
  id: 0,
  pixels: new Float32Array(192),
  label,
  clean: clean as Float32Array[],
});

describe("success", () => {
  test("of misclassify is a changed label at its exit, whatever the others say", () => {
    const at1 = goalOf(victim, "misclassify:1");
    expect(at1.succeeded(who(2), of(undefined, sure(3), undefined))).toBe(true);
    expect(at1.succeeded(who(2), of(sure(3), sure(2), sure(3)))).toBe(false);
  });

  test("of average and max is a wrong routed answer: an unsure wrong exit does not count", () => {
    for (const goal of [goalOf(victim, "average"), goalOf(victim, "max")]) {
      expect(goal.succeeded(who(2), of(unsure(3), sure(2), sure(2)))).toBe(false);
      expect(goal.succeeded(who(2), of(sure(3), sure(2), sure(2)))).toBe(true);
      expect(goal.succeeded(who(2), of(unsure(2), unsure(2), sure(1)))).toBe(true);
    }
  });

  test("of routed is decided by the prefix that fired", () => {
    expect(goalOf(victim, "routed").succeeded(who(2), of(sure(3), undefined, undefined))).toBe(true);
    expect(goalOf(victim, "routed").succeeded(who(2), of(unsure(3), sure(2), undefined))).toBe(false);
  });

  test("of slowdown is that no early exit fires", () => {
    expect(goalOf(victim, "slowdown").succeeded(who(2), of(unsure(2), unsure(1), undefined))).toBe(true);
    expect(goalOf(victim, "slowdown").succeeded(who(2), of(unsure(2), sure(2), undefined))).toBe(false);
    expect(goalOf(victim, "slowdown").succeeded(who(2), of(unsure(2), unsure(1), sure(2)))).toBe(true);
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
    const wrongWhenClean = who(0, [sure(2), sure(2), sure(2)]);
    expect(goalOf(victim, "early:published").label(wrongWhenClean)).toBe(2);
    expect(earlyFires(victim)(wrongWhenClean, of(sure(1), sure(3), sure(2)))).toBe(true);
  });
});

describe("the routed goal", () => {
  test("starts from the exit that the clean image takes", () => {
    expect(goalOf(victim, "routed").starts(who(1, [sure(1), sure(1), sure(1)]))).toEqual([0]);
    expect(goalOf(victim, "routed").starts(who(1, [unsure(1), unsure(1), sure(1)]))).toEqual([2]);
  });

  test("moves on to the next prefix when no exit of this one fires, and back when an earlier one does", () => {
    const { follow } = goalOf(victim, "routed");
    expect(follow?.([unsure(1), undefined, undefined], 0)).toBe(1);
    expect(follow?.([unsure(1), unsure(1), undefined], 1)).toBe(2);
    expect(follow?.([sure(1), unsure(1), unsure(1)], 2)).toBe(0);
    expect(follow?.([unsure(1), sure(1), undefined], 1)).toBe(1);
  });

  test("under the fallback most-confident follows the exit that would answer", () => {
    const { follow, losses: all } = goalOf(victimOf(model, 0.95, { fallback: "most-confident" }), "routed");
    expect(all.length).toBe(5);
    const at = follow?.([unsure(1), row(1, 0.8), unsure(1)], 4) as number;
    expect(all[at]?.key).toBe("routed-cross-entropy@2/1");
  });
});

test("max ranks iterates by the summed cross-entropy of all exits", () => {
  const logits = [unsure(1), sure(2), sure(3)];
  const total = logits.reduce((s, l) => s - Math.log(softmaxRow(l)[1]), 0);
  expect(goalOf(victim, "max").score?.(who(1), { loss: 0, gradient: new Float32Array(0), logits })).toBeCloseTo(
    total,
    6,
  );
});

test("attacks on early exits refuse a model with one exit", async () => {
  const { linearModel } = await import("../support/models.js");
  const single = victimOf(linearModel([[1], [0]], [0, 0]));
  expect(() => goalOf(single, "slowdown")).toThrow(
    "goal slowdown: the model has a single exit, and this attack needs early ones or gates. Use misclassify:final, or a multi-exit model. [attack/unsupported]",
  );
});
