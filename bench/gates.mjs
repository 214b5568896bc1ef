// What does skipping save? A ResNet with gates of random weights, whose thresholds give open rates from 0 to 1, against the static network and
// against cost x static, turn by turn in one run, at batch 64 and 1.
// Usage: npm run build && node bench/gates.mjs [--network NAME] [--data SPEC] [--images N] [--rounds N] [--rates 0,0.5,1] [--threads N] [--record] [--busy]
import { parseArgs } from "node:util";
import {
  ARCHITECTURES,
  attachGates,
  costOf,
  createExecutor,
  dynamicModel,
  Forward,
  openDataset,
  ortNode,
  readImages,
  subset,
  underPolicy,
  writeMetadata,
} from "../dist/node/index.js";
import { environment, median, quietLine, report } from "./support.mjs";

const { values } = parseArgs({
  options: {
    network: { type: "string", default: "resnet56" },
    data: { type: "string", default: "sample" },
    images: { type: "string", default: "256" },
    rounds: { type: "string", default: "21" },
    threads: { type: "string" },
    rates: { type: "string", default: "0,0.25,0.5,0.75,1" },
    record: { type: "boolean" },
    busy: { type: "boolean" },
  },
});
const [rounds, wanted] = [Number(values.rounds), Number(values.images)];
const data = await openDataset(values.data);
const images = await readImages(subset(data, [...Array(Math.min(wanted, data.count)).keys()]));
const backend = ortNode(values.threads ? { threads: Number(values.threads) } : {});

const [, , size] = images.dims;
const plain = ARCHITECTURES[values.network].make({ classes: 10, imageSize: size, seed: 1 }).graph;
const attached = attachGates(plain, { gate: "pooled", seed: 1 });
const gates = attached.gates.map(({ name, score, value, branch }) => ({ name, score, value, branch }));
const model = dynamicModel({ graph: spread(attached.graph), metadata: writeMetadata({ gates }) });
const still = dynamicModel({ graph: plain, metadata: new Map() });
const full = still.exits[0].macs;

/** New gates give nearly one score to all images. Larger last weights tell images apart. */
function spread(graph) {
  const larger = ({ data, ...rest }) => ({ ...rest, data: data.map((v) => v * 1000) });
  const weights = [...graph.initializers].map(([name, t]) => [name, /\.gate\.fc2\.weight$/.test(name) ? larger(t) : t]);
  return { ...graph, initializers: new Map(weights) };
}

/** Milliseconds of the clock, and microseconds of all threads. */
function mark() {
  const { user, system } = process.cpuUsage();
  return { wall: performance.now(), processor: user + system };
}

async function scoresOf(thresholds) {
  const forward = await Forward.compile(underPolicy(model, { gates: { thresholds } }), { backend });
  const { gates } = await forward.logits(images, { batch: 64 });
  await forward.release();
  return gates.map(({ scores }) => scores);
}

/** One threshold per gate, so that each gate is open for a share of the images. No gate is forced: a forced gate would leave the graph.
 * A threshold changes later scores, so gates are set in their order. */
async function thresholdsFor(rate) {
  if (rate <= 0 || rate >= 1) return model.gates.map(() => (rate <= 0 ? 1e8 : -1e8));
  const thresholds = model.gates.map(() => 0);
  for (const k of model.gates.keys()) {
    const sorted = (await scoresOf(thresholds))[k].toSorted();
    thresholds[k] = sorted[Math.min(sorted.length - 1, Math.round((1 - rate) * sorted.length))];
  }
  return thresholds;
}

const single = { rule: "max-softmax", thresholds: [], fallback: "final" };
const forms = new Map();
for (const rate of values.rates.split(",").map(Number))
  forms.set(rate, { ...single, gates: { thresholds: await thresholdsFor(rate) } });

const share = model.gates.reduce((sum, { macs }) => sum + macs, 0) / full;
const lines = [
  `bench/gates   ${environment()}`,
  quietLine(),
  `  ${values.network} with ${model.gates.length} gates that hold ${(100 * share).toFixed(1)} % of its cost, ${images.count} images of ${data.name}, median of ${rounds} rounds, milliseconds an image; rival: the static network of the same weights`,
];
const forward = await Forward.compile(still, { backend });
for (const batch of [64, 1])
  for (const [rate, policy] of forms) {
    const some = images.rows(0, Math.min(images.count, batch === 1 ? 64 : images.count));
    const executor = await createExecutor(model, { backend, policy, batch });
    const runs = { static: [], gated: [] };
    const processor = { static: [], gated: [] };
    let answers = [];
    for (let round = 0; round <= rounds; round++) {
      const marks = [mark()];
      await forward.logits(some, { batch });
      marks.push(mark());
      answers = await executor.classify(some.data);
      marks.push(mark());
      if (round === 0) continue;
      ["static", "gated"].forEach((form, k) => {
        runs[form].push((marks[k + 1].wall - marks[k].wall) / some.count);
        processor[form].push(marks[k + 1].processor - marks[k].processor);
      });
    }
    await executor.release();
    const bits = answers.flatMap(({ gates: of }) => of);
    const open = bits.filter((bit) => bit === 1).length / bits.length;
    const cost = answers.reduce((sum, path) => sum + costOf(model, path), 0) / answers.length / full;
    // Both of one round ran one after the other, so that a slow minute of the machine is in both.
    const ratios = runs.gated.map((ms, round) => ms / runs.static[round]);
    const ratio = median(ratios);
    const used = median(processor.gated.map((us, round) => us / processor.static[round]));
    const closed = rate <= 0 ? `  a closed gate / its block ${((ratio - (1 - share)) / share).toFixed(3)}` : "";
    lines.push(
      `  batch ${String(batch).padStart(2)}, rate ${rate}: open ${(100 * open).toFixed(1)} %  cost ${(100 * cost).toFixed(1)} %  static ${median(runs.static).toFixed(3)}  skipping ${median(runs.gated).toFixed(3)}  ratio ${ratio.toFixed(3)} (${Math.min(...ratios).toFixed(3)}-${Math.max(...ratios).toFixed(3)})  skipping / (cost x static) ${(ratio / cost).toFixed(3)}, of processor time ${(used / cost).toFixed(3)}${closed}`,
    );
  }
await forward.release();
report("gates", lines);
