/** @file A small study of real tasks: thresholds of the bundled network, attacks on records with them, the answers to the
 *  attacked images, and two trainings. */
import { openDataset } from "../../dist/node/data/open.js";
import { openOnnx } from "../../dist/node/models.js";
import { networkDigest, recordsDigest } from "../../dist/node/studies/context.js";
import { TaskGraph } from "../../dist/studies/tasks/graph.js";
import { makeTask } from "../../dist/studies/tasks/kind.js";
import { answersKind } from "../../dist/studies/tasks/kinds/answers.js";
import { craftKind } from "../../dist/studies/tasks/kinds/craft.js";
import { thresholdsKind } from "../../dist/studies/tasks/kinds/thresholds.js";
import { addTrainings } from "./trainings.mjs";

const SPEC = "zoo:resnet20-cifar10-joint";
const rule = "max-softmax";
const numbers = (from, count) => Array.from({ length: count }, (_, i) => from + i);

/** `attacks` attacks of `steps` steps on `each` records, and the answers to them. With `trainings`, also two tiny trainings, and
 *  the answers of the trained networks. */
export async function smallStudy({ attacks, each, steps, trainings }) {
  const { source } = await openOnnx(SPEC);
  const network = { name: "joint", sha256: networkDigest(source) };
  const sample = await openDataset("sample");
  const reference = async (records) => ({ name: "sample", sha256: await recordsDigest(sample, records), records });
  const graph = new TaskGraph();
  const held = await reference(numbers(100, 60));
  const clean = graph.add(makeTask(answersKind, { network, data: held, rule, logits: true, macs: 1 }));
  const costs = [0.1, 0.2, 0.3, 0.5, 0.6, 0.8, 1];
  const target = { kind: "rad", loss: 0.05 };
  const policy = graph.add(makeTask(thresholdsKind, { rule, fallback: "final", target, costs }, { answers: [clean] }));
  const data = [held];
  const attack = { name: "pgd", goal: "routed", method: "pgd", radius: "8/255", steps };
  for (let i = 0; i < attacks; i++) {
    const records = await reference(numbers(i, each));
    data.push(records);
    const given = { network, data: records, attack, seed: 0, macs: 1, gradients: steps };
    const crafted = graph.add(makeTask(craftKind, given, { policy: [policy] }));
    graph.add(makeTask(answersKind, { network, data: records, rule, logits: false, macs: 1 }, { images: [crafted] }));
  }
  const list = listOf(graph, network, data);
  if (!trainings) return list;
  const { keys, training } = await addTrainings(graph, trainings);
  for (const [i, key] of keys.entries()) {
    const given = { network: { name: `trained ${i}`, task: key }, data: data[1], rule, logits: false, macs: 1 };
    graph.add(makeTask(answersKind, given, { networks: [key] }));
  }
  return { ...list, tasks: graph.all().map(({ task }) => task), training };
}

/** `count` tasks of some milliseconds that do not depend on each other. */
export async function shortTasks(count) {
  const { source } = await openOnnx(SPEC);
  const network = { name: "joint", sha256: networkDigest(source) };
  const sample = await openDataset("sample");
  const digests = new Map();
  const graph = new TaskGraph();
  for (let i = 0; i < count; i++) {
    const records = [i % sample.count];
    const digest = digests.get(records[0]) ?? (await recordsDigest(sample, records));
    digests.set(records[0], digest);
    const data = { name: "sample", sha256: digest, records };
    graph.add(makeTask(answersKind, { network, data, rule, logits: false, macs: i }));
  }
  return listOf(
    graph,
    network,
    [...digests.values()].map((sha256) => ({ name: "sample", sha256 })),
  );
}

const listOf = (graph, network, data) => ({
  schemaVersion: 1,
  tasks: graph.all().map(({ task }) => task),
  networks: { [network.sha256]: { name: "joint", spec: SPEC } },
  data: Object.fromEntries(data.map(({ name, sha256 }) => [sha256, { name, spec: "sample" }])),
});
