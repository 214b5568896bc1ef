/** @file The saliency map attack: changes the two values at a time that most raise one logit and
 *  lower the others. Sources: Papernot et al. 2016, "The limitations of deep learning in
 *  adversarial settings", algorithm 3 (targeted); Wiyatno & Xu 2018, "Maximal Jacobian-based
 *  saliency map attack", section 3 (untargeted: the label's logit falls, the others rise). */

import { amount } from "../parameters.js";
import type { Search } from "../question.js";
import type { Best } from "./best.js";
import { closestOf } from "./closest.js";
import { evaluate, evaluateAll } from "./evaluate.js";
import { method, type Task } from "./method.js";
import { bestPair } from "./saliency.js";

interface JsmaOptions {
  readonly theta: number;
  readonly gamma: number;
}

const attack = (task: Task, options: JsmaOptions): Search =>
  closestOf(task, (loss, best) => change(task, options, loss, best));

function* change(task: Task, { theta, gamma }: JsmaOptions, loss: number, best: Best): Search<void> {
  const image = Float32Array.from(task.sample.pixels);
  const open = Array.from(image, (_, i) => i).filter((i) => (theta > 0 ? image[i] < 0.99 : image[i] > 0.01));
  const weights = weightsOf(task, Math.sign(theta));
  const pairs = Math.ceil((image.length * gamma) / 2);
  let at = loss;
  for (let step = 0; step < pairs; step++) {
    const [own, others] = yield* evaluateAll(task, [image, image], [at, at], true, (i) => ({ extra: weights[i] }));
    at = own.at;
    if (best.offer(image, own)) return;
    const pair = bestPair(own.gradient, others.gradient, open);
    if (!pair) return;
    for (const i of pair) {
      image[i] = Math.min(Math.max(image[i] + theta, 0), 1);
      open.splice(open.indexOf(i), 1);
    }
  }
  best.offer(image, yield* evaluate(task, image, at, false, { extra: weights[0] }));
}

/** The weights of the logits: those of the class whose logit is to rise, and those of the others,
 * whose sum is to fall. Without a target, the logit of the label is to fall.
 * @param sign of the change of a value */
function weightsOf({ sample, goal }: Task, sign: number): readonly { readonly weights: Float32Array }[] {
  const classes = sample.clean[0].length;
  const chosen = sample.target ?? goal.label(sample);
  const rise = sample.target === undefined ? -sign : sign;
  const hot = Float32Array.from({ length: classes }, (_, k) => (k === chosen ? rise : 0));
  return [{ weights: hot }, { weights: hot.map((w) => (w === 0 ? rise : 0)) }];
}

export const jsma = method({
  about:
    "changes the two values at a time that most raise the target's logit and lower the others; untargeted, the label's logit falls and the others rise",
  source: "Papernot et al. 2016; Wiyatno & Xu 2018",
  access: "gradient",
  scope: "sample",
  budget: "closest",
  norms: ["l0"],
  targeted: true,
  losses: ["weighted-logits"],
  aboutClasses: true,
  parameters: {
    theta: amount(1, "change of a value; below 0, values fall", { least: -1, most: 1 }),
    gamma: amount(0.1, "largest share of the values that may change", { most: 1 }),
  },
  start: attack,
});
