/** @file Routing is written in four forms: over arrays, over the readings that calibration searches, as a graph, and over the wire. Every form
 *  gives the same answers. The expected answers of the hand-made cases follow from the definitions in docs/method.md, section 2. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { Images } from "../../src/core/images.js";
import type { Logits } from "../../src/core/logits.js";
import { uniform } from "../../src/core/rng.js";
import { createDevice } from "../../src/deploy/device/device.js";
import { readExits, scoreOf, stopOf } from "../../src/dynamic/choose/readings.js";
import { type DynamicModel, dynamicModel } from "../../src/dynamic/model/model.js";
import { readingOf, route } from "../../src/dynamic/route/route.js";
import { conditionalModel } from "../../src/dynamic/run/conditional/index.js";
import { createExecutor } from "../../src/dynamic/run/executor/index.js";
import { Forward } from "../../src/dynamic/run/forward.js";
import { GraphBuilder } from "../../src/graph/builder.js";
import { emptyGraph } from "../../src/graph/op.js";
import { openBundle } from "../../src/node/deploy/bundle.js";
import { exportSplit } from "../../src/node/deploy/export.js";
import { ortNode } from "../../src/node/ort-node/index.js";
import { createServerPart } from "../../src/node/serve/server-part.js";
import { FALLBACKS, type Fallback, NEVER_FIRES, type Policy, RULES, type Rule } from "../../src/schema/policy.js";
import { failure } from "../support/failure.js";

const [EXITS, CLASSES] = [4, 3];
const backend = ortNode({ threads: 1 });
const folder = mkdtempSync(join(tmpdir(), "dynn-routing-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A network whose exits read their logits off the image: a pixel p of row k is the logit 40 (p - 1/2) of exit k. */
function readout(): DynamicModel {
  const b = new GraphBuilder(emptyGraph("readout", 17));
  const x = b.input("image", "float32", ["n", 1, EXITS, CLASSES]);
  for (let k = 0; k < EXITS; k++) {
    const row = b.op("Flatten", [b.op("Slice", [x, b.ints([k]), b.ints([k + 1]), b.ints([2])])]);
    const logits = b.op("Mul", [b.op("Sub", [row, b.scalar(0.5)]), b.scalar(40)], {}, `exit${k}`);
    b.output(logits, "float32", undefined);
  }
  const exits = Array.from({ length: EXITS }, (_, k) => ({ name: `exit${k}`, logits: `exit${k}` }));
  return dynamicModel({ graph: b.build(), metadata: new Map([["dynn.exits", JSON.stringify(exits)]]) });
}

const model = readout();

/** Images that show these logits, which are multiples of 40/64 so that nothing is rounded. */
const imagesOf = (samples: readonly (readonly (readonly number[])[])[]): Images =>
  Images.for(
    model,
    Float32Array.from(samples.flat(2), (logit) => logit / 40 + 0.5),
  );

interface Answer {
  readonly stop: number;
  readonly answer: number;
  readonly label: number;
}
type Form = (images: Images, policy: Policy) => Promise<readonly Answer[]>;

async function logitsOf(images: Images): Promise<Logits> {
  const forward = await Forward.compile(model, { backend });
  const logits = await forward.logits(images, { batch: 64 });
  await forward.release();
  return logits;
}

const bare = (answers: readonly Answer[]): Answer[] =>
  answers.map(({ stop, answer, label }) => ({ stop, answer, label }));

let bundles = 0;

/** The forms that give whole answers. */
const FORMS: Readonly<Record<string, Form>> = {
  arrays: async (images, policy) => route(await logitsOf(images), policy),
  "a conditional graph": async (images, policy) => {
    const session = await backend.compile(conditionalModel(model, policy).graph);
    const input = { dtype: "float32", dims: [images.count, ...images.dims], data: images.data } as const;
    const outputs = await session.run({ [model.input.name]: input });
    await session.release();
    const read = (name: string) => Array.from(outputs[name]?.data ?? [], Number);
    // Its outputs name the exit where the work stops; which exit answers under most-confident is not among them.
    const told = route(await logitsOf(images), policy);
    return read("exit").map((stop, i) => ({ stop, answer: told[i].answer, label: read("label")[i] }));
  },
  ...Object.fromEntries(
    (["staged", "conditional"] as const).map((engine): [string, Form] => [
      `the ${engine} executor`,
      async (images, policy) => {
        // The conditional engine takes the fallback final alone; a test below holds that.
        const chosen = policy.fallback === "final" ? engine : "staged";
        const executor = await createExecutor(model, { backend, policy, batch: 8, engine: chosen });
        const answers = await executor.classify(images.data);
        await executor.release();
        return answers;
      },
    ]),
  ),
  "the wire": async (images, policy) => {
    const out = join(folder, `bundle${bundles++}`);
    await exportSplit(model, out, { backend, policy, images: images.data, at: 1 });
    const bundle = await openBundle(out);
    const engine = await createServerPart(bundle, { backend, maxBatch: 16, windowMs: 0 });
    const device = await createDevice(bundle, { backend, remote: engine.remote, wire: "float32", batch: 16 });
    const answers = await device.classify(images.data);
    await device.release();
    await engine.close();
    return answers;
  },
};

/** Calibration's readings give where samples stop and whether the answer there is right, for labels that are given. */
async function stopsOfReadings(images: Images, policy: Policy, labels: readonly number[]) {
  const readings = readExits({ logits: await logitsOf(images), labels }, policy);
  const bars = Float64Array.from({ length: EXITS - 1 }, (_, k) =>
    scoreOf(policy.rule, policy.thresholds[k] ?? policy.thresholds[0]),
  );
  return labels.map((_, i) => {
    const stop = stopOf(readings, bars, i);
    return { stop, right: readings.right[stop][i] === 1 };
  });
}

const SURE = [10, 0, 0];
const FLAT = [0, 0, 0];
const of = (rule: Rule, thresholds: Policy["thresholds"], more: Partial<Policy> = {}): Policy => ({
  rule,
  thresholds,
  fallback: "final",
  ...more,
});

/** name, policy, logits of each exit, answer. */
const CASES: readonly (readonly [string, Policy, readonly (readonly number[])[], Answer])[] = [
  [
    "a sure first exit stops the work",
    of("max-softmax", [0.8, 0.8, 0.8]),
    [SURE, FLAT, FLAT, [0, 0, 5]],
    { stop: 0, answer: 0, label: 0 },
  ],
  [
    "the first exit that is sure stops the work",
    of("max-softmax", [0.8, 0.8, 0.8]),
    [FLAT, [0, 10, 0], SURE, FLAT],
    { stop: 1, answer: 1, label: 1 },
  ],
  [
    "where none is sure the final exit answers",
    of("max-softmax", [0.9, 0.9, 0.9]),
    [FLAT, [0, 2.5, 0], FLAT, [0, 0, 1.25]],
    { stop: 3, answer: 3, label: 2 },
  ],
  [
    "or the most confident one, where the policy says so",
    of("max-softmax", [0.9, 0.9, 0.9], { fallback: "most-confident" }),
    [FLAT, [0, 2.5, 0], FLAT, [0, 0, 1.25]],
    { stop: 3, answer: 1, label: 1 },
  ],
  [
    "the first of equally confident exits answers",
    of("max-softmax", [0.9, 0.9, 0.9], { fallback: "most-confident" }),
    [FLAT, [0, 2.5, 0], [0, 0, 2.5], [2.5, 0, 0]],
    { stop: 3, answer: 1, label: 1 },
  ],
  [
    "a confidence that equals the threshold is enough, and the first of equal classes is the label",
    of("max-softmax", [1 / 3, 1, 1]),
    [FLAT, SURE, SURE, SURE],
    { stop: 0, answer: 0, label: 0 },
  ],
  [
    "an exit at the threshold never does not fire",
    of("max-softmax", [NEVER_FIRES["max-softmax"], 0.8, 0.8]),
    [SURE, [0, 10, 0], FLAT, FLAT],
    { stop: 1, answer: 1, label: 1 },
  ],
  [
    "entropy: a small entropy stops the work",
    of("entropy", [0.1, 0.1, 0.1]),
    [FLAT, [0, 0, 10], FLAT, FLAT],
    { stop: 1, answer: 1, label: 2 },
  ],
  [
    "entropy: the least entropy is the most confident",
    of("entropy", [0.01, 0.01, 0.01], { fallback: "most-confident" }),
    [FLAT, FLAT, [0, 5, 0], [1.25, 0, 0]],
    { stop: 3, answer: 2, label: 1 },
  ],
  [
    "margin: two classes that are close do not stop the work",
    of("margin", [0.5, 0.5, 0.5]),
    [[10, 10, 0], [0, 10, 0], FLAT, FLAT],
    { stop: 1, answer: 1, label: 1 },
  ],
  [
    "patience: so many exits in a row agree",
    of("patience", [2]),
    [SURE, [0, 10, 0], [0, 1.25, 0], [0, 0, 10]],
    { stop: 2, answer: 2, label: 1 },
  ],
  [
    "patience: an exit that disagrees starts the count again",
    of("patience", [3]),
    [SURE, SURE, [0, 10, 0], SURE],
    { stop: 3, answer: 3, label: 0 },
  ],
  [
    "patience of one stops at the first exit",
    of("patience", [1]),
    [[0, 1.25, 0], SURE, SURE, SURE],
    { stop: 0, answer: 0, label: 1 },
  ],
  [
    "a temperature sharpens the confidence of its exit",
    of("max-softmax", [0.9, 0.9, 0.9], { temperatures: [1, 0.25, 1, 1] }),
    [[2.5, 0, 0], [0, 2.5, 0], FLAT, FLAT],
    { stop: 1, answer: 1, label: 1 },
  ],
];

describe.each(CASES)("%s", (_, policy, logits, expected) => {
  test.each(Object.entries(FORMS))("over %s", async (_name, form) => {
    expect(bare(await form(imagesOf([logits]), policy))).toEqual([expected]);
  });

  test("over the readings of calibration", async () => {
    for (const label of [0, 1, 2])
      expect(await stopsOfReadings(imagesOf([logits]), policy, [label])).toEqual([
        { stop: expected.stop, right: label === expected.label },
      ]);
  });
});

/** Logits on a grid, with ties between classes and between exits. */
function random(count: number, seed: number): Images {
  const draw = uniform({ seed, sample: 0, purpose: "test", step: 0 }, count * EXITS * CLASSES, -8, 9);
  return Images.for(
    model,
    draw.map((v) => (Math.floor(v) * 0.625) / 40 + 0.5),
  );
}

/** A policy under which about half of the samples that reach an exit leave there: no confidence lies on a threshold. */
async function middling(rule: Rule, fallback: Fallback, images: Images): Promise<Policy> {
  const temperatures = [1, 0.5, 2, 1];
  if (rule === "patience") return of(rule, [2], { fallback, temperatures });
  const logits = await logitsOf(images);
  const thresholds = Array.from({ length: EXITS - 1 }, (_, exit) => {
    const read = { rule, temperatures };
    const all = Array.from({ length: images.count }, (_, i) => readingOf(logits.row(exit, i), read, exit).confidence);
    const sorted = [...new Set(all)].sort((a, b) => a - b);
    const middle = Math.floor(sorted.length / 2);
    return (sorted[middle - 1] + sorted[middle]) / 2;
  });
  return of(rule, thresholds, { fallback, temperatures });
}

describe.each(RULES.flatMap((rule) => FALLBACKS.map((fallback) => [rule, fallback] as const)))(
  "random logits under rule %s, fallback %s",
  (rule, fallback) => {
    const images = random(48, 7);
    const chosen = middling(rule, fallback, images);

    test("stop at every exit, so that the forms have something to agree on", async () => {
      const policy = await chosen;
      const stops = new Set(route(await logitsOf(images), policy).map(({ stop }) => stop));
      expect([...stops].sort()).toEqual(rule === "patience" ? [1, 2, 3] : [0, 1, 2, 3]);
    });

    test.each(Object.entries(FORMS).slice(1))("over %s are answered as over arrays", async (_name, form) => {
      const policy = await chosen;
      expect(bare(await form(images, policy))).toEqual(bare(route(await logitsOf(images), policy)));
    });

    test("over the readings of calibration stop there, and are right where the answer is", async () => {
      const policy = await chosen;
      const routed = route(await logitsOf(images), policy);
      const labels = routed.map(({ label }, i) => (label + (i % 2)) % CLASSES);
      expect(await stopsOfReadings(images, policy, labels)).toEqual(
        routed.map(({ stop, label }, i) => ({ stop, right: label === labels[i] })),
      );
    });
  },
);

test("the conditional engine refuses the fallback most-confident, whose answering exit its graph does not tell", async () => {
  const policy = of("max-softmax", [0.9, 0.9, 0.9], { fallback: "most-confident" });
  await expect(createExecutor(model, { backend, policy, batch: 8, engine: "conditional" })).rejects.toThrow(
    failure(
      "policy/value",
      "readout: the conditional engine runs only the fallback final, and the policy has most-confident. Use the engine staged, or leave the option out.",
    ),
  );
});
