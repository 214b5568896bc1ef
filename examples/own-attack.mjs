/** @file An attack of one's own: gradient steps with momentum (MIM, Dong et al. 2018) beside plain PGD.
 *  A method is a generator for one sample. It asks about an image. It receives the loss, the gradient and the logits.
 *  The runner puts the questions of many samples into batches.
 *  Usage: node examples/own-attack.mjs [SAMPLES] */
import {
  ask,
  configureAttack,
  Evaluator,
  load,
  makePolicy,
  openDataset,
  ortNode,
  runAttack,
  samples,
  subset,
} from "dynn/node";

const STEPS = 10;
const RADIUS = 1 / 255;

const momentum = {
  name: "momentum",
  access: "gradient",
  scope: "sample",
  retriesVanished: false,
  *start([task]) {
    return [yield* climb(task)];
  },
};

function* climb({ sample, goal }) {
  const [loss] = goal.losses;
  const image = Float32Array.from(sample.pixels);
  const velocity = new Float32Array(image.length);
  for (let step = 0; step < STEPS; step++) {
    const reply = yield* ask({ image, loss, gradient: true });
    if (goal.succeeded(sample, reply)) return { image, success: true };
    const { gradient } = reply;
    const scale = gradient.reduce((sum, g) => sum + Math.abs(g), 0) || 1;
    for (const [i, clean] of sample.pixels.entries()) {
      velocity[i] = velocity[i] + gradient[i] / scale;
      const moved = image[i] + (2.5 * RADIUS * Math.sign(velocity[i])) / STEPS;
      image[i] = Math.min(Math.max(moved, clean - RADIUS, 0), clean + RADIUS, 1);
    }
  }
  return { image, success: goal.succeeded(sample, yield* ask({ image, loss, gradient: false })) };
}

const model = await load("zoo:resnet20-joint");
const backend = ortNode();
const count = Number(process.argv[2] ?? 64);
const data = subset(await openDataset("sample"), [...Array(count).keys()]);
const clean = await samples(model, data, { backend });

const policy = model.policy ?? makePolicy(model, { thresholds: 0.9 });
const pgd = configureAttack(
  { name: "pgd", goal: "misclassify:final", method: "pgd", norm: "linf", radius: RADIUS, steps: STEPS },
  { model, policy },
);
const evaluator = new Evaluator(model, { backend });
const attacks = [
  ["pgd", pgd],
  ["momentum", { ...pgd, method: momentum }],
];
for (const [name, attack] of attacks) {
  const outcomes = await runAttack(attack, clean, { evaluator, seed: 0, batch: 64 });
  const eligible = outcomes.filter((o) => o.eligible);
  console.log(`${name}: ${eligible.filter((o) => o.success).length} of ${eligible.length} images misclassified`);
}
await evaluator.release();
