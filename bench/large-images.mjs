// Images a second at 224 x 224: the forward pass, and forward + gradient with respect to the images, of MobileNetV2 and ResNet-50 with random
// weights, dynn against PyTorch turn by turn in one run, with the peak memory of both processes.
// Usage: npm run build && node bench/large-images.mjs [--record] [--batch N] [--rounds N] [--networks A,B] [--forms A,B]
// PyTorch: Debian's python3-torch, python3-torchvision and python3-onnx. With one form, its peak memory is that of this form alone.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import {
  configureAttack,
  dynamicModel,
  loadModel,
  lossGraph,
  ortNode,
  singleExitPolicy,
  uniform,
} from "../dist/node/index.js";
import { environment, median, quietLine, report, rival } from "./support.mjs";

const { values: options } = parseArgs({
  options: {
    record: { type: "boolean" },
    busy: { type: "boolean" },
    batch: { type: "string", default: "16" },
    rounds: { type: "string", default: "5" },
    networks: { type: "string", default: "mobilenet_v2,resnet50" },
    forms: { type: "string", default: "nchw,channels_last,channels_last-folded" },
  },
});
const [BATCH, ROUNDS, THREADS] = [Number(options.batch), Number(options.rounds), 2];
const FORMS = options.forms.split(",");
const BAR = 1.5;
const backend = ortNode({ threads: THREADS });

const pixels = uniform({ seed: 0, sample: 0, purpose: "test", step: 0 }, BATCH * 3 * 224 * 224);
const images = { dtype: "float32", dims: [BATCH, 3, 224, 224], data: pixels };
const labels = { dtype: "int64", dims: [BATCH], data: BigInt64Array.from({ length: BATCH }, (_, i) => BigInt(i)) };

function gradientOf(model) {
  const config = { name: "final", goal: "misclassify:final", method: "fgsm", norm: "linf", radius: "8/255" };
  return lossGraph(model, configureAttack(config, { model, policy: singleExitPolicy() }).goal.losses[0], true);
}

async function opened(graph) {
  const session = await backend.compile(graph);
  const feeds = Object.fromEntries(session.inputs.map((name) => [name, name === "dynn_labels" ? labels : images]));
  await session.run(feeds);
  return {
    round: async () => {
      const start = performance.now();
      await session.run(feeds);
      return (1000 * BATCH) / (performance.now() - start);
    },
    release: () => session.release(),
  };
}

const peak = () => process.resourceUsage().maxRSS / 1e6;
const show = (list) => `${median(list).toFixed(1)} (${Math.min(...list).toFixed(1)}-${Math.max(...list).toFixed(1)})`;
let version = "not there";

async function compare(torch, model, work) {
  const session = await opened(work === "forward" ? model.graph : gradientOf(model));
  const [mine, theirs] = [[], Object.fromEntries(FORMS.map((form) => [form, []]))];
  let memory = 0;
  for (let i = 0; i < ROUNDS; i++) {
    mine.push(await session.round());
    for (const form of FORMS) {
      const answer = await torch.round(`${work} ${form}`);
      if (!answer) continue;
      [version, memory] = [answer.torch, answer.peak];
      theirs[form].push(answer.images_per_second);
    }
  }
  await session.release();
  const head = `  ${model.name.padEnd(12)} ${work.padEnd(8)} dynn ${show(mine)} images/s, peak ${peak().toFixed(2)} GB`;
  if (memory === 0) return `${head}   the other is not there`;
  const times = (forms) => (median(mine) / Math.max(...forms.map((form) => median(theirs[form])))).toFixed(2);
  const [plain, folded] = [false, true].map((fold) => FORMS.filter((form) => form.endsWith("-folded") === fold));
  const bar = work === "gradient" ? ` (bar ${BAR})` : "";
  const ratios = `${plain.length > 0 ? `${times(plain)} x the better PyTorch${bar}, ` : ""}${folded.length > 0 ? `${times(folded)} x with norms folded` : ""}`;
  const all = FORMS.map((form) => `${form} ${show(theirs[form])}`).join(", ");
  return `${head}   ${ratios}   PyTorch ${all}, peak ${memory.toFixed(2)} GB`;
}

const machine = quietLine();
const folder = mkdtempSync(join(tmpdir(), "dynn-bench-"));
const lines = [];
for (const name of options.networks.split(",")) {
  const file = join(folder, `${name}.onnx`);
  const torch = rival("large_images.py", [name, file, String(BATCH)]);
  await torch.round("");
  const model = dynamicModel(await loadModel(file), { name });
  for (const work of ["forward", "gradient"]) {
    lines.push(await compare(torch, model, work));
    process.stderr.write(`${lines.at(-1)}\n`);
  }
  torch.end();
}
rmSync(folder, { recursive: true, force: true });
report("large-images", [
  `bench/large-images   ${environment()}, PyTorch ${version}, ${THREADS} threads each`,
  machine,
  `  224 x 224, batch ${BATCH}, median (range) of ${ROUNDS} rounds that take turns; random weights and images`,
  ...lines,
]);
process.exit(0);
