#!/usr/bin/env node
// Trains a network of the zoo from its seed (zoo/recipes.json), chooses its threshold on the validation records, and puts three files
// into zoo/: the model, its card, and the metrics of every epoch. Goes on where it was stopped.
// Usage: npm run zoo -- NAME [--data cifar10:DIR]        without NAME: the list
import { spawnSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { openTrainingData } from "../dist/cli/train-data.js";
import { calibrate, dynamicModel, Forward, loadModel, ortNode, saveModel, writeMetadata } from "../dist/index.js";

const root = resolve(import.meta.dirname, "..");
const recipes = JSON.parse(readFileSync(join(root, "zoo/recipes.json"), "utf8"));
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    data: { type: "string", default: "cifar10:data/cifar-10-batches-bin" },
  },
});
const [name] = positionals;
if (!Object.hasOwn(recipes, name ?? "")) {
  console.error(`usage: npm run zoo -- NAME [--data cifar10:DIR]\n`);
  for (const [known, recipe] of Object.entries(recipes)) console.error(`  ${known.padEnd(18)} dynn train ${recipe}`);
  process.exit(2);
}

const folder = join(root, ".cache/zoo");
mkdirSync(folder, { recursive: true });
const [model, run] = [join(folder, `${name}.onnx`), join(folder, `${name}.run`)];
const training = ["train", ...recipes[name].split(" "), "--data", values.data, "-o", model];
if (!existsSync(join(run, "card.json"))) {
  const resume = existsSync(join(run, "checkpoint.safetensors")) ? ["--resume"] : [];
  const cli = join(root, "dist/cli/main.js");
  const { status } = spawnSync(process.execPath, [cli, ...training, ...resume], { stdio: "inherit" });
  if (status !== 0) process.exit(status ?? 1);
}

/** The cheapest threshold that keeps 95 % of the final exit's accuracy on the validation records. */
async function policyOf(dynamic) {
  if (dynamic.exits.length === 1) return undefined;
  const { validation } = await openTrainingData({ data: values.data, validation: { kind: "share", share: 0.1 } });
  const pixels = new Float32Array(validation.count * 3072);
  await validation.read(
    Array.from({ length: validation.count }, (_, i) => i),
    pixels,
  );
  const forward = await Forward.compile(dynamic, ortNode());
  const logits = await forward.logits(pixels, { batch: 100 });
  const costs = dynamic.exits.map((e) => e.costFraction);
  const measured = { logits, labels: validation.labels, classes: dynamic.classes };
  const request = { rule: "max-softmax", fallback: "final", target: { kind: "rad", loss: 0.05 }, costs };
  const { policy, point } = calibrate(measured, request);
  const thresholds = policy.thresholds.map((t) => Number(t.toFixed(4)));
  console.log(
    `threshold ${thresholds[0]}: ${(100 * point.accuracy).toFixed(1)} % at ${(100 * point.cost).toFixed(0)} % of the cost (validation)`,
  );
  return writeMetadata({ policy: { ...policy, thresholds } });
}

const source = await loadModel(model);
const policy = await policyOf(dynamicModel(source, { name }));
await saveModel(join(root, `zoo/${name}.onnx`), {
  ...source,
  metadata: new Map([...source.metadata, ...(policy ?? [])]),
});
copyFileSync(join(run, "card.json"), join(root, `zoo/${name}.card.json`));
copyFileSync(join(run, "metrics.jsonl"), join(root, `zoo/${name}.metrics.jsonl`));
console.log(`zoo/${name}.onnx`);
