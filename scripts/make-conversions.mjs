/** @file Makes docs/conversions.md: networks that dynn did not make get early exits; how right each exit is, and what leaving there saves.
 *  Half an hour of work on a quiet machine, so not part of make-docs.mjs. The networks come from scripts/foreign-networks.py; converted
 *  files stay beside them and are not made again.
 *  Usage: npm run build && node scripts/make-conversions.mjs FOLDER CIFAR_FOLDER */
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { environment } from "../bench/record.mjs";
import {
  convert,
  dynamicModel,
  evaluateExits,
  findCuts,
  loadModel,
  openDataset,
  ortNode,
  saveModel,
  subset,
  wilson,
} from "../dist/node/index.js";
import { table } from "./markdown.mjs";

const root = resolve(import.meta.dirname, "..");
const [folder, cifar] = process.argv.slice(2);
if (!folder || !cifar) {
  console.error("usage: node scripts/make-conversions.mjs FOLDER CIFAR_FOLDER");
  process.exit(2);
}

const NORMALIZATION = { mean: [0.4914, 0.4822, 0.4465], std: [0.247, 0.2435, 0.2616] };
/** Networks, what makes each awkward to cut, and how exits read it. */
const NETWORKS = [
  { name: "convnext", title: "ConvNeXt", trait: "channels last inside its blocks, layer norms", head: "pool-linear" },
  { name: "vit", title: "ViT", trait: "a class token, attention", head: "token-linear" },
  { name: "mobilenet_v2", title: "MobileNetV2", trait: "inverted residuals, depthwise convolutions", head: "sdn" },
  { name: "densenet", title: "DenseNet", trait: "concatenations", head: "sdn" },
];

const backend = ortNode();
const records = (data, from, to) =>
  subset(
    data,
    Uint32Array.from({ length: to - from }, (_, i) => from + i),
  );
const train = await openDataset(`cifar10:${cifar}#train`);
const test = await openDataset(`cifar10:${cifar}#test`);

const percent = (share, digits = 1) => (100 * share).toFixed(digits);
/** A rate with its 95 % interval. */
function rate(right, count) {
  const { low, high } = wilson(right, count);
  return `${percent(right / count)} (${percent(low)}-${percent(high)})`;
}

async function converted({ name, head }) {
  const path = join(folder, `${name}-dynamic.onnx`);
  if (existsSync(path)) return path;
  const start = performance.now();
  const conversion = await convert(await loadModel(join(folder, `${name}.onnx`)), {
    // The network was trained on the first 40,000; thresholds are chosen on records that neither it nor the heads have seen.
    train: records(train, 0, 45_000),
    validation: records(train, 45_000, 50_000),
    head,
    normalization: NORMALIZATION,
    recipe: "distill",
    epochs: 5,
    backend,
    onEpoch: ({ epoch, loss }) => console.error(`${name}: epoch ${epoch + 1}, loss ${loss.toFixed(3)}`),
  });
  await saveModel(path, conversion);
  console.error(`${name}: converted in ${((performance.now() - start) / 1000).toFixed(0)} s`);
  return path;
}

/** As `dynn inspect` lists them. */
function cutsOf(source) {
  const { graph, input, exits } = dynamicModel(source);
  return findCuts(graph, input.name, exits.at(-1).logits).length;
}

/** What `dynn profile` measures of the file's own policy. */
function profiled(path) {
  const out = mkdtempSync(join(tmpdir(), "dynn-conversions-"));
  const json = join(out, "profile.json");
  const args = [
    "--data",
    `cifar10:${cifar}`,
    "--samples",
    "2000",
    "--rules",
    "max-softmax",
    "--batch",
    "1,64",
    "--rounds",
    "3",
  ];
  execFileSync(process.execPath, [join(root, "dist/cli/main.js"), "profile", path, ...args, "--json", json]);
  const record = JSON.parse(readFileSync(json, "utf8"));
  rmSync(out, { recursive: true });
  return { record, own: record.points.find(({ name }) => name.startsWith("own policy")) };
}

const bytesOf = ({ initializers }) =>
  new Map(
    [...initializers].map(([name, { data }]) => [name, Buffer.from(data.buffer, data.byteOffset, data.byteLength)]),
  );

// All work is done before the first time is taken.
const paths = new Map();
for (const network of NETWORKS) paths.set(network, await converted(network));

const [networks, exits, savings] = [[], [], []];
for (const network of NETWORKS) {
  const { name, title, trait } = network;
  const source = await loadModel(join(folder, `${name}.onnx`));
  const path = paths.get(network);
  const written = await loadModel(path);
  const kept = bytesOf(written.graph);
  const model = dynamicModel(written);
  for (const [weight, bytes] of bytesOf(source.graph))
    if (!kept.get(weight)?.equals(bytes)) throw new Error(`${name}: ${weight} changed`);
  const { correct } = await evaluateExits(model.graph, model.exits, test, { backend, batch: 250 });
  networks.push([
    title,
    trait,
    source.graph.opset,
    source.graph.nodes.length,
    cutsOf(source),
    model.exits.length - 1,
    network.head,
  ]);
  exits.push([
    title,
    ...model.exits.map((e, k) => `${rate(correct[k], test.count)} at ${percent(e.costFraction, 0)} %`),
  ]);
  const { own, record } = profiled(path);
  const at = (batch) => own.timings.find((t) => t.batch === batch);
  const speed = (batch) =>
    `${at(batch).speedUp.median.toFixed(2)}x (${at(batch).speedUp.low.toFixed(2)}-${at(batch).speedUp.high.toFixed(2)})`;
  savings.push([
    title,
    `${percent(record.static.accuracy.value)} (${percent(record.static.accuracy.low)}-${percent(record.static.accuracy.high)})`,
    `${percent(own.accuracy.value)} (${percent(own.accuracy.low)}-${percent(own.accuracy.high)})`,
    `${percent(own.macsFraction, 0)} %`,
    speed(1),
    speed(64),
  ]);
  console.error(`${name}: measured`);
}

const most = Math.max(...exits.map((cells) => cells.length)) - 1;
const padded = exits.map((cells) => [...cells, ...Array(most + 1 - cells.length).fill("")]);
writeFileSync(
  join(root, "docs/conversions.md"),
  `<!-- Made by scripts/make-conversions.mjs. Change that, not this file. -->

# Networks that dynn did not make, with early exits

What \`dynn convert\` makes of four families of today's networks, small, trained on CIFAR-10 with PyTorch 1.13 and exported by \`torch.onnx\`
([scripts/foreign-networks.py](../scripts/foreign-networks.py)). They were trained on the first 40,000 training images, for five to ten epochs: enough to tell exits apart, far
from what the families can do. Heads learned on 45,000 (\`--recipe distill\`, 5 epochs); thresholds were chosen on the last 5,000, which
neither network nor heads had seen, as the cheapest that keep 95 % of the final accuracy. Exits stand where \`--exits auto\` puts them. Seed 0.

Every weight of the four files is the same bytes after the conversion; the script checks it.

${table(["network", "has", "opset", "nodes", "cuts", "exits", "head"], networks)}
## How right each exit is

10,000 test images, in percent with the 95 % Wilson interval, at this share of the multiply-accumulates, heads included. The last column of a
network is its final exit. Where an earlier exit is right more often, the network overthinks; \`dynn audit\` counts how often.

${table(["network", ...Array.from({ length: most }, (_, i) => `exit ${i + 1}`)], padded)}
## What leaving early saves

\`dynn profile\` on 2,000 test images with the policy in the file: median of three rounds with the lowest and the highest, against the same weights
without exits in the same run. **Read the speed-ups roughly**: these networks are small (4 to 14 million
multiply-accumulates), and two runs of this script differed by up to 30 %, more than the ranges within a run. Time does not follow
multiply-accumulates at this size: ConvNeXt saves more than its cost allows, which has not been explained.

${table(["network", "final accuracy", "with exits", "mean cost", "speed-up at batch 1", "at batch 64"], savings)}
Measured with ${environment()}.

The five torchvision exports with random weights that gradients are checked on ([networks.md](networks.md)) are converted by a test
(DenseNet, EfficientNet, MobileNetV2, SqueezeNet, ViT): weights and final answers stay, accuracy there is none to tell.

To repeat it: \`scripts/foreign-networks.py CIFAR_FOLDER FOLDER\`, then \`node scripts/make-conversions.mjs FOLDER CIFAR_FOLDER\`.
`,
);
console.error("wrote docs/conversions.md");
