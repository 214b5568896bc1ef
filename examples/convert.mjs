/** @file Gives a trained classifier early exits, and says what they are good for.
 *  Usage: node examples/convert.mjs [MODEL.onnx] [DATA] [OUT.onnx]
 *  Without arguments: the bundled ResNet-20 on 500 bundled images, which is too few to learn well from. */
import { convert, openDataset, openOnnx, ortNode, saveModel, subset } from "dynn/node";

const [path = "zoo:resnet20-static", spec = "sample", out = "dynamic.onnx"] = process.argv.slice(2);

const data = await openDataset(spec);
const share = (from, to) =>
  subset(data, Array.from({ length: data.count }, (_, i) => i).slice(from * data.count, to * data.count));

// Heads learn on the first part, thresholds are chosen on the second, and the third is only counted on.
const { source } = await openOnnx(path);
const converted = await convert(source, {
  train: share(0, 0.6),
  validation: share(0.6, 0.8),
  test: share(0.8, 1),
  recipe: "distill",
  epochs: 5,
  backend: ortNode(),
  onEpoch: ({ epoch, loss }) => console.log(`epoch ${epoch + 1}: loss ${loss.toFixed(3)}`),
});

const percent = (share) => `${(100 * share).toFixed(1)} %`;
const { exits, test, policy } = converted;
for (const [k, { name, costFraction }] of exits.entries())
  console.log(
    `${name}: ${percent((test?.right[k] ?? 0) / (test?.count ?? 1))} right at ${percent(costFraction)} of the cost`,
  );
if (policy && test?.routed)
  console.log(
    `${policy.rule} ${policy.thresholds.join(", ")}: ${percent(test.routed.right / test.count)} right at ${percent(test.routed.cost)}`,
  );

// Exits, class names, normalisation and policy travel in the file.
await saveModel(out, converted);
console.log(`wrote ${out}`);
