/** Places that are measured: the clock is part of the test, so the expected shares are exact. */
import { describe, expect, test } from "vitest";
import { Images } from "../../../src/core/images.js";
import { fromNumbers, type Tensor } from "../../../src/core/tensor.js";
import { candidatesOf } from "../../../src/dynamic/place/auto.js";
import { cutsFor, placeExits } from "../../../src/dynamic/place/exits.js";
import { measurePlaces } from "../../../src/dynamic/place/times.js";
import { GraphBuilder } from "../../../src/graph/builder.js";
import type { Graph } from "../../../src/graph/graph.js";
import { emptyGraph } from "../../../src/graph/op.js";
import { HEADS } from "../../../src/nn/heads.js";
import type { Backend } from "../../../src/runtime/backend.js";
import { failure } from "../../support/failure.js";

const CHANNELS = 4;
const BATCH = 4;
const images = new Images(new Float32Array(BATCH * CHANNELS * 64), [CHANNELS, 8, 8]);

/** 1x1 convolutions c0, c1 ... of equal counted cost, and a classifier of two classes. */
function chain(length: number): Graph {
  const b = new GraphBuilder(emptyGraph("net", 17));
  let at = b.input("images", "float32", ["n", CHANNELS, 8, 8]);
  for (let i = 0; i < length; i++)
    at = b.op(
      "Conv",
      [at, b.constant(fromNumbers("float32", [CHANNELS, CHANNELS, 1, 1], new Float32Array(16)))],
      {},
      `c${i}`,
    );
  const logits = HEADS["pool-linear"].head(
    { b, seed: 0, path: "last" },
    { value: at, dims: [CHANNELS, 8, 8] },
    2,
    "logits",
  );
  b.output(logits, "float32", undefined);
  return b.build();
}

/** An engine on whose clock every run of a section takes what its one output costs; nothing is
 * computed. */
function clocked(costs: Readonly<Record<string, number>>) {
  const seen = { time: 0, open: 0, runs: 0, batches: new Set<number>() };
  const backend: Backend = {
    name: "clocked",
    compile: async ({ inputs, outputs }) => {
      seen.open++;
      return {
        inputs: inputs.map(({ name }) => name),
        outputs: outputs.map(({ name }) => name),
        run: async (feeds) => {
          seen.runs++;
          seen.time += costs[outputs[0]?.name ?? ""] ?? Number.NaN;
          seen.batches.add(Object.values(feeds)[0].dims[0]);
          const value: Tensor = { dtype: "float32", dims: [BATCH], data: new Float32Array(BATCH) };
          return Object.fromEntries(outputs.map(({ name }) => [name, value]));
        },
        release: async () => {
          seen.open--;
        },
      };
    },
  };
  return { backend, seen, timing: { images, now: () => seen.time, warmUp: 1, runs: 3 } };
}

// Counted, the four convolutions cost the same; on this clock the first takes half of the time.
const COSTS = {
  c0: 50,
  c1: 20,
  c2: 20,
  "last.pooled": 5,
  logits: 5,
  "c0/head": 1,
  "c1/head": 2,
  "c2/head": 4,
  "last.pooled/head": 8,
};

describe("measured places", () => {
  test("hold the share of the time in front of each, and of its head", async () => {
    const { backend, seen, timing } = clocked(COSTS);
    const measured = await measurePlaces(chain(4), { backend, ...timing, head: "pool-linear" });
    expect(measured).toEqual({
      batch: BATCH,
      places: [
        { cut: "c0", fraction: 0.5, headFraction: 0.01 },
        { cut: "c1", fraction: 0.7, headFraction: 0.02 },
        { cut: "c2", fraction: 0.9, headFraction: 0.04 },
        { cut: "last.pooled", fraction: 0.95, headFraction: 0.08 },
      ],
      roundSpread: 1,
    });
    expect(JSON.parse(JSON.stringify(measured))).toEqual(measured);
    expect(seen).toMatchObject({ open: 0, runs: 9 * 4, batches: new Set([BATCH]) });
  });

  test("are what exits are placed and judged by, in place of counted cost", async () => {
    const { backend, timing } = clocked(COSTS);
    const graph = chain(4);
    const measured = await measurePlaces(graph, { backend, ...timing, head: "pool-linear" });
    expect(placeExits(graph, [0.5])).toEqual(["c1"]);
    expect(placeExits(graph, [0.5], measured)).toEqual(["c0"]);
    expect(cutsFor(graph, { kind: "fractions", fractions: [0.5] }, undefined, measured)).toEqual(["c0"]);
    const candidates = candidatesOf(graph, "pool-linear", [], measured);
    expect(candidates.map(({ fraction }) => fraction)).toEqual([0.5, 0.7, 0.9, 0.95]);
    expect(candidates.map(({ unfit }) => unfit)).toEqual([
      undefined,
      undefined,
      "its head pays only when 40.0 % leave",
      "leaving saves nothing",
    ]);
    expect(cutsFor(graph, { kind: "auto" }, "pool-linear")).toEqual(["c0", "c1", "c2"]);
    expect(cutsFor(graph, { kind: "auto" }, "pool-linear", measured)).toEqual(["c0", "c1"]);
  });

  test("that no head reads are timed without one", async () => {
    const { backend, timing } = clocked(COSTS);
    const { places } = await measurePlaces(chain(2), { backend, ...timing, head: "mean-linear" });
    expect(places.map(({ headFraction }) => headFraction)).toEqual([0, 0]);
    expect(places[0]?.fraction).toBeCloseTo(50 / 60, 12);
  });

  test("of another network are refused", async () => {
    const { backend, timing } = clocked(COSTS);
    const measured = await measurePlaces(chain(2), { backend, ...timing });
    expect(() => placeExits(chain(3), [0.5], measured)).toThrow(
      failure(
        "exits/value",
        'no cost was measured at "c1", only at "c0", "last.pooled". Measure the network that exits are placed in.',
      ),
    );
  });

  test("may be others of the same counted cost, when they are named", async () => {
    const { backend, timing } = clocked(COSTS);
    const cuts = async (named: readonly string[]) =>
      (await measurePlaces(chain(2), { backend, ...timing, named })).places.map(({ cut }) => cut);
    expect(await cuts([])).toEqual(["c0", "last.pooled"]);
    expect(await cuts(["c1"])).toEqual(["c0", "c1"]);
  });
});
