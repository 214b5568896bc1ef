/** @file What the executor runs, and when, on exits that are linear in three pixels: exit k is
 *  sure of an image whose pixel k is set, so that where each image stops, what it is answered,
 *  and in which order stages run can be written down. */
import { describe, expect, test } from "vitest";
import { Images } from "../../../src/core/images.js";
import { type Answer, createExecutor, type StageRun } from "../../../src/dynamic/run/executor/index.js";
import { Forward } from "../../../src/dynamic/run/forward.js";
import type { Graph } from "../../../src/graph/graph.js";
import { ortNode } from "../../../src/node/ort-node/index.js";
import type { Backend } from "../../../src/runtime/backend.js";
import { referenceBackend } from "../../../src/runtime/reference.js";
import type { Policy } from "../../../src/schema/policy.js";
import { linearExits } from "../../support/attack.js";

/** Logits (0, 8 x_k + x_3): the class 1 wins where one of the two pixels is above 0. */
const exitAt = (k: number) => ({
  weights: [[0, 0, 0, 0], [0, 1, 2, 3].map((i) => (i === k ? 8 : i === 3 ? 1 : 0))],
  bias: [0, 0],
});
const model = linearExits([0, 1, 2].map(exitAt));
const policy: Policy = { rule: "max-softmax", thresholds: [0.9, 0.9], fallback: "final" };

/** An image that stops at an exit, and a mark by which it differs from all others. */
const imageOf = (stop: number, mark = 0): number[] => [...[0, 1, 2].map((k) => Number(k === stop)), mark];
const sigmoid = (z: number): number => 1 / (1 + Math.exp(-z));
const pack = (images: readonly number[][]): Float32Array => Float32Array.from(images.flat());

const run = async (images: readonly number[][], batch: number, under = policy, backend: Backend = referenceBackend) => {
  const runs: StageRun[] = [];
  const executor = await createExecutor(model, { backend, batch, policy: under, onRun: (r) => runs.push(r) });
  const answers = await executor.classify(pack(images));
  await executor.release();
  return { answers, runs: runs.map(({ stage, rows }) => [stage, rows]) };
};

describe("the order of stages", () => {
  test("is the deepest full batch first: two batches that go through leave one after the other", async () => {
    const { runs } = await run(
      [2, 2, 2, 2].map((stop) => imageOf(stop)),
      2,
    );
    expect(runs).toEqual([[0, 2], [1, 2], [2, 2], [0, 2], [1, 2], [2, 2]]); // biome-ignore format: a sequence
  });

  test("is the first that has any where none is full, so that later ones fill", async () => {
    const { runs } = await run(
      [0, 2, 2].map((stop) => imageOf(stop)),
      2,
    );
    expect(runs).toEqual([[0, 2], [0, 1], [1, 2], [2, 2]]); // biome-ignore format: a sequence
  });

  test("takes no more than a batch of those that wait", async () => {
    // Three batches of three leave two each: two of the six wait when four run.
    const { runs } = await run(
      [0, 2, 2, 0, 2, 2, 0, 2, 2].map((stop) => imageOf(stop)),
      3,
    );
    expect(runs.every(([, rows]) => rows <= 3)).toBe(true);
    expect(runs.filter(([stage]) => stage === 1)).toEqual([[1, 3], [1, 3]]); // biome-ignore format: a sequence
  });

  test("holds at most eight batches back for an image that has not been answered", async () => {
    let asked = 0;
    const source = function* (): Generator<Float32Array> {
      for (; asked < 300; asked++) yield pack([imageOf(asked === 0 ? 2 : 0)]);
    };
    const executor = await createExecutor(model, { backend: referenceBackend, batch: 4, policy });
    const answers = executor.stream(source());
    expect((await answers.next()).value).toMatchObject({ stop: 2 });
    expect(asked).toBeLessThanOrEqual(8 * 4);
    await answers.return(undefined);
  });
});

describe("answers by closed form", () => {
  const stops = Array.from({ length: 40 }, (_, i) => (i * i + Math.floor(i / 3)) % 3);
  const images = stops.map((stop, i) => imageOf(stop, i / 100));

  test.each([1, 3, 4, 7, 64])("belong to their images when rows are cut and joined: batch %d", async (batch) => {
    const { answers, runs } = await run(images, batch);
    for (const [i, answer] of answers.entries()) {
      expect(answer).toMatchObject({ stop: stops[i], answer: stops[i], label: 1 });
      expect(answer.logits[1]).toBeCloseTo(8 + i / 100, 5);
      expect(answer.confidence).toBeCloseTo(sigmoid(8 + i / 100), 6);
    }
    const rows = [0, 1, 2].map((stage) => runs.reduce((sum, [at, n]) => sum + (at === stage ? n : 0), 0));
    expect(rows).toEqual([0, 1, 2].map((stage) => stops.filter((stop) => stop >= stage).length));
  });

  test("of a graph that routes by itself tell of the rows that really ran", async () => {
    const { answers, runs } = await run(images, 40, policy, ortNode({ threads: 1 }));
    expect(answers.map(({ stop }) => stop)).toEqual(stops);
    expect(runs).toEqual([0, 1, 2].map((stage) => [stage, stops.filter((stop) => stop >= stage).length]));
  });

  test("of the whole network are put together batch by batch", async () => {
    const forward = await Forward.compile(model, { backend: referenceBackend });
    const logits = await forward.logits(Images.for(model, pack(images)), { batch: 7 });
    logits.exits.forEach((exit, k) =>
      stops.forEach((stop, i) => expect(exit[2 * i + 1]).toBeCloseTo((stop === k ? 8 : 0) + i / 100, 5)),
    );
  });
});

describe("exits that cannot fire", () => {
  const answerOf = async (image: number[], under: Policy): Promise<Answer> => (await run([image], 1, under)).answers[0];

  test("are left out, and the others keep their numbers and temperatures", async () => {
    const under: Policy = { ...policy, thresholds: [2, 0.9], temperatures: [1, 2, 4] };
    const second = await answerOf(imageOf(1), under);
    expect(second).toMatchObject({ stop: 1, answer: 1 });
    expect(second.confidence).toBeCloseTo(sigmoid(8 / 2), 6);
    const last = await answerOf(imageOf(0), under);
    expect(last).toMatchObject({ stop: 2, answer: 2 });
    expect((await answerOf(imageOf(2), under)).confidence).toBeCloseTo(sigmoid(8 / 4), 6);
    expect((await run([imageOf(2)], 1, under)).runs).toHaveLength(2);
  });

  test("are asked all the same under the fallback most-confident, which compares all", async () => {
    const under: Policy = { ...policy, thresholds: [2, 2], fallback: "most-confident" };
    expect(await answerOf(imageOf(0), under)).toMatchObject({ stop: 2, answer: 0, label: 1 });
    expect(await answerOf(imageOf(1), under)).toMatchObject({ stop: 2, answer: 1, label: 1 });
  });

  test("are none under patience, which counts all", async () => {
    const under: Policy = { rule: "patience", thresholds: [2], fallback: "final" };
    expect(await answerOf([1, 1, 0, 0], under)).toMatchObject({ stop: 1, label: 1 });
    expect(await answerOf([1, 0, 0, 0], under)).toMatchObject({ stop: 2, label: 0 });
  });
});

describe("the engine that is chosen", () => {
  /** How many sessions an executor compiles: one for a graph that routes by itself, else one for
   *  each stage. */
  const sessions = async (under: Policy, routes: boolean, exits = 3): Promise<number> => {
    const graphs: Graph[] = [];
    const backend: Backend = {
      ...referenceBackend,
      routes,
      compile: async (graph) => {
        graphs.push(graph);
        return { inputs: [], outputs: [], run: async () => ({}), release: async () => undefined };
      },
    };
    const network = exits === 3 ? model : linearExits(Array.from({ length: exits }, (_, k) => exitAt(k)));
    await createExecutor(network, { backend, policy: under });
    return graphs.length;
  };

  test("is one session where the backend runs If and exits that answer are exits that stop", async () => {
    expect(await sessions(policy, true)).toBe(1);
    expect(await sessions(policy, false)).toBe(3);
    expect(await sessions({ ...policy, fallback: "most-confident" }, true)).toBe(3);
  });
});
