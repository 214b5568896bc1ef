// Images a second of the forward pass (all exits' logits) and of forward + gradient with respect to the images (the mean cross-entropy over the
// exits, as attacks ask for it), dynn against PyTorch in the same run: all take turns, round by round. PyTorch runs with channels last and
// without, and each once more with its norms folded into the convolutions. Then: how long building and compiling a gradient takes.
// Usage: npm run build && node bench/gradient.mjs [--record] [--rounds N] [--networks A,B]      PyTorch: Debian's python3-torch
import { parseArgs } from "node:util";
import {
  ARCHITECTURES,
  attachExits,
  configureAttack,
  dynamicModel,
  exitsMetadata,
  lossGraph,
  ortNode,
  REFERENCE_EXITS,
  singleExitPolicy,
  uniform,
  writeMetadata,
} from "../dist/node/index.js";
import { environment, measure, median, report, rival, spread } from "./support.mjs";

const { values: options } = parseArgs({
  options: {
    record: { type: "boolean" },
    rounds: { type: "string", default: "7" },
    networks: { type: "string", default: "resnet56,vgg16,mobilenet" },
  },
});
const ROUNDS = Number(options.rounds);
const [BATCH, STEPS, THREADS] = [64, 2, 2];
const FORMS = ["nchw", "channels_last", "nchw-folded", "channels_last-folded"];
/** What it must be, times the better of PyTorch's two layouts: forward, and forward + gradient. */
const BARS = { resnet56: [1.35, 1.2], vgg16: [1.35, 1.2], mobilenet: [1, 1] };
const backend = ortNode({ threads: THREADS });

/** ResNet-56 with six SDN exits, the others with one exit. */
function network(name) {
  const plain = ARCHITECTURES[name].make({ classes: 10, imageSize: 32, seed: 0 }).graph;
  const graph = name === "resnet56" ? attachExits(plain, REFERENCE_EXITS.resnet56, { head: "sdn", seed: 0 }) : plain;
  const metadata = graph.outputs.length > 1 ? writeMetadata({ exits: exitsMetadata(graph) }) : new Map();
  return dynamicModel({ graph, metadata });
}

const pixels = uniform({ seed: 0, sample: 0, purpose: "test", step: 0 }, BATCH * 3072);
const images = { dtype: "float32", dims: [BATCH, 3, 32, 32], data: pixels };
const labels = { dtype: "int64", dims: [BATCH], data: BigInt64Array.from({ length: BATCH }, (_, i) => BigInt(i % 10)) };

/** Opens a session; a round of it is some steps. */
async function ours(graph) {
  const session = await backend.compile(graph);
  const feeds = Object.fromEntries(session.inputs.map((name) => [name, name === "dynn_labels" ? labels : images]));
  await session.run(feeds);
  const round = async () => {
    const start = performance.now();
    for (let i = 0; i < STEPS; i++) await session.run(feeds);
    return (1000 * BATCH * STEPS) / (performance.now() - start);
  };
  return { round, release: () => session.release() };
}

const torch = rival("gradient.py", [String(BATCH), "--steps", String(STEPS)]);
let version = "not there (Debian's python3-torch)";

async function compare(name, model, work, bar) {
  const graph = work === "forward" ? model.graph : lossGraph(model, averageLoss(model), true);
  const session = await ours(graph);
  const seen = { dynn: [], ...Object.fromEntries(FORMS.map((form) => [form, []])) };
  for (let i = 0; i < ROUNDS; i++) {
    seen.dynn.push(await session.round());
    for (const form of FORMS) {
      const result = await torch.round(`${name} ${work} ${form}`);
      if (!result) continue;
      version = result.torch;
      seen[form].push(result.images_per_second);
    }
  }
  await session.release();
  const show = (list) => `${median(list).toFixed(0)} (${Math.min(...list).toFixed(0)}-${Math.max(...list).toFixed(0)})`;
  const best = (forms) => Math.max(...forms.map((form) => median(seen[form])));
  const head = `  ${name.padEnd(10)} ${work.padEnd(8)} dynn ${show(seen.dynn)}`;
  if (seen.nchw.length === 0) return head;
  const [plain, folded] = [best(FORMS.slice(0, 2)), best(FORMS.slice(2))].map((theirs) => median(seen.dynn) / theirs);
  const theirs = FORMS.map((form) => `${form} ${show(seen[form])}`).join(", ");
  return `${head}   ${plain.toFixed(2)} x the better PyTorch (bar ${bar}), ${folded.toFixed(2)} x with norms folded   PyTorch ${theirs}`;
}

/** The mean cross-entropy over the exits. */
function averageLoss(model) {
  const config = { name: "average", goal: "average", method: "fgsm", norm: "linf", radius: "8/255" };
  return configureAttack(config, { model, policy: singleExitPolicy() }).goal.losses[0];
}

/** From a model to a session that runs its gradient. */
async function building(model) {
  const work = async () => {
    const session = await backend.compile(lossGraph(model, averageLoss(model), true));
    await session.release();
  };
  return spread(await measure(work, { warmup: 1, runs: 7 }), 1, 0);
}

const lines = [];
for (const name of options.networks.split(",")) {
  const model = network(name);
  lines.push(
    await compare(name, model, "forward", BARS[name][0]),
    await compare(name, model, "gradient", BARS[name][1]),
  );
  lines.push(`  ${name.padEnd(10)} building and compiling the gradient: ${await building(model)} ms`);
}
torch.end();
report("gradient", [
  `bench/gradient   ${environment()}, PyTorch ${version}, ${THREADS} threads each`,
  `  images/s, batch ${BATCH}, median (range) of ${ROUNDS} rounds of ${STEPS} steps that take turns; random weights and images`,
  ...lines,
]);
process.exit(0);
