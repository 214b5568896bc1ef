// Images a second of a full training step (forward in training mode, loss, gradients of all parameters, SGD with momentum), dynn
// against PyTorch in the same run: the two take turns round by round, and PyTorch is measured with channels last and without.
// Then ic-only: a step of the heads on a frozen backbone against the plain forward pass of the same network.
// Usage: npm run build && node bench/training.mjs [--record] [--rounds N] [--networks A,B]      PyTorch: Debian's python3-torch
import { parseArgs } from "node:util";
import {
  ARCHITECTURES,
  attachExits,
  dynamicModel,
  exitsMetadata,
  Forward,
  Images,
  makeFeeds,
  ortNode,
  placeExits,
  REFERENCE_EXITS,
  StepRunner,
  stepGraph,
  trainedNames,
  trainingConfig,
  uniform,
  writeMetadata,
} from "../dist/node/index.js";
import { environment, median, report, rival } from "./support.mjs";

const { values: options } = parseArgs({
  options: {
    record: { type: "boolean" },
    rounds: { type: "string", default: "5" },
    networks: { type: "string", default: "resnet56,vgg16,mobilenet" },
  },
});
const ROUNDS = Number(options.rounds);
const BATCH = 64;
const STEPS = 2;
const THREADS = 2;
const backend = ortNode({ threads: THREADS });

/** ResNet-56 with six SDN exits, joint; the others static. */
function network(name) {
  const plain = ARCHITECTURES[name].make({ classes: 10, imageSize: 32, seed: 0 }).graph;
  return name === "resnet56" ? attachExits(plain, REFERENCE_EXITS.resnet56, { head: "sdn", seed: 0 }) : plain;
}

const config = (recipe) => trainingConfig(recipe, { batch: BATCH }, { architecture: "resnet56", side: 32 });

function inputs(data, exits) {
  return {
    data,
    labels: { dtype: "int64", dims: [BATCH], data: BigInt64Array.from({ length: BATCH }, (_, i) => BigInt(i % 10)) },
    indices: Uint32Array.from({ length: BATCH }, (_, i) => i),
    learningRate: 0.01,
    exitWeights: new Array(exits).fill(1),
    done: 0,
    seed: 0,
  };
}

const pixels = uniform({ seed: 0, sample: 0, purpose: "test", step: 0 }, BATCH * 3072);
const images = { dtype: "float32", dims: [BATCH, 3, 32, 32], data: pixels };

async function ours(name) {
  const graph = network(name);
  const logits = graph.outputs.map((o) => o.name);
  const recipe = logits.length > 1 ? "joint" : "static";
  const graphOfStep = stepGraph({
    graph,
    logits,
    trained: trainedNames(graph, recipe),
    frozen: false,
    config: config(recipe),
  });
  const runner = await StepRunner.compile(backend, graphOfStep);
  const feed = inputs({ images }, logits.length);
  await runner.step(feed);
  return async () => {
    const start = performance.now();
    for (let i = 0; i < STEPS; i++) await runner.step(feed);
    return (1000 * BATCH * STEPS) / (performance.now() - start);
  };
}

const torch = rival("training.py", [String(BATCH), "--serve", "--steps", String(STEPS)]);
let version = "not there (Debian's python3-torch)";

async function compare(name) {
  const round = await ours(name);
  const seen = { dynn: [], nchw: [], channels_last: [] };
  for (let i = 0; i < ROUNDS; i++) {
    seen.dynn.push(await round());
    for (const format of ["nchw", "channels_last"]) {
      const result = await torch.round(`${name} ${format}`);
      if (!result) continue;
      version = result.torch;
      seen[format].push(result.images_per_second);
    }
  }
  const show = (list) => `${median(list).toFixed(0)} (${Math.min(...list).toFixed(0)}-${Math.max(...list).toFixed(0)})`;
  const best = Math.max(...["nchw", "channels_last"].map((f) => (seen[f].length > 0 ? median(seen[f]) : 0)));
  const ratio = best > 0 ? `   ${(median(seen.dynn) / best).toFixed(2)} x the better PyTorch` : "";
  const theirs = best > 0 ? `   PyTorch nchw ${show(seen.nchw)}, channels last ${show(seen.channels_last)}` : "";
  return `  ${name.padEnd(10)} dynn ${show(seen.dynn)}${theirs}${ratio}`;
}

/** Heads on a frozen ResNet-56 against its forward pass. */
async function frozenStep() {
  const plain = ARCHITECTURES.resnet56.make({ classes: 10, imageSize: 32, seed: 0 }).graph;
  const graph = attachExits(plain, placeExits(plain, [0.15, 0.3, 0.45, 0.6, 0.75, 0.9]), { head: "sdn", seed: 0 });
  const exits = graph.outputs.map((o) => ({ name: o.name, logits: o.name, costFraction: 1 }));
  const data = {
    name: "random",
    count: BATCH,
    shape: [3, 32, 32],
    labels: new Int32Array(BATCH),
    read: async () => {},
  };
  const icOnly = config("ic-only");
  const request = { model: { graph, exits }, train: data, validation: data, config: icOnly, backend, featureMemory: 0 };
  const trained = trainedNames(graph, "ic-only");
  const feeds = await makeFeeds(request, { trained, frozen: true });
  const graphOfStep = stepGraph({
    graph: feeds.graph,
    logits: exits.map((e) => e.logits),
    trained,
    frozen: true,
    config: icOnly,
  });
  const runner = await StepRunner.compile(backend, graphOfStep);
  const batch = { images: pixels, indices: Uint32Array.from({ length: BATCH }, (_, i) => i) };
  const forward = await Forward.compile(
    dynamicModel({ graph, metadata: writeMetadata({ exits: exitsMetadata(graph) }) }),
    { backend },
  );
  const step = async () => {
    const feed = inputs(undefined, exits.length);
    await runner.step({ ...feed, data: await feeds.feeds(batch, feed.labels, new Map(), 0) });
  };
  const pass = () => forward.logits(new Images(pixels, [3, 32, 32]), { batch: BATCH });
  const timed = async (work) => {
    const start = performance.now();
    await work();
    return (1000 * BATCH) / (performance.now() - start);
  };
  const [training, plainForward] = [[], []];
  await step();
  await pass();
  for (let i = 0; i < 3 * ROUNDS; i++) {
    training.push(await timed(step));
    plainForward.push(await timed(pass));
  }
  const ratio = median(training) / median(plainForward);
  return `  ic-only    ${median(training).toFixed(0)} images/s (ResNet-56, six exits, nothing kept), forward pass ${median(plainForward).toFixed(0)}: ${ratio.toFixed(2)} x`;
}

const lines = [];
for (const name of options.networks.split(",")) lines.push(await compare(name));
torch.end();
lines.push(await frozenStep());
report("training", [
  `bench/training   ${environment()}, PyTorch ${version}, ${THREADS} threads each`,
  `  images/s of a full training step, batch ${BATCH}, median (range) of ${ROUNDS} rounds of ${STEPS} steps that take turns`,
  ...lines,
]);
process.exit(0);
