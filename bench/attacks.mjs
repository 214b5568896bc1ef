// Seconds of whole attacks, dynn against the authors' own code in PyTorch, in the same run and turn by turn: the same networks, images,
// steps and radii. Prints robust accuracies and median distances beside them, because a fast attack that finds less is no gain, and the
// share of dynn's time outside ONNX Runtime.
// Usage: npm run build && node bench/attacks.mjs [--record] [--busy] [--images N] [--rounds N] [--networks A,B] [--attacks A,B]
// It refuses a busy machine without --busy. The network vgg16-random has full width, random weights, and its own answers as labels.
// PyTorch: Debian's python3-torch and python3-onnx; bench/README.md says where the attacks come from.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import {
  ARCHITECTURES,
  configureAttack,
  dynamicModel,
  Evaluator,
  loadModel,
  NORMS,
  openDataset,
  ortNode,
  runAttack,
  samples as samplesOf,
  singleExitPolicy,
  subset,
  writeModel,
  writeNpy,
} from "../dist/node/index.js";
import { environment, median, quietLine, report, rival, root } from "./support.mjs";

// Carlini & Wagner: both stop runs early. Ours starts from its default weight, so two rounds of search find closer images than their four.
// HopSkipJump: ours is closer after two jumps than theirs is after four.
const CASES = {
  "pgd-1": { bar: 3, ...linf("pgd", "1/255", { steps: 20 }, { steps: 20, step_size: 1 / 255 / 4 }) },
  "pgd-8": { bar: 3, ...linf("pgd", "8/255", { steps: 20 }, { steps: 20, step_size: 8 / 255 / 4 }) },
  "apgd-1": { bar: 2, ...linf("apgd", "1/255", { steps: 100 }, { steps: 100 }, "apgd-ce") },
  "apgd-8": { bar: 2, ...linf("apgd", "8/255", { steps: 100 }, { steps: 100 }, "apgd-ce") },
  deepfool: { bar: 2, ...closest("deepfool", { steps: 50 }, { steps: 50 }) },
  cw: {
    bar: 2,
    ...closest(
      "cw",
      { steps: 50, searchSteps: 2, abortEarly: true },
      { steps: 50, search_steps: 4, step_size: 0.01, c: 1 },
    ),
  },
  "square-2": { bar: 1.5, ...linf("square", "2/255", { queries: 1000 }, { queries: 1000 }) },
  "square-8": { bar: 1.5, ...linf("square", "8/255", { queries: 1000 }, { queries: 1000 }) },
  hopskipjump: { bar: 1.5, ...closest("hopskipjump", { steps: 2 }, { steps: 4 }) },
  "autoattack-1": { bar: 2, ...linf("autoattack", "1/255", {}, { batch: 128 }) },
  "autoattack-8": { bar: 2, ...linf("autoattack", "8/255", {}, { batch: 128 }) },
};
const NETWORKS = { resnet20: "resnet20-cifar10-joint.onnx", vgg16: "vgg16-w0.25-cifar10-joint-s1.onnx" };
const RANDOM = "vgg16-random";

const { values: options } = parseArgs({
  options: {
    record: { type: "boolean" },
    busy: { type: "boolean" },
    images: { type: "string", default: "128" },
    rounds: { type: "string", default: "3" },
    networks: { type: "string", default: Object.keys(NETWORKS).join() },
    attacks: { type: "string", default: Object.keys(CASES).join() },
  },
});
const [IMAGES, ROUNDS, THREADS, BATCH] = [Number(options.images), Number(options.rounds), 2, 64];

/** An attack within a radius, ours and theirs. */
function linf(attack, radius, ours, theirs, method = attack) {
  const [a, b] = radius.split("/").map(Number);
  return { ours: { method, norm: "linf", radius, ...ours }, theirs: { attack, radius: a / b, ...theirs } };
}

/** A search for the closest misclassified image in L2. */
function closest(attack, ours, theirs) {
  return { ours: { method: attack, norm: "l2", ...ours }, theirs: { attack, ...theirs } };
}

/** ONNX Runtime, with a clock around its sessions. */
function clocked(backend) {
  const clock = { seconds: 0 };
  const compile = async (graph) => {
    const session = await backend.compile(graph);
    const run = async (feeds) => {
      const start = performance.now();
      const results = await session.run(feeds);
      clock.seconds += (performance.now() - start) / 1000;
      return results;
    };
    return { inputs: session.inputs, outputs: session.outputs, run, release: () => session.release() };
  };
  return { clock, backend: { ...backend, compile } };
}

/** A VGG-16 of full width with random weights, as a file. */
function randomNetwork(folder) {
  const { graph } = ARCHITECTURES.vgg16.make({ classes: 10, imageSize: 32, seed: 0 });
  const path = join(folder, `${RANDOM}.onnx`);
  writeFileSync(path, writeModel({ graph }));
  return path;
}

/** A network with its first images, for us and as files for PyTorch. */
async function settingOf(name, folder) {
  const path = name === RANDOM ? randomNetwork(folder) : join(root, "zoo", NETWORKS[name]);
  const model = dynamicModel(await loadModel(path), { name });
  const { clock, backend } = clocked(ortNode({ threads: THREADS }));
  const data = subset(await openDataset("sample"), [...new Array(IMAGES).keys()]);
  const found = await samplesOf(model, data, { backend });
  const answer = ({ clean }) => clean.at(-1).indexOf(Math.max(...clean.at(-1)));
  const samples = name === RANDOM ? found.map((sample) => ({ ...sample, label: answer(sample) })) : found;
  return {
    clock,
    samples,
    path,
    victim: { model, policy: singleExitPolicy() },
    evaluator: new Evaluator(model, { backend }),
  };
}

function writeImages(folder, samples) {
  const data = Float32Array.from(
    { length: samples.length * 3072 },
    (_, i) => samples[Math.floor(i / 3072)].pixels[i % 3072],
  );
  const labels = BigInt64Array.from(samples, ({ label }) => BigInt(label));
  writeFileSync(join(folder, "x.npy"), writeNpy({ dtype: "float32", dims: [samples.length, 3, 32, 32], data }));
  writeFileSync(join(folder, "y.npy"), writeNpy({ dtype: "int64", dims: [samples.length], data: labels }));
  return ["x.npy", "y.npy"].map((file) => join(folder, file));
}

/** One round of ours. */
async function round({ clock, victim, evaluator }, samples, config) {
  const attack = configureAttack({ name: "bench", goal: "misclassify:final", ...config }, victim);
  const [start, before, processor] = [performance.now(), clock.seconds, process.cpuUsage()];
  const outcomes = await runAttack(attack, samples, { evaluator, seed: 0, batch: BATCH });
  const seconds = (performance.now() - start) / 1000;
  const { user, system } = process.cpuUsage(processor);
  const moved = outcomes.flatMap(({ eligible, success, image }, i) =>
    eligible && success ? [NORMS.l2.distance(image, samples[i].pixels)] : [],
  );
  return {
    seconds,
    cores: (user + system) / 1e6 / seconds,
    outside: 1 - (clock.seconds - before) / seconds,
    robust: outcomes.filter(({ success }) => !success).length / outcomes.length,
    distance: moved.length > 0 ? median(moved) : undefined,
    gradients: outcomes.reduce((sum, { spent }) => sum + spent.gradients, 0),
  };
}

let version = "not there (Debian's python3-torch and python3-onnx)";
const share = (v) => `${(100 * v).toFixed(1)} %`;
const far = (v) => (typeof v === "number" ? v.toFixed(3) : "-");
const seconds = (rounds) => {
  const all = rounds.map((r) => r.seconds);
  const cores = median(rounds.map((r) => r.cores)).toFixed(1);
  return `${median(all).toFixed(2)} s (${Math.min(...all).toFixed(2)}-${Math.max(...all).toFixed(2)}, ${cores} cores)`;
};

async function compare(setting, torch, name, network) {
  const { ours, theirs, bar } = CASES[name];
  await round(setting, setting.samples.slice(0, 4), ours);
  const [mine, other] = [[], []];
  for (let i = 0; i < ROUNDS; i++) {
    mine.push(await round(setting, setting.samples, ours));
    const answer = await torch.round(JSON.stringify(theirs));
    if (answer?.seconds === undefined) continue;
    version = answer.torch;
    other.push(answer);
  }
  const [{ robust, distance, gradients }] = mine;
  const head = `  ${network.padEnd(8)} ${name.padEnd(12)} dynn ${seconds(mine)}, robust ${share(robust)}, L2 ${far(distance)}, ${gradients} gradients, ${share(median(mine.map((r) => r.outside)))} outside ONNX Runtime`;
  if (other.length === 0) return `${head}   the other is not there`;
  const ratio = median(other.map((r) => r.seconds)) / median(mine.map((r) => r.seconds));
  const processor = median(other.map((r) => r.seconds * r.cores)) / median(mine.map((r) => r.seconds * r.cores));
  return `${head}   ${ratio.toFixed(2)} x (bar ${bar}), ${processor.toFixed(2)} x in processor seconds   PyTorch ${other[0].form} ${seconds(other)}, robust ${share(other[0].robust)}, L2 ${far(other[0].distance)}`;
}

async function linesOf(network) {
  const folder = mkdtempSync(join(tmpdir(), "dynn-bench-"));
  try {
    const setting = await settingOf(network, folder);
    const torch = rival("attacks.py", [setting.path, ...writeImages(folder, setting.samples)]);
    const lines = [];
    for (const name of options.attacks.split(",")) {
      lines.push(await compare(setting, torch, name, network));
      process.stderr.write(`${lines.at(-1)}\n`);
    }
    torch.end();
    await setting.evaluator.release();
    return lines;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const machine = quietLine();
const lines = [];
for (const network of options.networks.split(",")) lines.push(...(await linesOf(network)));
report("attacks", [
  `bench/attacks   ${environment()}, PyTorch ${version}, ${THREADS} threads each`,
  machine,
  `  ${IMAGES} images, median (range) of ${ROUNDS} rounds that take turns; dynn in batches of ${BATCH}, PyTorch all at once; L2: median distance of successes`,
  "  cores: processor seconds a second; where they are under 2, others took some of the machine, and times say less than processor seconds",
  "  dynn stops a sample at its first success that survives rounding to 8 bits, and leaves out images that are misclassified from the start",
  ...lines,
]);
process.exit(0);
