/** @file The graph of a loss: the part of a model that computes the loss, the logits of its exits,
 *  and the gradient with respect to the image. */

import { gradientGraph } from "../../autodiff/gradient.js";
import { targetsOf } from "../../autodiff/losses.js";
import { present } from "../../core/present.js";
import type { Shape } from "../../core/shape.js";
import type { DynamicModel } from "../../dynamic/model/model.js";
import { GraphBuilder } from "../../graph/builder.js";
import type { Graph, ValueName } from "../../graph/graph.js";
import { inferShapes } from "../../graph/infer.js";
import { prune } from "../../graph/passes/prune.js";
import { opTable } from "../../ops/table.js";
import type { Loss, LossContext } from "../losses/loss.js";

/** Names of the values that the loss adds to the model's. */
export const NAMES = {
  labels: "dynn_labels",
  targets: "dynn_targets",
  clean: "dynn_clean",
  loss: "dynn_loss",
  gradient: "dynn_gradient",
  cleanLogits: (exit: number) => `dynn_clean_logits_${exit}`,
  extra: (name: string) => `dynn_extra_${name}`,
} as const;

/** The part of the model's graph that computes a loss and the logits of its exits. With `gradient`,
 * it also computes the gradient with respect to the image. */
export function lossGraph(model: DynamicModel, loss: Loss, gradient: boolean): Graph {
  const builder = new GraphBuilder(model.graph);
  const keep = loss.exits.map((k) => present(model.exits[k], `exit ${k}`).logits);
  const value = loss.build(contextOf(model, builder));
  builder.append({ opType: "Identity", domain: "", name: "", inputs: [value], outputs: [NAMES.loss], attributes: {} });
  const forward = inferShapes(builder.build(), opTable);
  if (gradient)
    return gradientGraph(forward, opTable, {
      loss: NAMES.loss,
      wrt: [model.input.name],
      names: [NAMES.gradient],
      keep,
    });
  const outputs = [...keep, NAMES.loss].map((name) => ({
    name,
    dtype: "float32" as const,
    shape: forward.types.get(name)?.shape,
  }));
  return prune({ ...forward, outputs });
}

/** The values that a loss can use. The inputs for labels, targets and clean images come into being
 * at their first use. */
function contextOf(model: DynamicModel, builder: GraphBuilder): LossContext {
  const made = new Map<string, ValueName>();
  const [n = "n"] = model.input.shape;
  const once = (name: string, make: () => ValueName): ValueName => {
    const value = made.get(name) ?? make();
    made.set(name, value);
    return value;
  };
  const input = (name: string, shape: Shape) => once(name, () => builder.input(name, "float32", shape));
  const hot = (name: string) => once(name, () => targetsOf(builder, builder.input(name, "int64", [n]), model.classes));
  return {
    builder,
    image: model.input.name,
    classes: model.classes,
    logits: (k) => present(model.exits[k], `exit ${k}`).logits,
    oneHot: () => hot(NAMES.labels),
    targetHot: () => hot(NAMES.targets),
    clean: () => input(NAMES.clean, model.input.shape),
    cleanLogits: (k) => input(NAMES.cleanLogits(k), [n, model.classes]),
    extra: (name, length) => input(NAMES.extra(name), [n, length]),
    std: model.normalization?.std ?? [1],
  };
}
