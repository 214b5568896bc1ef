/** @file Trains a network as `dynn train` does: data cut in three, a network with exits, a run folder that survives a kill.
 *  Usage: node examples/train-in-a-folder.mjs [DATA] [OUT.onnx]
 *  Without arguments: a quarter-width ResNet-20 on the 500 bundled images for two epochs, which learns little. */
import { cardOf, measurePlan, planTraining, trainedMetadata } from "dynn";
import { openTrainingData, ortNode, saveModel, TrainingRun } from "dynn/node";

const [spec = "sample", out = "trained.onnx"] = process.argv.slice(2);
const backend = ortNode();

// Training, validation and test records; no image is in two of them.
const data = await openTrainingData({ data: spec, validation: { kind: "share", share: 0.2 } });
const plan = await planTraining({
  data,
  base: { kind: "architecture", name: "resnet20", width: 0.25 },
  recipe: "joint",
  exits: { kind: "fractions", fractions: [0.3, 0.6] },
  choices: { epochs: 2, batch: 50, seed: 1 },
});

// A run that was stopped goes on from its last checkpoint with `resume: true`, and ends in the same bytes.
const run = await TrainingRun.open(plan, { folder: `${out}.run` });
const { graph } = await run.train({
  backend,
  source: data.source,
  onEpoch: ({ epoch, loss }) => console.log(`epoch ${epoch + 1}: loss ${loss.toFixed(3)}`),
});

const card = cardOf(plan, graph, await measurePlan(plan, graph, { backend }));
await saveModel(out, { graph, metadata: trainedMetadata(plan, card) });
await run.finish(card);
for (const { name, validation } of card.exits) console.log(`${name}: ${validation.right} of ${validation.count} right`);
console.log(`wrote ${out} and ${run.report}`);
