/** @file Decides which records are reported and where the thresholds come from, then audits: what `dynn audit` does before its work.
 *  Usage: node examples/resolve-a-policy.mjs [MODEL.onnx] [DATA] */
import { audit, resolvePolicy } from "dynn";
import { load, openDataset, ortNode } from "dynn/node";

const [path = "zoo:resnet20-joint", spec = "sample"] = process.argv.slice(2);
const model = await load(path);

// No image that is reported is used to choose thresholds; audit refuses a split that breaks this rule.
const resolved = await resolvePolicy(model, await openDataset(spec), {
  samples: 64,
  target: { kind: "rad", loss: 0.05 },
  validationSamples: 200,
  seed: 0,
});

const { record } = await audit({
  ...resolved,
  model,
  backend: ortNode(),
  attacks: [],
  seed: 0,
  batch: 64,
});
const { accuracy, meanCostFraction, thresholds } = record.clean.routed;
console.log(`chosen on ${record.data.validation?.samples} records: threshold ${thresholds[0]}`);
console.log(`${(100 * accuracy).toFixed(1)} % right at ${(100 * meanCostFraction).toFixed(1)} % of the cost`);
