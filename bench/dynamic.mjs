// What does leaving early save on this machine? The staged executor against the static network of the same weights, turn by turn in one run:
// with the thresholds of rad 5 % (chosen on validation records) at batch 64 and 1, and with thresholds that nothing reaches.
// Usage: npm run build && node bench/dynamic.mjs [MODEL] [--data SPEC] [--images N] [--record]
import { parseArgs } from "node:util";
import * as ort from "onnxruntime-node";
import {
  backboneOf,
  calibrate,
  conditionalModel,
  createExecutor,
  dynamicModel,
  Forward,
  loadModel,
  openDataset,
  ortNode,
  readImages,
  splitValidation,
  writeModel,
} from "../dist/node/index.js";
import { environment, median, report, root } from "./support.mjs";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    data: { type: "string", default: "cifar10:.cache/data/cifar-10-batches-bin#test" },
    images: { type: "string", default: "1024" },
    record: { type: "boolean" },
  },
});
const ROUNDS = 21;
const path = positionals[0] ?? `${root}/zoo/resnet56-cifar10-joint.onnx`;
const model = dynamicModel(await loadModel(path), { name: path.split("/").at(-1) });
const backend = ortNode();
const { reported, validation } = splitValidation(await openDataset(values.data), {
  reported: Number(values.images),
  validation: 2000,
  seed: 0,
});

const rule = "max-softmax";
const forward = await Forward.compile(model, { backend });
const seen = { logits: await forward.logits(await readImages(validation), { batch: 64 }), labels: validation.labels };
await forward.release();
const costs = model.exits.map((e) => e.costFraction);
const { policy } = calibrate(seen, { rule, fallback: "final", target: { kind: "rad", loss: 0.05 }, costs });
// Every exit is computed and asked, and no softmax of ten classes reaches 1 here.
const never = { rule, thresholds: policy.thresholds.map(() => 1), fallback: "final" };
const policies = { "rad 5 %": policy, "nothing leaves": never };

const still = await Forward.compile(dynamicModel({ graph: backboneOf(model.graph), metadata: new Map() }), { backend });
const all = await readImages(reported);
const lines = [
  `bench/dynamic   ${environment()}`,
  `  ${model.name}, ${reported.count} images of ${reported.name}, median of ${ROUNDS} rounds (range), milliseconds an image, ratios of the two halves of a round; rival: the static network of the same weights`,
];

for (const batch of [64, 8, 1]) {
  const images = all.rows(0, batch === 1 ? 256 : reported.count);
  const { count } = images;
  for (const [name, policy] of Object.entries(policies)) {
    const executor = await createExecutor(model, { backend, policy, batch });
    const runs = { static: [], dynamic: [] };
    let answers = await executor.classify(images.data);
    await still.logits(images, { batch });
    for (let round = 0; round < ROUNDS; round++) {
      let start = performance.now();
      await still.logits(images, { batch });
      runs.static.push((performance.now() - start) / count);
      start = performance.now();
      answers = await executor.classify(images.data);
      runs.dynamic.push((performance.now() - start) / count);
    }
    await executor.release();
    const cost = answers.reduce((sum, a) => sum + costs[a.stop], 0) / count;
    const exits = model.exits.map((_, k) => answers.filter((a) => a.stop === k).length);
    const right = answers.filter((a, i) => a.label === reported.labels[i]).length / count;
    // Static and dynamic of one round ran one after the other, so that a slow minute of the machine is in both.
    const ratios = runs.dynamic.map((d, round) => d / runs.static[round]);
    const middle = (q) => (ratios.toSorted((a, b) => a - b)[Math.round(q * (ROUNDS - 1))] / cost).toFixed(2);
    const text = (r) => `${median(r).toFixed(3)} (${Math.min(...r).toFixed(3)}-${Math.max(...r).toFixed(3)})`;
    lines.push(
      `  batch ${String(batch).padStart(2)}, ${name.padEnd(14)} static ${text(runs.static)}  dynamic ${text(runs.dynamic)}  mean cost ${(100 * cost).toFixed(1)} %  dynamic / (cost x static) ${(median(ratios) / cost).toFixed(3)} (middle half ${middle(0.25)}-${middle(0.75)})  speed-up ${(1 / median(ratios)).toFixed(2)}x  accuracy ${(100 * right).toFixed(1)} %  exits ${exits.join(" ")}`,
    );
  }
}
// What the exported file saves where there is no dynn: onnxruntime-node alone, one image at a time, turn by turn.
const STOCK = 256;
const open = (written) => ort.InferenceSession.create(writeModel(written), { logSeverityLevel: 3 });
const files = {
  conditional: await open(conditionalModel(model, policy)),
  static: await open({ graph: backboneOf(model.graph) }),
};
const times = { conditional: [], static: [] };
for (let round = 0; round <= ROUNDS; round++)
  for (const [name, session] of Object.entries(files)) {
    const start = performance.now();
    for (let i = 0; i < STOCK; i++) {
      const image = new ort.Tensor("float32", all.row(i), [1, ...model.input.shape.slice(1)]);
      await session.run({ [model.input.name]: image });
    }
    if (round > 0) times[name].push((performance.now() - start) / STOCK);
  }
const text = (r) => `${median(r).toFixed(3)} (${Math.min(...r).toFixed(3)}-${Math.max(...r).toFixed(3)})`;
lines.push(
  `  the exported conditional file in onnxruntime-node alone, batch 1: ${text(times.conditional)}, static file ${text(times.static)}: speed-up ${(median(times.static) / median(times.conditional)).toFixed(2)}x`,
);
report("dynamic", lines);
