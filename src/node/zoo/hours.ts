/** @file The hours that trainings need on this machine. A few steps of one network of each
 *  architecture and kind of recipe are measured; the others follow from their MACs. */
import type { TrainingSplit } from "../../data/training-split.js";
import { RECIPE_DEFINITIONS } from "../../schema/training.js";
import type { NetworkRecipe } from "../../schema/zoo.js";
import { hoursOf, measurePace, scaledPace, type TrainingSize } from "../../training/zoo/pace.js";
import { planRun, recipeKind, standInWeights, untrainedModel } from "../../training/zoo/runs.js";
import { ortNode } from "../ort-node/index.js";
import { type KnownPace, PaceCache } from "./pace-cache.js";

/** A network to train. */
export interface ToTrain {
  readonly name: string;
  readonly recipe: NetworkRecipe;
  readonly data: TrainingSplit;
  /** Left out: the network is built to learn it. */
  readonly size?: TrainingSize | undefined;
}

export interface HoursOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((name: string, done: number, total: number) => void) | undefined;
}

/** The hours of each network, in order. What was measured on this machine is kept in the cache.
 * @throws DynnError as `planRun`, or the signal's reason */
export async function trainingHours(
  networks: readonly ToTrain[],
  { signal, onProgress }: HoursOptions = {},
): Promise<[name: string, hours: number][]> {
  const cache = await PaceCache.open();
  const sizes = new Map<string, TrainingSize>();
  const groups = [...new Set(networks.map(groupOf))];
  const sized = async ({ recipe, data, size }: ToTrain): Promise<TrainingSize> => {
    const kind = recipeKind(recipe, data);
    const found = size ?? sizes.get(kind) ?? sizeOf(await untrainedModel(recipe, data));
    sizes.set(kind, found);
    return found;
  };
  for (const [done, group] of groups.entries()) {
    const first = networks.filter((one) => groupOf(one) === group)[0];
    onProgress?.(first.name, done, groups.length);
    if (!cache.get(group)) await cache.put(group, await measured(first, await sized(first), signal));
  }
  const rows: [string, number][] = [];
  for (const one of networks) rows.push([one.name, hoursAt(cache.get(groupOf(one)), one, await sized(one))]);
  return rows;
}

/** The size of a network, for its training. */
export const sizeOf = ({ exits }: { readonly exits: readonly { readonly macs: number }[] }): TrainingSize => ({
  macs: exits.at(-1)?.macs ?? 0,
  heads: exits.length - 1,
});

/** Networks whose trainings differ only in the number of MACs. */
function groupOf({ recipe: { architecture, width, recipe, runs }, data: { train } }: ToTrain): string {
  const { frozen, attacked, distilled } = RECIPE_DEFINITIONS[recipe];
  const [{ threads, batch }] = runs;
  return JSON.stringify([architecture, width, train.shape, threads, batch ?? null, { frozen, attacked, distilled }]);
}

async function measured(
  { recipe, data }: ToTrain,
  size: TrainingSize,
  signal: AbortSignal | undefined,
): Promise<KnownPace> {
  const plan = await planRun(recipe, 0, { data, init: standInWeights(recipe, data) });
  const backend = ortNode({ threads: recipe.runs[0].threads });
  const { steps, features } = await measurePace(plan, { backend, now: () => performance.now(), signal });
  return { steps, features: features ?? null, ...size };
}

function hoursAt(known: KnownPace | undefined, { recipe, data }: ToTrain, size: TrainingSize): number {
  if (!known) return Number.NaN;
  const pace = scaledPace({ steps: known.steps, features: known.features ?? undefined }, known, size);
  return recipe.runs.reduce((sum, { epochs }) => sum + hoursOf(pace, data.train.count, epochs), 0);
}
