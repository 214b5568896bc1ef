/** @file Which parameters a recipe trains. */
import { DynnError } from "../../core/errors.js";
import type { Graph, ValueName } from "../../graph/graph.js";
import { RECIPE_DEFINITIONS, type Recipe } from "../../schema/training.js";
import { parametersOf } from "../step/training-form.js";

/** Parameters of heads that dynn attached: exit0.weight, exit1.mix ... */
const HEAD = /^exit\d+\./;

/** The names of all parameters. With a frozen backbone, the names of the heads' parameters.
 * @throws DynnError 'training/config' when the network does not have such parameters */
export function trainedNames(graph: Graph, recipe: Recipe): ValueName[] {
  const all = parametersOf(graph);
  const { frozen } = RECIPE_DEFINITIONS[recipe];
  const trained = frozen ? all.filter((name) => HEAD.test(name)) : all;
  if (trained.length > 0) return trained;
  throw new DynnError(
    "training/config",
    frozen
      ? `${graph.name}: recipe ${recipe} trains the heads of early exits, and the network has none. Give exits, e.g. at 15, 30, 45, 60, 75 and 90 % of the cost.`
      : `${graph.name}: no parameter to train: none of its initializers has a name that ends in .weight, .bias or .mix. Export the model with its parameter names.`,
    { recipe },
  );
}
