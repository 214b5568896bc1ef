/** @file Small studies of real tasks for the tests of engines: the bundled network on single records, about 5 ms each. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";
import type { Dataset } from "../../../src/data/dataset.js";
import { openDataset } from "../../../src/node/data/open.js";
import { openOnnx } from "../../../src/node/models.js";
import { networkDigest, recordsDigest } from "../../../src/node/studies/context.js";
import { TaskGraph } from "../../../src/studies/tasks/graph.js";
import { makeTask } from "../../../src/studies/tasks/kind.js";
import { answersKind } from "../../../src/studies/tasks/kinds/answers.js";
import { craftKind } from "../../../src/studies/tasks/kinds/craft.js";
import { thresholdsKind } from "../../../src/studies/tasks/kinds/thresholds.js";
import type { TaskList } from "../../../src/studies/tasks/list.js";

/** A folder for one test file; removed at its end. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "dynn-engines-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

const NETWORK = "zoo:resnet20-cifar10-joint";
const rule = "max-softmax" as const;

async function opened() {
  const { source } = await openOnnx(NETWORK);
  return { network: { name: "joint", sha256: networkDigest(source) }, sample: await openDataset("sample") };
}

async function reference(sample: Dataset, records: readonly number[]) {
  return { name: `records ${records[0]}`, sha256: await recordsDigest(sample, records), records: [...records] };
}

const listOf = (
  graph: TaskGraph,
  network: string,
  data: readonly { readonly name: string; readonly sha256: string }[],
): TaskList => ({
  schemaVersion: 1,
  tasks: graph.all().map(({ task }) => task),
  networks: { [network]: { name: "joint", spec: NETWORK } },
  data: Object.fromEntries(data.map(({ name, sha256 }) => [sha256, { name, spec: "sample" }])),
});

/** `count` tasks that do not depend on each other. */
export async function manyTasks(count: number, from = 0): Promise<TaskList> {
  const { network, sample } = await opened();
  const graph = new TaskGraph();
  const data = [];
  for (let i = 0; i < count; i++) {
    const records = await reference(sample, [(from + i) % sample.count]);
    data.push(records);
    graph.add(makeTask(answersKind, { network, data: records, rule, logits: i >= sample.count, macs: 1 }));
  }
  return listOf(graph, network.sha256, data);
}

/** Thresholds, attacks of `steps` steps on `each` records with them, and the answers to the attacked images. */
export async function chains(attacks: number, { each = 2, steps = 3 } = {}): Promise<TaskList> {
  const { network, sample } = await opened();
  const graph = new TaskGraph();
  const held = await reference(
    sample,
    Array.from({ length: 60 }, (_, i) => 100 + i),
  );
  const clean = graph.add(makeTask(answersKind, { network, data: held, rule, logits: true, macs: 1 }));
  const costs = [0.1, 0.2, 0.3, 0.5, 0.6, 0.8, 1];
  const target = { kind: "rad", loss: 0.05 } as const;
  const policy = graph.add(makeTask(thresholdsKind, { rule, fallback: "final", target, costs }, { answers: [clean] }));
  const data = [held];
  for (let i = 0; i < attacks; i++) {
    const records = await reference(
      sample,
      Array.from({ length: each }, (_, k) => (i * each + k) % 100),
    );
    data.push(records);
    const attack = { name: "pgd", goal: "routed", method: "pgd", radius: "8/255", steps };
    const given = { network, data: records, attack, seed: 0, macs: 1, gradients: steps };
    const crafted = graph.add(makeTask(craftKind, given, { policy: [policy] }));
    graph.add(makeTask(answersKind, { network, data: records, rule, logits: false, macs: 1 }, { images: [crafted] }));
  }
  return listOf(graph, network.sha256, data);
}

/** The digests of all results in a folder store, by task. Facts, which hold times, are left out. */
export function resultsIn(store: string): Record<string, unknown> {
  const folder = join(store, "tasks");
  const manifests = readdirSync(folder).map((name) => JSON.parse(readFileSync(join(folder, name), "utf8")));
  return Object.fromEntries(manifests.map(({ key, files }) => [key, files]).sort());
}
