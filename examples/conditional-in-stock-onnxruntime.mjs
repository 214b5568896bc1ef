/** @file A model that stops early by itself, in plain ONNX Runtime: nothing of dynn is needed to run what `dynn export` wrote.
 *  Usage: node examples/conditional-in-stock-onnxruntime.mjs CONDITIONAL.onnx WHOLE.onnx [SAMPLES]
 *  CONDITIONAL.onnx comes from `dynn export WHOLE.onnx --format conditional -o CONDITIONAL.onnx`. The images are the bundled sample, one at
 *  a time; the whole network is the file it was exported from, whose exits are all computed. */
import { readFileSync } from "node:fs";
import { InferenceSession, Tensor } from "onnxruntime-node";
import sharp from "sharp";

// ONNX Runtime reports its use to its maker unless this is set before the first session. Where dynn is imported, dynn sets it.
process.env.ORT_DISABLE_TELEMETRY ??= "1";

const [conditionalFile = "early.onnx", wholeFile = "model.onnx", samples = "200"] = process.argv.slice(2);
const conditional = await InferenceSession.create(conditionalFile);
const whole = await InferenceSession.create(wholeFile);

// The sample: one picture of tiles, 25 in a row, and a label for each.
const folder = new URL("../samples/", import.meta.url);
const { labels, tile, columns, sprite } = JSON.parse(readFileSync(new URL("cifar10-500.json", folder), "utf8"));
const { data, info } = await sharp(readFileSync(new URL(sprite, folder)))
  .removeAlpha()
  .raw()
  .toBuffer({ resolveWithObject: true });

/** Tile i as pixels in [0,1], channels first. */
function image(i) {
  const { width, height } = tile;
  const [left, top] = [(i % columns) * width, Math.floor(i / columns) * height];
  const pixels = Float32Array.from({ length: 3 * height * width }, (_, k) => {
    const [channel, y, x] = [Math.floor(k / (height * width)), Math.floor(k / width) % height, k % width];
    return data[((top + y) * info.width + left + x) * info.channels + channel] / 255;
  });
  return new Tensor("float32", pixels, [1, 3, height, width]);
}

const images = Array.from({ length: Math.min(Number(samples), labels.length) }, (_, i) => image(i));

/** Run a network on every image by itself, after a few runs to warm up; the mean time in milliseconds, and what it gave. */
async function measure(session) {
  const [input] = session.inputNames;
  for (const pixels of images.slice(0, 5)) await session.run({ [input]: pixels });
  const results = [];
  const start = performance.now();
  for (const pixels of images) results.push(await session.run({ [input]: pixels }));
  return { results, milliseconds: (performance.now() - start) / images.length };
}

// One after the other: the threads of two sessions in turn would stand in each other's way.
const early = await measure(conditional);
const full = await measure(whole);

const numbers = (output) => early.results.map((result) => Number(result[output].data[0]));
const [exits, answers] = [numbers("exit"), numbers("label")];
const right = answers.filter((label, i) => label === labels[i]).length;
console.log(`${images.length} images, one at a time, ${((100 * right) / images.length).toFixed(1)} % right`);
for (const exit of [...new Set(exits)].sort((a, b) => a - b))
  console.log(`  stopped at exit ${exit}: ${exits.filter((e) => e === exit).length}`);
const [short, long] = [early, full].map(({ milliseconds }) => `${milliseconds.toFixed(2)} ms`);
console.log(`mean time: ${short} with early exits, ${long} for the whole network`);
