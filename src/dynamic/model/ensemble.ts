/** @file Several classifiers as one model, which attacks use as an ensemble of surrogates. */

import { DynnError } from "../../core/errors.js";
import { showShape } from "../../core/shape.js";
import { counted } from "../../core/units.js";
import { int } from "../../graph/attributes.js";
import { GraphBuilder } from "../../graph/builder.js";
import type { Graph, ValueName } from "../../graph/graph.js";
import { distinctNames } from "../../graph/scopes.js";
import { type DynamicModel, dynamicModel } from "./model.js";
import { underPolicy } from "./under-policy.js";

/** How the final answers of an ensemble become one.
 * - logits: the mean of the logits. Source: Dong et al. 2018, equation 8.
 * - probabilities: the mean of the probabilities, as logits. Source: Liu et al. 2017.
 * - losses: each network is an exit of its own, and an attack takes the goal average. */
export const ENSEMBLE_FORMS = ["logits", "probabilities", "losses"] as const;
export type EnsembleForm = (typeof ENSEMBLE_FORMS)[number];

/** How several networks become one. */
export interface EnsembleOptions {
  readonly form: EnsembleForm;
}

/** One model from several. Its exits are the final exits of the parts (`losses`), or one exit with
 * their mean. Gates of a part act as the policy of its file says. The ensemble itself has no gates,
 * and every input has its full cost.
 * @throws DynnError 'transfer/mismatch' when they take different images or classes
 * @example
 * ```ts
 * import { ensemble, load } from "dynn/node";
 *
 * const parts = [await load("model.onnx"), await load("model.onnx")];
 * const surrogate = ensemble(parts, { form: "logits" });
 * console.log(surrogate.exits.length); // 1
 * ``` */
export function ensemble(models: readonly DynamicModel[], { form }: EnsembleOptions): DynamicModel {
  const [first] = models;
  for (const model of models) checkAlike(first, model);
  const name = models.map((model) => model.name).join("+");
  const graphs = models.map((model, i) => renamed(underOwnGates(model), i, first.input.name));
  const finals = models.map(({ exits }, i) => prefixed(exits[exits.length - 1].logits, i));
  const builder = new GraphBuilder({ ...joined(graphs, name), outputs: [] });
  const outputs = form === "losses" ? finals : [meanOf(builder, finals, form)];
  for (const output of outputs) builder.output(output, "float32", ["n", first.classes]);
  const exits = outputs.map((logits, i) => ({ name: form === "losses" ? `${i}` : "final", logits }));
  const metadata = new Map([["dynn.exits", JSON.stringify(exits)]]);
  return dynamicModel({ graph: builder.build(), metadata }, { name });
}

/** A part with the thresholds of its own policy in the graph. */
const underOwnGates = (model: DynamicModel): DynamicModel =>
  model.policy?.gates && model.gates.every(({ threshold }) => threshold === 0)
    ? underPolicy(model, model.policy)
    : model;

const prefixed = (value: ValueName, at: number): ValueName => `m${at}/${value}`;

/** The graph of one part. Its values have names of their own, except the image. */
function renamed({ graph, input }: DynamicModel, at: number, image: ValueName): Graph {
  const names = [...graph.initializers.keys(), ...graph.nodes.flatMap((node) => node.outputs)];
  const fixed = new Map(names.map((name) => [name, prefixed(name, at)]));
  return distinctNames(graph, fixed.set(input.name, image));
}

/** All nodes and constants over one input. */
const joined = (graphs: readonly Graph[], name: string): Graph => ({
  ...graphs[0],
  name,
  nodes: graphs.flatMap(({ nodes }) => nodes),
  initializers: new Map(graphs.flatMap(({ initializers }) => [...initializers])),
  types: new Map(graphs.flatMap(({ types }) => [...types])),
});

/** The mean of logits, or the logarithm of the mean of probabilities. */
function meanOf(b: GraphBuilder, finals: readonly ValueName[], form: "logits" | "probabilities"): ValueName {
  const axis = { axis: int(1) };
  const parts = form === "logits" ? finals : finals.map((z) => b.op("Softmax", [z], axis));
  const sum = parts.reduce((a, z) => b.op("Add", [a, z]));
  const mean = b.op("Mul", [sum, b.scalar(1 / parts.length)]);
  // The smallest normal float32 keeps the logarithm finite.
  return form === "logits" ? mean : b.op("Log", [b.op("Max", [mean, b.scalar(2 ** -126)])]);
}

/** @throws DynnError 'transfer/mismatch' */
function checkAlike(first: DynamicModel, model: DynamicModel): void {
  const what = ({ input, classes, graph }: DynamicModel) =>
    `images ${showShape(input.shape.slice(1))}, ${counted(classes, "class", "classes")}, opset ${graph.opset}`;
  if (what(first) === what(model)) return;
  throw new DynnError(
    "transfer/mismatch",
    `${model.name}: ${what(model)}, but ${first.name}: ${what(first)}. An ensemble needs the same three.`,
    { models: [first.name, model.name] },
  );
}
