/** Training a part: what is frozen keeps its bytes and runs as at inference, wherever its features come from. */
import { describe, expect, test } from "vitest";
import { fromNumbers, type Tensor, toNumbers } from "../../src/core/tensor.js";
import { inferShapes } from "../../src/graph/infer.js";
import { opTable } from "../../src/ops/table.js";
import { runReference } from "../../src/runtime/reference.js";
import type { StepReport } from "../../src/training/recipe/config.js";
import { trainedNames } from "../../src/training/run/trained.js";
import { train } from "../../src/training/run/trainer.js";
import { splitFrozen } from "../../src/training/step/frozen.js";
import { random } from "../support/gradcheck.js";
import { bytesOf, earlyExits, patterns, request } from "../support/training.js";

const HEADS = ["exit0.mix", "exit0.weight", "exit0.bias"];

/** Statistics away from 0 and 1, so that a batch's own would show. */
function used(): ReturnType<typeof earlyExits> {
  const graph = earlyExits();
  const moved = [...graph.initializers].map(([name, t]) =>
    name.includes("running_")
      ? ([
          name,
          fromNumbers(
            "float32",
            t.dims,
            [...toNumbers(t)].map((v, i) => 0.7 * v + 0.1 + 0.02 * i),
          ),
        ] as const)
      : ([name, t] as const),
  );
  return { ...graph, initializers: new Map(moved) };
}

const model = () => {
  const graph = used();
  return { graph, exits: graph.outputs.map(({ name }) => ({ name, logits: name, costFraction: 0.5 })) };
};

describe("the split of a graph", () => {
  const graph = inferShapes(used(), opTable);
  const split = splitFrozen(graph, HEADS, ["exit0", "logits"]);

  test("hands over the values where trained parameters begin to matter, and frozen outputs", () => {
    // The head's mixed pooling reads two frozen values: the average, and the maximum above it.
    expect(split.features).toHaveLength(3);
    expect(split.features).toContain("logits");
    expect([...split.trained.initializers.keys()].filter((name) => !/^const/.test(name)).toSorted()).toEqual(
      HEADS.toSorted(),
    );
    expect(split.frozen.nodes.length + split.trained.nodes.length).toBe(graph.nodes.length);
  });

  test("computes in two parts what the whole graph computes", () => {
    const images = fromNumbers("float32", [2, 3, 8, 8], toNumbers(random([2, 3, 8, 8], 1, 0, 1)));
    const features = runReference(split.frozen, { images });
    expect(runReference(split.trained, features)).toEqual(runReference(graph, { images }));
  });
});

test("only heads of exits are trained on a frozen backbone", () => {
  expect(trainedNames(used(), "ic-only")).toEqual(HEADS);
  expect(trainedNames(used(), "joint")).toHaveLength(14);
});

describe("a run on a frozen backbone", () => {
  test("leaves every other byte as it was, statistics too, and trains the heads", async () => {
    const before = bytesOf(used().initializers);
    const result = await train(request({ recipe: "ic-only", epochs: 3, exitWeights: "equal" }, { model: model() }));
    const after = bytesOf(result.graph.initializers);
    const changed = Object.keys(before).filter((name) => before[name] !== after[name]);
    expect(changed.toSorted()).toEqual(HEADS.toSorted());
    expect(Object.keys(after)).toEqual(Object.keys(before));
    const [first, , last] = result.epochs;
    expect(last?.exitLosses[0]).toBeLessThan(0.8 * first?.exitLosses[0]);
    for (const epoch of result.epochs) expect(epoch.validationLosses[1]).toBe(first?.validationLosses[1]);
  });

  test("ends in the same bytes with features that are kept and features made anew for each batch", async () => {
    const run = async (featureMemory: number | undefined) => {
      const losses: number[] = [];
      const onStep = ({ loss }: StepReport) => void losses.push(loss);
      const { state } = await train(request({ recipe: "ic-only" }, { model: model(), featureMemory, onStep }));
      return { losses, bytes: bytesOf(state.tensors) };
    };
    expect(await run(0)).toEqual(await run(undefined));
  });

  test("reads no image of the training set again once features are kept", async () => {
    const r = request({ recipe: "ic-only", epochs: 3 }, { model: model() });
    const reads: number[] = [];
    const counted = {
      ...r.train,
      read: (rows: ArrayLike<number>, out: Float32Array) => {
        reads.push(...Array.from(rows));
        return r.train.read(rows, out);
      },
    };
    await train({ ...r, train: counted });
    expect(reads).toEqual(Array.from({ length: 40 }, (_, i) => i));
  });

  test("computes features anew when the images change from epoch to epoch", async () => {
    const augment = { flip: true, crop: undefined, cutout: undefined };
    const plain = await train(request({ recipe: "ic-only" }, { model: model() }));
    const flipped = await train(request({ recipe: "ic-only", augment }, { model: model() }));
    expect(bytesOf(flipped.state.tensors)["exit0.weight"]).not.toBe(bytesOf(plain.state.tensors)["exit0.weight"]);
  });

  test("stopped and resumed, it ends in the same bytes", async () => {
    const r = request({ recipe: "ic-only" }, { model: model() });
    const saved: Parameters<NonNullable<typeof r.checkpoint>["save"]>[0][] = [];
    const whole = await train({ ...r, checkpoint: { everySeconds: 0, save: async (state) => void saved.push(state) } });
    for (const resume of [saved[2], saved[4]]) {
      const { state } = await train({ ...r, resume });
      expect(bytesOf(state.tensors)).toEqual(bytesOf(whole.state.tensors));
    }
  });

  test("moves a head just as far as a step on the whole graph does", async () => {
    const r = request(
      { recipe: "ic-only", epochs: 1, batch: 16, exitWeights: [1, 0] },
      { model: model(), train: patterns(16) },
    );
    const optimizer = { kind: "sgd", momentum: 0, nesterov: false, weightDecay: 0 } as const;
    const schedule = { kind: "constant", peak: 1 } as const;
    const { state } = await train({ ...r, config: { ...r.config, optimizer, schedule } });
    const images = new Float32Array(16 * 192);
    await r.train.read(
      Array.from({ length: 16 }, (_, i) => i),
      images,
    );
    const logits = runReference(used(), { images: { dtype: "float32", dims: [16, 3, 8, 8], data: images } })
      .exit0 as Tensor<"float32">;
    // d loss / d bias = mean over the batch of softmax - one-hot.
    const gradient = [0, 0, 0];
    for (let row = 0; row < 16; row++) {
      const z = [...logits.data.subarray(3 * row, 3 * row + 3)].map(Math.exp);
      const sum = z.reduce((a, v) => a + v, 0);
      z.forEach((v, k) => {
        gradient[k] = gradient[k] + (v / sum - Number(r.train.labels[row] === k)) / 16;
      });
    }
    const before = toNumbers(used().initializers.get("exit0.bias") as Tensor);
    const after = toNumbers(state.tensors.get("exit0.bias") as Tensor);
    gradient.forEach((g, k) => expect(before[k] - after[k]).toBeCloseTo(g, 6));
  });
});
