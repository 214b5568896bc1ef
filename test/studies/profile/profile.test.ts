import { describe, expect, test } from "vitest";
import { type Dataset, inMemory, readImages } from "../../../src/data/dataset.js";
import { splitValidation } from "../../../src/data/split.js";
import type { DynamicModel } from "../../../src/dynamic/model/model.js";
import { route } from "../../../src/dynamic/route/route.js";
import { Forward } from "../../../src/dynamic/run/forward.js";
import { macsOf, nodeMacs } from "../../../src/graph/cost.js";
import type { Graph } from "../../../src/graph/graph.js";
import { ortNode } from "../../../src/node/ort-node/index.js";
import { opTable } from "../../../src/ops/table.js";
import type { Backend } from "../../../src/runtime/backend.js";
import { type ProfileRecord, profileRecordSchema } from "../../../src/schema/profile-record.js";
import { type ProfileOptions, profile } from "../../../src/studies/profile/index.js";
import { failure } from "../../support/failure.js";
import { linearModel, samplesOf, smallExits } from "../../support/models.js";

const engine = ortNode({ threads: 1 });
const model = smallExits();
const samples = await samplesOf(model, 74);

const dataset = (size: number): Dataset => {
  const pixels = new Float32Array(samples.length * size);
  samples.forEach((s, i) => pixels.set(s.pixels.subarray(0, size), i * size));
  // Every fifth label is wrong, so that accuracies are not all one.
  const labels = Int32Array.from(samples, (s, i) => (i % 5 === 0 ? (s.label + 1) % 4 : s.label));
  return inMemory({ name: "made", shape: [3, 8, 8], classes: undefined, labels }, pixels);
};
const { reported, validation } = splitValidation(dataset(192), { reported: 24, validation: 50, seed: 1 });

/** A machine on which a run takes as many milliseconds as it has multiply-accumulates. */
function costClock() {
  let time = 0;
  const open = new Set<object>();
  const runs: string[] = [];
  const macs = (graph: Graph): number =>
    macsOf(
      graph,
      graph.outputs.map((o) => o.name),
      nodeMacs(graph, opTable),
    );
  const backend: Backend = {
    name: "clocked",
    compile: async (graph) => {
      const session = await engine.compile(graph);
      const [key, cost] = [{}, macs(graph)];
      open.add(key);
      return {
        ...session,
        run: async (feeds) => {
          time += cost * Object.values(feeds)[0]?.dims[0];
          runs.push(graph.name);
          return session.run(feeds);
        },
        release: async () => {
          open.delete(key);
          await session.release();
        },
      };
    },
  };
  return { backend, now: () => time, open, runs };
}

const MACHINE = { cpu: "made", cores: 2, runtime: "node 0", engine: "made", threads: null, load: 0 };

const options = (rest: Partial<ProfileOptions> = {}): ProfileOptions => {
  const { backend, now } = costClock();
  return {
    ...{ model, backend, now, validation },
    data: reported,
    rules: ["max-softmax", "patience"],
    fallback: "final",
    batches: [1, 4],
    rounds: 2,
    seed: 1,
    version: "test",
    machine: MACHINE,
    ...rest,
  };
};

/** With everything as it is when nothing is said. */
const plain = await profile(options());
const compared = await profile(options({ baseline: smallExits(2) }));
/** For what does not depend on the operating points. */
const SHORT = { thresholds: [0.6], rules: ["max-softmax"], batches: [4], rounds: 1 } as const;

test("says how much rounds differ, and when times are not to be trusted", async () => {
  expect(plain.steadiness).toMatchObject({ trusted: true, roundSpread: expect.closeTo(1, 9) });
  const clock = costClock();
  let [factor, last, slowed] = [1, 0, 0];
  // The clock runs twice as fast from the second round on: every network seems to take twice as
  // long.
  const now = (): number => {
    slowed += factor * (clock.now() - last);
    last = clock.now();
    return slowed;
  };
  const onProgress: ProfileOptions["onProgress"] = ({ phase, done, total }) => {
    if (phase === "timing" && done === total / 2) {
      now();
      factor = 2;
    }
  };
  const busy = await profile(options({ ...SHORT, rounds: 2, backend: clock.backend, now, onProgress }));
  expect(busy.steadiness).toMatchObject({ trusted: false, roundSpread: expect.closeTo(2, 9) });
  expect(busy.steadiness?.warning).toContain("The machine was busy");
  expect((await profile(options(SHORT))).steadiness).toBeUndefined();
});

const pointNamed = (record: ProfileRecord, name: string) => {
  const point = record.points.find((p) => p.name.split(", ").includes(name));
  if (!point) throw new Error(`no point ${name} among ${record.points.map((p) => p.name)}`);
  return point;
};

describe("a profile on a machine whose time is its multiply-accumulates", () => {
  test("measures a speed-up that equals the ratio of multiply-accumulates", async () => {
    const record = plain;
    expect(record.points.length).toBeGreaterThan(4);
    for (const { macsFraction, timings } of record.points)
      for (const { speedUp, overhead, realSaving } of timings) {
        expect(speedUp.median * macsFraction).toBeCloseTo(1, 9);
        expect([speedUp.low, speedUp.high]).toEqual([
          expect.closeTo(speedUp.median, 9),
          expect.closeTo(speedUp.median, 9),
        ]);
        expect(overhead).toBeCloseTo(1, 9);
        if (realSaving !== null) expect(realSaving).toBeCloseTo(1, 9);
      }
    expect(record.points.some((p) => p.macsFraction < 0.9)).toBe(true);
  });

  test("times the static network without the heads of its early exits", async () => {
    const record = plain;
    const heads = 6 * 4 + 8 * 4;
    expect(record.static.macs).toBe((model.exits.at(-1)?.macs as number) - heads);
    for (const { msPerImage } of record.static.timings) expect(msPerImage.median).toBeCloseTo(record.static.macs, 6);
    for (const { batch, latencyMs } of record.static.timings)
      expect(latencyMs).toMatchObject({ p50: batch * record.static.macs, requests: (2 * 24) / batch });
  });

  test("has nothing leave early at the strictest threshold, which costs all heads and no more", async () => {
    const point = pointNamed(plain, "nothing leaves");
    expect(point.exitCounts).toEqual([0, 0, 24]);
    expect(point.meanMacs).toBe(model.exits.at(-1)?.macs);
    expect(point.timings[0]?.realSaving).toBeNull();
  });

  test("is the same record every time", async () => {
    expect(await profile(options())).toEqual(plain);
  });

  test("is a record that survives JSON", async () => {
    expect(profileRecordSchema.parse(JSON.parse(JSON.stringify(compared)))).toEqual(compared);
  });

  test("compares with the baseline's own time and accuracy, up to its final exit", async () => {
    const record = compared;
    expect(record.baseline?.macs).toBe(record.static.macs);
    expect(record.baseline?.accuracy).not.toEqual(record.static.accuracy);
    for (const { timings } of record.points)
      for (const { speedUp, baselineSpeedUp } of timings) expect(baselineSpeedUp).toEqual(speedUp);
  });
});

describe("the operating points of a profile", () => {
  test("have the accuracy and the exits of routing", async () => {
    const forward = await Forward.compile(model, { backend: engine });
    const logits = await forward.logits(await readImages(reported), { batch: 24 });
    for (const { rule, thresholds, fallback, accuracy, exitCounts } of plain.points) {
      const routed = route(logits, { rule, thresholds, fallback });
      expect(exitCounts).toEqual([0, 1, 2].map((k) => routed.filter((r) => r.stop === k).length));
      expect(accuracy.value).toBe(routed.filter((r, i) => r.label === reported.labels[i]).length / 24);
    }
  });

  test("are chosen for the first rule, with a sweep of every rule at the largest batch", async () => {
    const { points } = await profile(options({ rules: ["entropy", "margin"] }));
    expect(new Set(points.filter((p) => p.kind === "chosen").map((p) => p.rule))).toEqual(new Set(["entropy"]));
    expect(new Set(points.filter((p) => p.kind === "sweep").map((p) => p.rule))).toEqual(
      new Set(["entropy", "margin"]),
    );
    for (const { kind, timings } of points) {
      expect(timings.map((t) => t.batch)).toEqual(kind === "chosen" ? [1, 4] : [4]);
      for (const { latencyMs } of timings) expect(latencyMs === undefined).toBe(kind === "sweep");
    }
  });

  test("do not depend on the labels of the reported images", async () => {
    const thresholds = ({ points }: ProfileRecord) => points.map((p) => [p.rule, p.thresholds]);
    const shuffled = { ...reported, labels: reported.labels.map((label) => (label + 1) % 4) };
    expect(thresholds(await profile(options({ data: shuffled })))).toEqual(thresholds(plain));
  });

  test("name each policy once", async () => {
    const policy = { rule: "max-softmax", thresholds: [0.6, 0.6], fallback: "final" } as const;
    const { points } = await profile(
      options({ model: { ...model, policy }, thresholds: [0.6, 0.7], rules: ["max-softmax"] }),
    );
    expect(points.map((p) => p.name)).toEqual(["nothing leaves", "own policy, max-softmax 0.6", "max-softmax 0.7"]);
  });

  test("are none for a network with one exit", async () => {
    const single: DynamicModel = linearModel([Array(192).fill(0.01), Array(192).fill(-0.01)], [0, 0]);
    const data = inMemory(
      { name: "flat", shape: [1, 1, 192], classes: undefined, labels: new Int32Array(8) },
      new Float32Array(8 * 192),
    );
    const record = await profile(options({ model: single, data, validation: undefined }));
    expect(record.points).toEqual([]);
    expect(record.static.accuracy.value).toBe(1);
  });
});

describe("a profile", () => {
  test("gives back every session, finished or stopped", async () => {
    const clock = costClock();
    await profile(options({ ...SHORT, ...clock }));
    expect(clock.open.size).toBe(0);
    const controller = new AbortController();
    const stop = ({ phase }: { readonly phase: string }) => phase === "timing" && controller.abort(new Error("stop"));
    await expect(profile(options({ ...SHORT, ...clock, signal: controller.signal, onProgress: stop }))).rejects.toThrow(
      "stop",
    );
    expect(clock.open.size).toBe(0);
  });

  test("reports progress up to the end of each phase", async () => {
    const last = new Map<string, string>();
    await profile(
      options({
        batches: [4],
        rounds: 1,
        rules: ["margin"],
        onProgress: ({ phase, done, total }) => last.set(phase, `${done}/${total}`),
      }),
    );
    expect([...last.keys()]).toEqual(["all exits", "validation images", "operating points", "warm-up", "timing"]);
    for (const [, text] of last) expect(text.split("/")[0]).toBe(text.split("/")[1]);
  });

  test("refuses a batch larger than the data, and a threshold out of range, before any run", async () => {
    const clock = costClock();
    await expect(profile(options({ ...clock, batches: [1, 64] }))).rejects.toThrow(
      failure(
        "cli/value",
        "batch: 64 is more than the 24 images of made that are timed. Time more images, or give smaller batches.",
      ),
    );
    await expect(profile(options({ ...clock, thresholds: [1.5] }))).rejects.toMatchObject({ code: "policy/value" });
    expect(clock.runs).toEqual([]);
  });
});
