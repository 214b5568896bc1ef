/** @file Two tiny trainings for a study: a network, and heads on it. They read a small archive in the form of CIFAR-10. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { uniform } from "../../dist/core/rng.js";
import { openStudyTraining, trainingDigest } from "../../dist/node/studies/training-data.js";
import { makeTask } from "../../dist/studies/tasks/kind.js";
import { trainKind } from "../../dist/studies/tasks/kinds/train.js";

/** Records of a label and 3072 bytes, brighter for higher labels. */
function records(count, seed) {
  const noise = uniform({ seed, sample: 0, purpose: "test", step: 0 }, count * 3072);
  return Uint8Array.from({ length: count * 3073 }, (_, i) => {
    const [record, place] = [Math.floor(i / 3073), i % 3073];
    const label = (record * 7 + seed) % 10;
    return place === 0 ? label : Math.floor(100 * (noise[record * 3072 + place - 1] ?? 0) + 15 * label);
  });
}

/** Adds the trainings to a graph.
 *  @param folder gets the archive
 *  @param epochs of each training
 *  @returns keys of their tasks, and the place of the records */
export async function addTrainings(graph, { folder, epochs }) {
  mkdirSync(folder, { recursive: true });
  for (let i = 1; i <= 5; i++) writeFileSync(join(folder, `data_batch_${i}.bin`), records(60, i));
  writeFileSync(join(folder, "test_batch.bin"), records(60, 9));
  const place = { spec: `cifar10:${folder}`, test: null };
  const data = { name: "tiny", sha256: await trainingDigest(await openStudyTraining(place)) };
  const given = { architecture: "resnet20", width: 0.13, data, images: 270, macs: 1 };
  const run = { epochs, seed: 1, threads: 1, batch: 20 };
  const backbone = graph.add(
    makeTask(trainKind, { ...given, network: { name: "backbone" }, recipe: "static", runs: [run], init: null }),
  );
  const heads = graph.add(
    makeTask(
      trainKind,
      {
        ...{ ...given, network: { name: "heads" }, recipe: "ic-only", runs: [{ ...run, exits: "30,60" }] },
        init: { name: "backbone", task: backbone },
      },
      { networks: [backbone] },
    ),
  );
  return { keys: [backbone, heads], training: { [data.sha256]: { name: data.name, ...place } } };
}
