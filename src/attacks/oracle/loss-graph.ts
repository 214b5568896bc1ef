/** @file The graph of a loss: the part of a model that computes the loss, the logits of its exits,
 *  and the gradient with respect to the image. */

import { gradientsGraph } from "../../autodiff/gradient.js";
import { targetsOf } from "../../autodiff/losses.js";
import { present } from "../../core/present.js";
import type { Shape } from "../../core/shape.js";
import type { DynamicModel, Gate } from "../../dynamic/model/model.js";
import { scoredGates } from "../../dynamic/model/scores.js";
import { GraphBuilder } from "../../graph/builder.js";
import type { Graph, ValueName } from "../../graph/graph.js";
import { inferShapes } from "../../graph/infer.js";
import { prune } from "../../graph/passes/prune.js";
import { opTable } from "../../ops/table.js";
import type { Loss, LossContext } from "../losses/loss.js";

const numbered = (name: string, k: number): string => (k === 0 ? name : `${name}_${k}`);

/** Names of the values that the loss adds to the model's. */
export const NAMES = {
  labels: "dynn_labels",
  clean: "dynn_clean",
  /** Of a question with several targets, those of its k-th. */
  targets: (k = 0) => numbered("dynn_targets", k),
  loss: (k = 0) => numbered("dynn_loss", k),
  gradient: (k = 0) => numbered("dynn_gradient", k),
  cleanLogits: (exit: number) => `dynn_clean_logits_${exit}`,
  extra: (name: string) => `dynn_extra_${name}`,
} as const;

/** The part of the model's graph that computes a loss and the logits of its exits. With `gradient`,
 * it also computes the gradient with respect to the image.
 * @param targets number of classes that the loss aims at; the loss and its gradient are computed
 *   for each of them */
export function lossGraph(model: DynamicModel, loss: Loss, gradient: boolean, targets = 1): Graph {
  const builder = new GraphBuilder(model.graph);
  const logits = loss.exits.map((k) => present(model.exits[k], `exit ${k}`).logits);
  const keep = [...logits, ...scoresBefore(model, loss).map(([, { score }]) => score)];
  const all = Array.from({ length: targets }, (_, k) => k);
  const contexts = contextsOf(model, builder);
  for (const k of all) {
    const [inputs, outputs] = [[loss.build(contexts(k))], [NAMES.loss(k)]];
    builder.append({ opType: "Identity", domain: "", name: "", inputs, outputs, attributes: {} });
  }
  const forward = inferShapes(builder.build(), opTable);
  if (gradient) {
    const losses = all.map((k) => ({ loss: NAMES.loss(k), names: [NAMES.gradient(k)] }));
    return gradientsGraph(forward, opTable, losses, { wrt: [model.input.name], keep });
  }
  const outputs = [...keep, ...all.map(NAMES.loss)].map((name) => ({
    name,
    dtype: "float32" as const,
    shape: forward.types.get(name)?.shape,
  }));
  return prune({ ...forward, outputs });
}

/** The gates that run for a loss and ask their scores, with their numbers. */
export function scoresBefore(model: DynamicModel, { exits }: Pick<Loss, "exits">): [number, Gate][] {
  const last = Math.max(...exits);
  return scoredGates(model).filter(([, { exit }]) => exit <= last);
}

/** The values that a loss can use, by the place of its target. The inputs for labels, targets and
 * clean images come into being at their first use. */
function contextsOf(model: DynamicModel, builder: GraphBuilder): (target: number) => LossContext {
  const made = new Map<string, ValueName>();
  const [n = "n"] = model.input.shape;
  const once = (name: string, make: () => ValueName): ValueName => {
    const value = made.get(name) ?? make();
    made.set(name, value);
    return value;
  };
  const input = (name: string, shape: Shape) => once(name, () => builder.input(name, "float32", shape));
  const hot = (name: string) => once(name, () => targetsOf(builder, builder.input(name, "int64", [n]), model.classes));
  return (target) => ({
    builder,
    image: model.input.name,
    classes: model.classes,
    logits: (k) => present(model.exits[k], `exit ${k}`).logits,
    oneHot: () => hot(NAMES.labels),
    targetHot: () => hot(NAMES.targets(target)),
    clean: () => input(NAMES.clean, model.input.shape),
    cleanLogits: (k) => input(NAMES.cleanLogits(k), [n, model.classes]),
    extra: (name, length) => input(NAMES.extra(name), [n, length]),
    std: model.normalization?.std ?? [1],
  });
}
