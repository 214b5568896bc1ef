/** @file The training runs of a network whose recipe is written down: in the index of the zoo, or
 *  in a study file. */
import type { TrainingSplit } from "../../data/training-split.js";
import { type DynamicModel, dynamicModel } from "../../dynamic/model/model.js";
import { parseExits } from "../../dynamic/place/exits.js";
import type { Graph } from "../../graph/graph.js";
import { ARCHITECTURES, type ArchitectureName } from "../../nn/architectures.js";
import type { OnnxModel } from "../../onnx/model.js";
import { readModel } from "../../onnx/read.js";
import { writeModel } from "../../onnx/write.js";
import { RECIPE_DEFINITIONS, type RecipeDefinition } from "../../schema/training.js";
import type { NetworkRecipe } from "../../schema/zoo.js";
import type { InitialWeights } from "../run/network.js";
import { cardOf, planTraining, type TrainingPlan, trainedMetadata } from "../run/plan.js";

/** What a run needs besides its recipe. */
export interface RunRequest {
  readonly data: TrainingSplit;
  /** The weights that the run begins with. Undefined: random ones. */
  readonly init: InitialWeights | undefined;
}

/** Plans one run of a recipe.
 * @param run place of the run, from 0
 * @throws DynnError as `planTraining`, and 'exits/value' */
export function planRun(recipe: NetworkRecipe, run: number, request: RunRequest): Promise<TrainingPlan> {
  const { epochs, seed, batch, learningRate, weightDecay, backboneGradient, exits, attack, gates } = recipe.runs[run];
  return planTraining({
    ...{ ...request, recipe: recipe.recipe },
    choices: {
      ...{ epochs, seed, batch, peak: learningRate, weightDecay, backboneGradient },
      ...(gates ? { gates } : {}),
      ...(attack ? { adversarial: attack } : {}),
    },
    base: { kind: "architecture", name: recipe.architecture, width: recipe.width },
    exits: exits === undefined ? undefined : parseExits(exits),
  });
}

/** A network as the file of its run has it. The counts of right answers in its card are 0: they are
 * measured on the published form. */
export function fileOf(plan: TrainingPlan, graph: Graph, name: string): OnnxModel {
  const none = { right: plan.network.model.exits.map(() => 0), count: 0 };
  const card = cardOf(plan, graph, { validation: none, test: none });
  return readModel(writeModel({ graph, metadata: trainedMetadata(plan, card) }), { name });
}

/** The network of a recipe before its training. It has the exits and costs of the trained one.
 * @throws DynnError as `planRun` */
export async function untrainedModel(recipe: NetworkRecipe, data: TrainingSplit): Promise<DynamicModel> {
  const plan = await planRun(recipe, recipe.runs.length - 1, { data, init: standInWeights(recipe, data) });
  return dynamicModel(fileOf(plan, plan.network.model.graph, recipe.architecture), { name: recipe.architecture });
}

/** What recipes share that differ only in their seeds and first weights. */
export const recipeKind = ({ architecture, width, recipe, runs }: NetworkRecipe, { train }: TrainingSplit): string =>
  JSON.stringify([architecture, width, recipe, train.name, train.count, runs.map(({ seed: _, ...run }) => run)]);

/** Random weights for a recipe that needs some. Places, costs and times do not depend on them.
 * Undefined for a recipe that trains the whole network. */
export function standInWeights(
  { architecture, width, recipe }: Pick<NetworkRecipe, "architecture" | "width" | "recipe">,
  { classes, train }: Pick<TrainingSplit, "classes" | "train">,
): InitialWeights | undefined {
  const { frozen, gates }: RecipeDefinition = RECIPE_DEFINITIONS[recipe];
  if (!frozen && gates === undefined) return undefined;
  const [channels, height, columns] = train.shape;
  const { graph } = ARCHITECTURES[architecture as ArchitectureName].make({
    ...{ classes, channels, imageSize: [height, columns], width, seed: 0 },
  });
  return {
    where: architecture,
    tensor: (name) => (/head|classifier|fc/.test(name) ? undefined : graph.initializers.get(name)),
    normalization: undefined,
  };
}
