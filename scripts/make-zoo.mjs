#!/usr/bin/env node
// Makes zoo/resnet20-sdn.onnx from the reference network: the same weights, with dynn's metadata (exits, classes, normalisation,
// policy). The policy's threshold is chosen on CIFAR-10 test records that are not in the bundled sample.
// Usage: npm run build && node scripts/make-zoo.mjs REFERENCE.onnx CIFAR_DIR
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import {
  calibrate,
  dynamicModel,
  Forward,
  loadModel,
  openDataset,
  ortNode,
  saveModel,
  subset,
  writeMetadata,
} from "../dist/index.js";

const root = resolve(import.meta.dirname, "..");
const [reference, cifar] = process.argv.slice(2);
if (!cifar) {
  console.error("usage: make-zoo.mjs REFERENCE.onnx CIFAR_DIR");
  process.exit(2);
}

const source = await loadModel(reference);
const model = dynamicModel(source, { name: "resnet20-sdn" });
const data = await openDataset(`cifar10:${cifar}`);
const sampled = new Set(JSON.parse(readFileSync(join(root, "samples/cifar10-500.json"), "utf8")).records);
const validation = subset(
  data,
  Array.from({ length: data.count }, (_, i) => i).filter((i) => !sampled.has(i)),
);

const pixels = new Float32Array(validation.count * 3072);
await validation.read(
  Array.from({ length: validation.count }, (_, i) => i),
  pixels,
);
const forward = await Forward.compile(model, ortNode());
const logits = await forward.logits(pixels, { batch: 64 });
const costs = model.exits.map((e) => e.costFraction);
const { policy, point } = calibrate(
  { logits, labels: validation.labels, classes: 10 },
  { rule: "max-softmax", fallback: "final", target: { kind: "rad", loss: 0.05 }, costs },
);
console.log(
  `threshold ${policy.thresholds[0]}: accuracy ${point.accuracy} at ${point.cost} of the cost on ${validation.count} records`,
);

const metadata = writeMetadata({
  exits: model.exits.map(({ name, logits: value }) => ({ name, logits: value })),
  policy: { ...policy, thresholds: policy.thresholds.map((t) => Number(t.toFixed(4))) },
  normalization: { mean: [0.4914, 0.4822, 0.4465], std: [0.247, 0.2435, 0.2616] },
  classes: [...data.classes],
});
await saveModel(join(root, "zoo/resnet20-sdn.onnx"), { ...source, metadata });
