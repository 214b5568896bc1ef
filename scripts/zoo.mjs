#!/usr/bin/env node
// Trains a network of the zoo from its seed, in one run or several that each begin with the weights of the one before
// (zoo/recipes.json), chooses its threshold on the validation records, and puts three files into zoo/: the model, its card, and the
// metrics of every epoch. Goes on where it was stopped.
// Usage: npm run zoo -- NAME [--data cifar10:DIR]        without NAME: the list
import { spawnSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import {
  calibrate,
  dynamicModel,
  Forward,
  loadModel,
  openTrainingData,
  ortNode,
  readImages,
  saveModel,
  writeMetadata,
} from "../dist/node/index.js";

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
  for (const [known, runs] of Object.entries(recipes))
    for (const [i, recipe] of runs.entries())
      console.error(`  ${(i === 0 ? known : "").padEnd(18)} ${i === 0 ? "dynn train" : "      then"} ${recipe}`);
  process.exit(2);
}

const folder = join(root, ".cache/zoo");
mkdirSync(folder, { recursive: true });
/** Where the files of a run are: NAME-1, NAME-2; without a number when there is one run only. */
const stem = (i) => join(folder, recipes[name].length === 1 ? name : `${name}-${i + 1}`);
for (const [i, recipe] of recipes[name].entries()) {
  const run = `${stem(i)}.run`;
  if (existsSync(join(run, "card.json"))) continue;
  const init = i > 0 ? ["--init", `${stem(i - 1)}.onnx`] : [];
  const resume = existsSync(join(run, "checkpoint.safetensors")) ? ["--resume"] : [];
  const args = ["train", ...recipe.split(" "), ...init, "--data", values.data, "-o", `${stem(i)}.onnx`, ...resume];
  const { status } = spawnSync(process.execPath, [join(root, "dist/cli/main.js"), ...args], { stdio: "inherit" });
  if (status !== 0) process.exit(status ?? 1);
}

/** The cheapest threshold that keeps 95 % of the final exit's accuracy on the validation records. */
async function policyOf(dynamic) {
  if (dynamic.exits.length === 1) return undefined;
  const { validation } = await openTrainingData({ data: values.data, validation: { kind: "share", share: 0.1 } });
  const forward = await Forward.compile(dynamic, ortNode());
  const logits = await forward.logits(await readImages(validation), { batch: 100 });
  const costs = dynamic.exits.map((e) => e.costFraction);
  const measured = { logits, labels: validation.labels };
  const request = { rule: "max-softmax", fallback: "final", target: { kind: "rad", loss: 0.05 }, costs };
  const { policy, point } = calibrate(measured, request);
  const thresholds = policy.thresholds.map((t) => Number(t.toFixed(4)));
  console.log(
    `threshold ${thresholds[0]}: ${(100 * point.accuracy).toFixed(1)} % at ${(100 * point.cost).toFixed(0)} % of the cost (validation)`,
  );
  return writeMetadata({ policy: { ...policy, thresholds } });
}

const last = stem(recipes[name].length - 1);
const source = await loadModel(`${last}.onnx`);
const policy = await policyOf(dynamicModel(source, { name }));
await saveModel(join(root, `zoo/${name}.onnx`), {
  ...source,
  metadata: new Map([...source.metadata, ...(policy ?? [])]),
});
copyFileSync(join(`${last}.run`, "card.json"), join(root, `zoo/${name}.card.json`));
const metrics = recipes[name].map((_, i) => readFileSync(join(`${stem(i)}.run`, "metrics.jsonl"), "utf8"));
writeFileSync(join(root, `zoo/${name}.metrics.jsonl`), metrics.join(""));
console.log(`zoo/${name}.onnx`);
