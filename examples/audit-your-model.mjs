/** @file Audits a model from a program and prints a few lines of the record.
 *  Usage: node examples/audit-your-model.mjs [MODEL.onnx] [DATA] [SAMPLES]
 *  Without arguments: the bundled network on 64 bundled images. */
import { audit, load, openDataset, ortNode, presetConfigs, splitValidation } from "dynn/node";

const [path = "zoo:resnet20-joint", spec = "sample", samples = "64"] = process.argv.slice(2);

const model = await load(path);
const data = await openDataset(spec);
// Thresholds are chosen on records that are not reported.
const { reported, validation } = splitValidation(data, { reported: Number(samples), validation: 200, seed: 0 });

const { record } = await audit({
  model,
  backend: ortNode(),
  data: reported,
  policy: {
    kind: "calibrated",
    rule: "max-softmax",
    fallback: "final",
    target: { kind: "rad", loss: 0.05 },
    validation,
  },
  attacks: presetConfigs(["fgsm", "pgd"], { epsilon: 2 / 255, earlyExits: model.exits.length - 1 }),
  seed: 0,
  batch: 64,
});

const percent = (share) => `${(100 * share).toFixed(1)} %`;
console.log(`${record.model.name} on ${record.data.samples} samples of ${record.data.name}`);
record.model.exits.forEach((exit, k) => {
  console.log(
    `  ${exit.name}: ${percent(record.clean.accuracyPerExit[k])} right at ${percent(exit.costFraction)} of the cost`,
  );
});
for (const attack of record.attacks) {
  const { value, low, high } = attack.robustAccuracy;
  console.log(`  after ${attack.name}: ${percent(value)} still right (${percent(low)} to ${percent(high)})`);
}
