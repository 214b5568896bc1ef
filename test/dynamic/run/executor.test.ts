import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Images } from "../../../src/core/images.js";
import { fromNumbers } from "../../../src/core/tensor.js";
import { type DynamicModel, dynamicModel } from "../../../src/dynamic/model/model.js";
import { costShareOf } from "../../../src/dynamic/model/units.js";
import { type Reader, readingOf, route } from "../../../src/dynamic/route/route.js";
import {
  type Answer,
  createExecutor,
  type ExecutorOptions,
  type StageRun,
} from "../../../src/dynamic/run/executor/index.js";
import { Forward } from "../../../src/dynamic/run/forward.js";
import type { GraphBuilder } from "../../../src/graph/builder.js";
import { referenceBackend } from "../../../src/runtime/reference.js";
import { FALLBACKS, NEVER_FIRES, type Policy, RULES, thresholdCount } from "../../../src/schema/policy.js";
import { failure } from "../../support/failure.js";
import { conv, draw, head, modelFile } from "../support.js";

const SIZE = 3 * 4 * 4;

/** Three exits; the second reads two values, so that two go from stage to stage. */
function threeExits(b: GraphBuilder): void {
  const x = b.input("x", "float32", ["batch", 3, 4, 4]);
  const left = b.op("Tanh", [conv(b, x, 3, 4)]);
  b.output(head(b, left, 4, 4, "first"), "float32", undefined);
  const right = b.op("Sigmoid", [conv(b, x, 3, 4)]);
  b.output(head(b, b.op("Sub", [left, right]), 4, 4, "second"), "float32", undefined);
  b.output(head(b, b.op("Tanh", [conv(b, b.op("Mul", [left, right]), 4, 4)]), 4, 4, "third"), "float32", undefined);
}

const model: DynamicModel = dynamicModel(modelFile(threeExits), { name: "net" });
const COUNT = 40;
/** Images that differ in contrast, so that they leave at different exits. */
const images = fromNumbers(
  "float32",
  [COUNT, SIZE],
  draw(1, COUNT, SIZE).data.map((v, i) => Math.min(1, Math.abs(v) * 0.1 * (1 + Math.floor(i / SIZE) / COUNT))),
).data;

const logits = await (await Forward.compile(model, { backend: referenceBackend })).logits(Images.for(model, images), {
  batch: COUNT,
});
/** What must come out: `route` on the logits of all exits. */
const expected = (policy: Policy): Answer[] =>
  route(logits, policy).map((routed, i) => ({
    ...routed,
    logits: logits.row(routed.answer, i).slice(),
    className: model.classNames?.[routed.label],
    exitName: model.exits[routed.answer].name,
    costFraction: costShareOf(model, routed),
  }));

const executor = (options: Partial<ExecutorOptions>) =>
  createExecutor(model, { backend: referenceBackend, batch: 8, ...options });

const classify = async (options: Partial<ExecutorOptions>): Promise<Answer[]> =>
  (await executor(options)).classify(images);

const share = fc.double({ min: 0, max: 1, noNaN: true });

/** The confidence of exit `k` that a share of the images does not reach. */
const quantile = (k: number, of: number, reader: Reader): number => {
  const rows = Array.from({ length: COUNT }, (_, i) => logits.row(k, i));
  const sorted = rows.map((row) => readingOf(row, reader, k).confidence).sort((a, b) => a - b);
  return sorted[Math.floor(of * (COUNT - 1))];
};

/** Policies with thresholds at confidences that really occur, and some that never fire. */
const policies: fc.Arbitrary<Policy> = fc
  .record({
    rule: fc.constantFrom(...RULES),
    fallback: fc.constantFrom(...FALLBACKS),
    shares: fc.array(share, { minLength: 2, maxLength: 2 }),
    dead: fc.boolean(),
    temperatures: fc.option(fc.array(fc.double({ min: 0.2, max: 5, noNaN: true }), { minLength: 3, maxLength: 3 }), {
      nil: undefined,
    }),
  })
  .map(({ rule, fallback, shares, dead, temperatures }) => {
    const threshold = (k: number): number => {
      if (rule === "patience") return 1 + Math.floor(2.5 * shares[k]);
      return dead && k === 0 ? NEVER_FIRES[rule] : quantile(k, shares[k], { rule, temperatures });
    };
    return { rule, fallback, temperatures, thresholds: [0, 1].slice(0, thresholdCount(rule, 3)).map(threshold) };
  });

/** A policy under which images leave at every exit. */
const middling: Policy = {
  rule: "max-softmax",
  thresholds: [0.5, 0.8].map((of, k) => quantile(k, of, { rule: "max-softmax" })),
  fallback: "final",
};

describe("answers", () => {
  test("are those of route on all exits' logits, whatever policy, batch and parts the images come in", () =>
    fc.assert(
      fc.asyncProperty(
        policies,
        fc.integer({ min: 1, max: 12 }),
        fc.integer({ min: 1, max: 50 }),
        async (policy, batch, part) => {
          const answers: Answer[] = [];
          const parts = Array.from({ length: Math.ceil(COUNT / part) }, (_, i) =>
            images.subarray(i * part * SIZE, (i + 1) * part * SIZE),
          );
          for await (const answer of (await executor({ policy, batch })).stream(parts)) answers.push(answer);
          expect(answers).toEqual(expected(policy));
        },
      ),
      { numRuns: 60 },
    ));

  test("the test's policies make images leave at every exit", () => {
    expect(new Set(expected(middling).map((a) => a.stop))).toEqual(new Set([0, 1, 2]));
  });

  test("no images, no answers", async () => {
    expect(await (await executor({ policy: middling })).classify(new Float32Array(0))).toEqual([]);
  });

  test("a network with one exit needs no policy", async () => {
    const single = dynamicModel(
      modelFile((b) => b.output(head(b, b.input("x", "float32", ["batch", 3, 4, 4]), 3, 4, "y"), "float32", undefined)),
    );
    const answers = await (await createExecutor(single, { backend: referenceBackend })).classify(images);
    expect(new Set(answers.map((a) => a.stop))).toEqual(new Set([0]));
  });
});

describe("work", () => {
  const runsOf = async (policy: Policy, batch: number): Promise<StageRun[]> => {
    const runs: StageRun[] = [];
    await classify({ policy, batch, onRun: (run) => runs.push(run) });
    return runs;
  };
  const rows = (runs: readonly StageRun[], stage: number): number =>
    runs.filter((run) => run.stage === stage).reduce((sum, run) => sum + run.rows, 0);

  test("each stage runs the samples that no earlier exit has answered, and no others", () =>
    fc.assert(
      fc.asyncProperty(policies, fc.integer({ min: 1, max: 12 }), async (policy, batch) => {
        fc.pre(policy.thresholds.every((t) => t !== NEVER_FIRES[policy.rule]));
        const runs = await runsOf(policy, batch);
        const stops = expected(policy).map((a) => a.stop);
        for (const stage of [0, 1, 2]) expect(rows(runs, stage)).toBe(stops.filter((stop) => stop >= stage).length);
        expect(Math.max(...runs.map((run) => run.rows))).toBeLessThanOrEqual(batch);
      }),
      { numRuns: 30 },
    ));

  test("batches stay full while images come: survivors wait for others", async () => {
    const runs = await runsOf(middling, 8);
    const partial = runs.filter((run) => run.rows < 8);
    expect(partial.length).toBeLessThanOrEqual(2);
  });

  test("an exit that can never fire is not computed", async () => {
    const policy: Policy = { ...middling, thresholds: [2, middling.thresholds[1]] };
    expect(new Set((await runsOf(policy, 8)).map((run) => run.stage))).toEqual(new Set([0, 1]));
    const compiled: string[] = [];
    await executor({
      policy,
      backend: {
        ...referenceBackend,
        compile: (graph) => {
          compiled.push(...graph.outputs.map((o) => o.name));
          return referenceBackend.compile(graph);
        },
      },
    });
    expect(compiled).not.toContain(model.exits[0]?.logits);
  });
});

describe("streams", () => {
  const one = (i: number): Float32Array => images.slice(i * SIZE, (i + 1) * SIZE);

  test("images are asked for only as fast as answers are taken", async () => {
    let asked = 0;
    const source = function* (): Generator<Float32Array> {
      for (;;) yield one(asked++ % COUNT);
    };
    const answers = (await executor({ policy: middling, batch: 2 })).stream(source());
    for (let i = 0; i < 5; i++) await answers.next();
    await new Promise((resolve) => setTimeout(resolve, 20));
    const before = asked;
    expect(before).toBeLessThanOrEqual(5 + 8 * 2);
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(asked).toBe(before);
    await answers.return(undefined);
  });

  test("a slow source does not keep answers back", async () => {
    const source = async function* (): AsyncGenerator<Float32Array> {
      yield one(0);
      await new Promise<never>(() => undefined);
    };
    const answers = (await executor({ policy: middling })).stream(source());
    expect((await answers.next()).value).toEqual(expected(middling)[0]);
  });

  test("a source is closed when the answers are no longer wanted", async () => {
    let closed = false;
    const source = function* (): Generator<Float32Array> {
      try {
        for (let i = 0; ; i++) yield one(i % COUNT);
      } finally {
        closed = true;
      }
    };
    for await (const answer of (await executor({ policy: middling })).stream(source())) {
      expect(answer.label).toBe(expected(middling)[0]?.label);
      break;
    }
    expect(closed).toBe(true);
  });

  test("what a source throws is thrown once the images before are answered", async () => {
    const source = async function* (): AsyncGenerator<Float32Array> {
      yield one(0);
      throw new Error("camera unplugged");
    };
    const answers = (await executor({ policy: middling })).stream(source());
    expect((await answers.next()).value).toEqual(expected(middling)[0]);
    await expect(answers.next()).rejects.toThrow("camera unplugged");
  });

  test("an abort ends classify with its reason", async () => {
    const stop = new AbortController();
    const running = (await executor({ policy: middling, batch: 1 })).classify(images, {
      signal: stop.signal,
      onProgress: (done) => done === 3 && stop.abort(new Error("enough")),
    });
    await expect(running).rejects.toThrow("enough");
  });
});

describe("what is refused", () => {
  test.each<[string, () => Promise<unknown>, Parameters<typeof failure>]>([
    [
      "a pixel that is no number",
      async () =>
        (await executor({ policy: middling })).classify(images.map((v, i) => (i === 2 * SIZE ? Number.NaN : v))),
      [
        "data/value",
        "images: record 2 has a pixel of NaN, expected 0 to 1. Scale the images to [0,1]; normalisation belongs inside the model.",
      ],
    ],
    [
      "half an image",
      async () => (await executor({ policy: middling })).classify(images.subarray(0, 24)),
      [
        "data/shape",
        "images: 24 numbers are not a whole number of images [3,4,4] (48 each), as net takes. Give float32 [n*c*h*w].",
      ],
    ],
    [
      "no policy",
      () => executor({}),
      [
        "policy/value",
        "net: the file has no policy, and none is given. Choose one with `dynn calibrate`, or give rule and thresholds.",
      ],
    ],
    [
      "thresholds for another model",
      () => executor({ policy: { ...middling, thresholds: [0.5] } }),
      ["policy/value", "thresholds: got 1, expected 2 for net. Make the policy with makePolicy."],
    ],
    [
      "a batch of nothing",
      () => executor({ policy: middling, batch: 0 }),
      ["cli/value", "batch: got 0, expected a whole number of at least 1. Give one."],
    ],
  ])("%s", async (_, call, [code, text]) => {
    await expect(call()).rejects.toThrow(failure(code, text));
  });
});
