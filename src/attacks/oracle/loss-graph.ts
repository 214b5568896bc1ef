/** @file The graph of a loss: the part of a model that computes the loss, the logits of its exits,
 *  and the gradient with respect to the image. */

import { type Surrogate, softValue, withSurrogates } from "../../autodiff/gates.js";
import { gradientsGraph } from "../../autodiff/gradient.js";
import { targetsOf } from "../../autodiff/losses.js";
import { present } from "../../core/present.js";
import type { Shape } from "../../core/shape.js";
import type { DynamicModel, Gate } from "../../dynamic/model/model.js";
import { openProducts } from "../../dynamic/model/open-gates.js";
import { scoredGates } from "../../dynamic/model/scores.js";
import { GraphBuilder } from "../../graph/builder.js";
import { copyWith } from "../../graph/copy.js";
import type { Graph, ValueName } from "../../graph/graph.js";
import { inferShapes } from "../../graph/infer.js";
import { prune } from "../../graph/passes/prune.js";
import { opTable } from "../../ops/table.js";
import type { Loss, LossContext } from "../losses/loss.js";
import { adjustedGradient } from "./adjusted.js";

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
  /** The logits of the full network. */
  full: "dynn_full",
  /** The loss of the soft network, whose gradient is taken. */
  soft: (k: number) => `dynn_soft_loss_${k}`,
} as const;

/** The default: loss values and logits are those of hard gates, and gradients reach the scores. */
export const STRAIGHT_THROUGH: Surrogate = { kind: "straight-through" };

/** How a loss graph is made. */
export interface LossGraphOptions {
  /** Whether it also computes the gradient with respect to the image. */
  readonly gradient: boolean;
  /** Number of classes that the loss aims at. The loss and its gradient are computed for each of
   * them. */
  readonly targets?: number | undefined;
  /** How the gradient passes gates. */
  readonly through?: Surrogate | undefined;
}

/** The part of the model's graph that computes a loss and the logits of its exits. With `gradient`,
 * it also computes the gradient with respect to the image. Loss and logits are those of hard gates
 * under every surrogate. The soft one adds a copy of the network for the gradient. */
export function lossGraph(model: DynamicModel, loss: Loss, options: LossGraphOptions): Graph {
  const { gradient, targets = 1, through = STRAIGHT_THROUGH } = options;
  const isSoft = gradient && through.kind === "soft" && asksGates(model);
  const { graph, constants } =
    gradient && through.kind === "straight-through" && asksGates(model)
      ? withSurrogates(model.graph, hardGates(model), through)
      : { graph: model.graph, constants: undefined };
  const builder = new GraphBuilder(graph);
  const all = Array.from({ length: targets }, (_, k) => k);
  const shared: Shared = new Map();
  const contexts = contextsOf({ model, builder, graph, shared });
  for (const k of all) named(builder, loss.build(contexts(k)), NAMES.loss(k));
  if (loss.full) named(builder, contexts(0).full(), NAMES.full);
  const against = gradient && loss.against ? loss.against(contexts(0)) : undefined;
  const followed = isSoft ? softLosses({ model, builder, graph, shared }, loss, all, through) : all.map(NAMES.loss);
  const keep = [...keptOf(model, loss), ...(isSoft ? all.map(NAMES.loss) : [])];
  const forward = inferShapes(builder.build(), opTable);
  if (against !== undefined) {
    const both = { loss: NAMES.loss(), against, gradient: NAMES.gradient() };
    return adjustedGradient(forward, hardGates(model), both, { wrt: [model.input.name], keep, constants });
  }
  if (gradient) {
    const losses = all.map((k) => ({ loss: followed[k], names: [NAMES.gradient(k)] }));
    return gradientsGraph(forward, opTable, losses, { wrt: [model.input.name], keep, constants });
  }
  const outputs = [...keep, ...all.map(NAMES.loss)].map((name) => ({
    name,
    dtype: "float32" as const,
    shape: forward.types.get(name)?.shape,
  }));
  return prune({ ...forward, outputs });
}

/** The values that an evaluation returns besides the loss. */
const keptOf = (model: DynamicModel, loss: Loss): ValueName[] => [
  ...loss.exits.map((k) => present(model.exits[k], `exit ${k}`).logits),
  ...scoresBefore(model, loss).map(([, { score }]) => score),
  ...(loss.full ? [NAMES.full] : []),
];

/** Whether any gate asks its score, so that surrogates differ. */
export const asksGates = (model: Pick<DynamicModel, "gates">): boolean => scoredGates(model).length > 0;

const hardGates = (model: DynamicModel): Gate[] => scoredGates(model).map(([, gate]) => gate);

/** Gives a value a name. */
const named = (builder: GraphBuilder, value: ValueName, name: ValueName): void =>
  builder.append({ opType: "Identity", domain: "", name: "", inputs: [value], outputs: [name], attributes: {} });

/** Appends the network with soft gates, and its losses.
 * @returns their names */
function softLosses(made: Made, loss: Loss, targets: readonly number[], { slope = 1 }: Surrogate): ValueName[] {
  const { model, builder, graph } = made;
  const soft = hardGates(model).map((gate): [ValueName, (of: Rename) => ValueName] => [
    gate.value,
    (of) => softValue(builder, { ...gate, score: of(gate.score) }, slope),
  ]);
  const contexts = contextsOf(made, copyWith(builder, graph, new Map(soft)));
  return targets.map((k) => {
    named(builder, loss.build(contexts(k)), NAMES.soft(k));
    return NAMES.soft(k);
  });
}

/** The gates that run for a loss and ask their scores, with their numbers. */
export function scoresBefore(model: DynamicModel, { exits }: Pick<Loss, "exits">): [number, Gate][] {
  const last = Math.max(...exits);
  return scoredGates(model).filter(([, { exit }]) => exit <= last);
}

/** The values that a loss can use, by the place of its target. The inputs for labels, targets and
 * clean images come into being at their first use.
 * @param of the name of each of its values in the copy that the losses read */
function contextsOf(
  { model, builder, graph, shared }: Made,
  of: Rename = (name) => name,
): (target: number) => LossContext {
  const [n = "n"] = model.input.shape;
  const once = (name: string, make: () => ValueName): ValueName => {
    const value = shared.get(name) ?? make();
    shared.set(name, value);
    return value;
  };
  const input = (name: string, shape: Shape) => once(name, () => builder.input(name, "float32", shape));
  const hot = (name: string) => once(name, () => targetsOf(builder, builder.input(name, "int64", [n]), model.classes));
  const last = present(model.exits.at(-1), "the final exit").logits;
  return (target) => ({
    builder,
    image: model.input.name,
    classes: model.classes,
    logits: (k) => of(present(model.exits[k], `exit ${k}`).logits),
    oneHot: () => hot(NAMES.labels),
    targetHot: () => hot(NAMES.targets(target)),
    clean: () => input(NAMES.clean, model.input.shape),
    cleanLogits: (k) => input(NAMES.cleanLogits(k), [n, model.classes]),
    extra: (name, length) => input(NAMES.extra(name), [n, length]),
    gate: (k) => overThreshold(builder, present(model.gates[k], `gate ${k}`), of),
    full: () => once(NAMES.full, () => copyWith(builder, graph, opened(model))(last)),
    std: model.normalization?.std ?? [1],
  });
}

/** Values that several contexts share, by name. */
type Shared = Map<string, ValueName>;

/** The name of a value in a copy. */
type Rename = (name: ValueName) => ValueName;

/** The network that losses are appended to. */
interface Made {
  readonly model: DynamicModel;
  readonly builder: GraphBuilder;
  /** The graph that the builder was made from. */
  readonly graph: Graph;
  readonly shared: Shared;
}

/** The score minus the threshold. */
function overThreshold(b: GraphBuilder, { score, threshold }: Gate, of: Rename): ValueName {
  return threshold === 0 ? of(score) : b.op("Sub", [of(score), b.scalar(threshold)]);
}

/** Each product of a gate and a branch becomes its branch. */
const opened = (model: DynamicModel) =>
  new Map([...openProducts(model)].map(([product, branch]) => [product, (of: Rename) => of(branch)]));
