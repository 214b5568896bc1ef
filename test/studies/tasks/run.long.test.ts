/** @file Tasks: keys, graph, and a small study of real tasks in a store in memory and a folder. */
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { readParquet } from "../../../src/data/parquet.js";
import { openDataset } from "../../../src/node/data/open.js";
import { openOnnx } from "../../../src/node/models.js";
import { ortNode } from "../../../src/node/ort-node/index.js";
import { folderTaskStore } from "../../../src/node/store/folder.js";
import { networkDigest, recordsDigest, taskContext } from "../../../src/node/studies/context.js";
import { ANSWER_COLUMNS, OUTCOME_COLUMNS } from "../../../src/schema/study/tables.js";
import { TaskGraph } from "../../../src/studies/tasks/graph.js";
import { KeptBenches } from "../../../src/studies/tasks/kept-benches.js";
import { makeTask } from "../../../src/studies/tasks/kind.js";
import { answersKind } from "../../../src/studies/tasks/kinds/answers.js";
import { craftKind } from "../../../src/studies/tasks/kinds/craft.js";
import { thresholdsKind } from "../../../src/studies/tasks/kinds/thresholds.js";
import { memoryStore } from "../../../src/studies/tasks/memory-store.js";
import { runTask } from "../../../src/studies/tasks/run.js";
import { keyOf } from "../../../src/studies/tasks/task.js";

const task = { kind: "answers", version: 1, parameters: { b: 1, a: [1, null] }, inputs: {} };

describe("keys", () => {
  test("do not depend on the order of fields, and do on values", () => {
    expect(keyOf({ ...task, parameters: { a: [1, null], b: 1 } })).toBe(keyOf(task));
    expect(keyOf({ ...task, parameters: { a: [1, null], b: 2 } })).not.toBe(keyOf(task));
    expect(keyOf({ ...task, version: 2 })).not.toBe(keyOf(task));
  });
});

describe("a graph", () => {
  test("holds equal tasks once, and knows which can run", () => {
    const graph = new TaskGraph();
    const first = graph.add(task);
    expect(graph.add({ ...task })).toBe(first);
    const second = graph.add({ kind: "thresholds", version: 1, parameters: {}, inputs: { answers: [first] } });
    expect(graph.ready(new Set()).map(({ key }) => key)).toEqual([first]);
    expect(graph.ready(new Set([first])).map(({ key }) => key)).toEqual([second]);
  });
});

async function smallStudy() {
  const { source } = await openOnnx("zoo:resnet20-cifar10-joint");
  const network = { name: "joint", sha256: networkDigest(source) };
  const sample = await openDataset("sample");
  const records = { from: 3, count: 6 };
  const numbers = [3, 4, 5, 6, 7, 8];
  const reported = { name: "sample", sha256: await recordsDigest(sample, numbers), records };
  const held = Array.from({ length: 60 }, (_, i) => 100 + i);
  const validation = { name: "held", sha256: await recordsDigest(sample, held), records: held };
  const list = {
    networks: { [network.sha256]: { name: "joint", spec: "zoo:resnet20-cifar10-joint" } },
    data: {
      [reported.sha256]: { name: "sample", spec: "sample" },
      [validation.sha256]: { name: "held", spec: "sample" },
    },
  };
  const rule = "max-softmax" as const;
  const graph = new TaskGraph();
  const clean = graph.add(makeTask(answersKind, { network, data: validation, rule, logits: true, macs: 1 }));
  const costs = [0.1, 0.2, 0.3, 0.5, 0.6, 0.8, 1];
  const target = { kind: "rad", loss: 0.05 } as const;
  const policy = graph.add(makeTask(thresholdsKind, { rule, fallback: "final", target, costs }, { answers: [clean] }));
  const attack = { name: "pgd", goal: "routed", method: "pgd", radius: "8/255", steps: 3 };
  const crafted = graph.add(
    makeTask(craftKind, { network, data: reported, attack, seed: 0, macs: 1, gradients: 3 }, { policy: [policy] }),
  );
  const judged = graph.add(
    makeTask(answersKind, { network, data: reported, rule, logits: false, macs: 1 }, { images: [crafted] }),
  );
  return { graph, list, crafted, judged };
}

describe("tasks", () => {
  test("that share the sessions of a network leave the same files", async () => {
    const { graph, list } = await smallStudy();
    const stores = [memoryStore(), memoryStore()];
    const context = taskContext({ list, store: memoryStore(), backend: ortNode({ threads: 1 }), root: "." });
    const benches = new KeptBenches();
    const used = new Set<unknown>();
    for (const { key, task } of graph.all()) {
      await runTask(key, task, stores[0], context);
      const bench = await benches.take("here", task, context);
      if (task.parameters.network) used.add(bench);
      await runTask(key, task, stores[1], { ...context, bench });
    }
    await benches.release();
    expect(used.size).toBe(1);
    for (const { key } of graph.all())
      expect((await stores[1].manifest(key))?.files).toEqual((await stores[0].manifest(key))?.files);
  }, 60_000);

  test("give the same files in memory and in a folder", async () => {
    const { graph, list, crafted, judged } = await smallStudy();
    const stores = [memoryStore(), await folderTaskStore(mkdtempSync(join(tmpdir(), "dynn-store-")))];
    const context = taskContext({ list, store: memoryStore(), backend: ortNode(), root: "." });
    for (const store of stores) for (const { key, task } of graph.all()) await runTask(key, task, store, context);
    const files = await Promise.all(
      stores.map(async (store) => Promise.all(graph.all().map(async ({ key }) => (await store.manifest(key))?.files))),
    );
    expect(files[0]).toEqual(files[1]);
    const [store] = stores;
    const read = async <R extends object>(key: string, file: string, columns: Parameters<typeof readParquet<R>>[1]) =>
      readParquet<R>(await store.file((await store.manifest(key)) as never, file), columns, file);
    const outcomes = await read(crafted, "outcomes.parquet", OUTCOME_COLUMNS);
    expect(outcomes.map(({ sample }) => sample)).toEqual([3, 4, 5, 6, 7, 8]);
    expect(Math.max(...outcomes.map(({ linf }) => linf))).toBeLessThanOrEqual(8 / 255 + 1e-6);
    const answers = await read(judged, "answers.parquet", ANSWER_COLUMNS);
    expect(answers).toHaveLength(6 * 7);
    expect(answers.filter(({ answer, label }) => answer !== label).length).toBeGreaterThan(0);
  }, 60_000);
});
