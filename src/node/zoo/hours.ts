/** @file The hours that trainings need on this machine, measured by a few steps of each. */
import type { TrainingSplit } from "../../data/training-split.js";
import type { NetworkRecipe } from "../../schema/zoo.js";
import { hoursOf, measurePace, type Pace } from "../../training/zoo/pace.js";
import { planRun, recipeKind, standInWeights } from "../../training/zoo/runs.js";
import { ortNode } from "../ort-node/index.js";

/** A network to train. */
export interface ToTrain {
  readonly name: string;
  readonly recipe: NetworkRecipe;
  readonly data: TrainingSplit;
}

export interface HoursOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((name: string, done: number, total: number) => void) | undefined;
}

/** The hours of each network, in order. Networks that differ only in the seed are measured once.
 * @throws DynnError as `planRun`, or the signal's reason */
export async function trainingHours(
  networks: readonly ToTrain[],
  { signal, onProgress }: HoursOptions = {},
): Promise<[name: string, hours: number][]> {
  const known = new Map<string, number>();
  const rows: [string, number][] = [];
  for (const [done, { name, recipe, data }] of networks.entries()) {
    onProgress?.(name, done, networks.length);
    const kind = recipeKind(recipe, data);
    const hours = known.get(kind) ?? (await measuredHours(recipe, data, signal));
    known.set(kind, hours);
    rows.push([name, hours]);
  }
  return rows;
}

async function measuredHours(
  recipe: NetworkRecipe,
  data: TrainingSplit,
  signal: AbortSignal | undefined,
): Promise<number> {
  let hours = 0;
  let pace: Pace | undefined;
  for (const [i, { epochs, threads }] of recipe.runs.entries()) {
    const plan = await planRun(recipe, i, { data, init: standInWeights(recipe, data) });
    pace ??= await measurePace(plan, { backend: ortNode({ threads }), now: () => performance.now(), signal });
    hours += hoursOf(pace, data.train.count, epochs);
  }
  return hours;
}
