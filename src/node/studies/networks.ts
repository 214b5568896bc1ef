/** @file The networks of a study file, as its plan names them: those that exist, and those that
 *  tasks of the study train. */
import { DynnError } from "../../core/errors.js";
import { backboneOf, cutsOf } from "../../dynamic/model/exits.js";
import { type DynamicModel, dynamicModel } from "../../dynamic/model/model.js";
import type { Gate } from "../../dynamic/model/units.js";
import type { StudyFile, StudyRecipe } from "../../schema/study/file.js";
import type { PlannedNetwork } from "../../schema/study/plan.js";
import { nameOf } from "../../studies/study/plan.js";
import { recipeKind, untrainedModel } from "../../training/zoo/runs.js";
import { openOnnx } from "../models.js";
import { ownIndex } from "../zoo/index-file.js";
import { canonicalName } from "../zoo/places.js";
import { networkDigest } from "./context.js";
import { fromRoot } from "./paths.js";
import type { StudyTrainings } from "./trainings.js";

const RECIPE = "recipe:";

type Facts = Pick<PlannedNetwork, "parameters" | "classes" | "legalCuts" | "exits" | "gates">;

const factsOf = ({ parameters, classes, graph, exits, gates }: DynamicModel): Facts => ({
  ...{ parameters, classes, legalCuts: cutsOf(backboneOf(graph)).length },
  exits: exits.map(({ name, output, macs, costFraction }) => ({ name, output, macs, costFraction })),
  ...(gates.length === 0 ? {} : { gates: gates.map(gateFacts) }),
});

const gateFacts = ({ name, macs, costFraction, exit }: Gate) => ({ name, macs, costFraction, exit });

/** Finds the networks of a study file. */
export class StudyNetworks {
  /** Networks by spec. Undefined when the zoo lacks one and the plan does not train it. */
  readonly found = new Map<string, PlannedNetwork | undefined>();
  readonly #begun = new Set<string>();
  readonly #facts = new Map<string, Facts>();

  constructor(
    private readonly file: Pick<StudyFile, "name" | "train" | "recipes" | "data">,
    private readonly root: string,
    private readonly trainings: StudyTrainings,
  ) {}

  /** Finds a network, and those that its training begins with.
   * @throws DynnError 'study/value', and the errors of opening networks and data */
  async find(spec: string): Promise<PlannedNetwork | undefined> {
    if (this.found.has(spec)) return this.found.get(spec);
    if (this.#begun.has(spec)) throw this.#wrong(`${spec} begins with its own weights`, "Name another init");
    this.#begun.add(spec);
    const network = (await this.#existing(spec)) ?? (await this.#trained(spec));
    this.found.set(spec, network);
    return network;
  }

  /** @returns undefined for a recipe, and for a network of the zoo that is not trained yet */
  async #existing(spec: string): Promise<PlannedNetwork | undefined> {
    if (spec.startsWith(RECIPE)) return undefined;
    try {
      const { source } = await openOnnx(fromRoot(spec, this.root));
      const model = dynamicModel(source, { name: spec });
      return { spec, sha256: networkDigest(source), ...factsOf(model) };
    } catch (error) {
      if (error instanceof DynnError && error.code === "zoo/missing") return undefined;
      throw error;
    }
  }

  async #trained(spec: string): Promise<PlannedNetwork | undefined> {
    const recipe = await this.#recipe(spec);
    if (!this.file.train) return undefined;
    const { init, data, ...rest } = recipe;
    if (init !== undefined && !(await this.find(init)))
      throw this.#wrong(`${spec} begins with ${init}, which does not exist`, "Name another init");
    const training = { ...rest, data, init: init === undefined ? null : nameOf(init) };
    return { spec, sha256: null, training, ...(await this.#factsOf(recipe)) };
  }

  /** Networks that differ only in the seed have the same exits. */
  async #factsOf(recipe: StudyRecipe): Promise<Facts> {
    const data = await this.trainings.open(recipe.data);
    const kind = recipeKind(recipe, data);
    const facts = this.#facts.get(kind) ?? factsOf(await untrainedModel(recipe, data));
    this.#facts.set(kind, facts);
    return facts;
  }

  /** @throws DynnError 'study/value' */
  async #recipe(spec: string): Promise<StudyRecipe> {
    if (!spec.startsWith(RECIPE)) return this.#zooRecipe(spec);
    const { recipes, data } = this.file;
    const name = nameOf(spec);
    if (!Object.hasOwn(recipes, name))
      throw this.#wrong(`no recipe is called "${name}"`, `The file has ${Object.keys(recipes).join(", ") || "none"}`);
    if (!Object.hasOwn(data, recipes[name].data))
      throw this.#wrong(
        `the recipe ${name} names the data "${recipes[name].data}"`,
        `The file has ${Object.keys(data).join(", ")}`,
      );
    return recipes[name];
  }

  async #zooRecipe(spec: string): Promise<StudyRecipe> {
    const index = await ownIndex();
    const network = index.networks[canonicalName(index, nameOf(spec))];
    const { architecture, width, recipe, runs, init } = network;
    const data = Object.entries(this.file.data).find(([, { records }]) => records.startsWith(`${network.data}:`));
    if (this.file.train && !data)
      throw this.#wrong(`${spec} is trained on ${network.data}`, `Add data with the records ${network.data}:DIR`);
    const begin = init === null ? {} : { init: `zoo:${init}` };
    return { architecture, width, recipe, runs, data: data?.[0] ?? "", ...begin };
  }

  #wrong(what: string, todo: string): DynnError {
    const { name } = this.file;
    return new DynnError("study/value", `study ${name}: ${what}. ${todo}.`, { study: name });
  }
}
