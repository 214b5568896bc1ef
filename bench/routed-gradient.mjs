// Does the time of a routed gradient fall with the exit that is taken? One evaluation (forward and backward of the prefix up to
// the exit) of a batch of 64, per exit, against the gradient of the average loss over all exits.
// Usage: npm run build && node bench/routed-gradient.mjs [--record]
import { configureAttack, Evaluator } from "../dist/index.js";
import { attackSetting, environment, measure, report, spread } from "./support.mjs";

const BATCH = 64;
const { victim, backend, samples } = await attackSetting(BATCH, 0.8);
const evaluator = new Evaluator(victim.model, { backend });
const goal = (name) => configureAttack({ name, goal: name, radius: "8/255" }, victim).goal;

async function time(attacked, loss) {
  const asked = samples.map((sample) => ({
    ...{ sample, label: attacked.label(sample) },
    question: { image: sample.pixels, loss: attacked.losses[loss], gradient: true },
  }));
  return measure(() => evaluator.evaluate(asked), { warmup: 3, runs: 15 });
}

const routed = goal("routed");
const lines = [`bench/routed-gradient   ${environment()}, batch ${BATCH}, median of 15 (range)`];
const full = await time(goal("average"), 0);
lines.push(`  all exits (average loss)   ${spread(full, BATCH)} ms a sample`);
for (const [k, exit] of victim.model.exits.entries()) {
  const t = await time(routed, k);
  lines.push(
    `  routed, stops at ${exit.name}   ${spread(t, BATCH)} ms a sample   ${(t.median / full.median).toFixed(2)} of all exits   cost fraction ${exit.costFraction.toFixed(2)}`,
  );
}
report("routed-gradient", lines);
