/** @file How gradients pass the hard gates of a network in an attack. The surrogate belongs to the
 *  questions of a search, so every method takes it. Source: Tao et al. 2022, "LGM" (three ways to
 *  differentiate networks that skip blocks). */
import { SURROGATES, type Surrogate } from "../../autodiff/gates.js";
import { DynnError } from "../../core/errors.js";
import { NORMS } from "../../perturb/norms.js";
import type { Victim } from "../goals/victim.js";
import { asksGates } from "../oracle/loss-graph.js";
import type { Evaluation, FoundImage, Question, Search } from "../question.js";
import { evaluate, survivesRounding } from "./evaluate.js";
import type { Method, Task } from "./method.js";

/** Each surrogate after the other, and the strongest image of each sample. */
const BEST = "best";

/** The surrogates of an attack: one, or all of them for the best. */
export interface Passing {
  /** How files and records write it. */
  readonly written: string;
  readonly surrogates: readonly Surrogate[];
}

/** The default: the loss values are those of the deployed network. */
const DEFAULT = "straight-through";

/** Reads what an attack file says of gates.
 * @param possible the surrogates that the method works with
 * @throws DynnError 'attack/config', 'attack/unsupported' when the model has no gates */
export function passingOf(
  written: string | undefined,
  where: string,
  { model }: Victim,
  possible: readonly Surrogate["kind"][] = SURROGATES,
): Passing | undefined {
  if (model.gates.length === 0 && written !== undefined)
    throw new DynnError(
      "attack/unsupported",
      `${where}, gates: ${model.name} has no gates, so gradients pass none. Remove "gates".`,
      { written },
    );
  if (!asksGates(model) && written === undefined) return undefined;
  const [kind, slope, ...more] = (written ?? DEFAULT).split(":");
  const lambda = slope === undefined ? 1 : Number(slope);
  const kinds = kind === BEST ? possible : possible.filter((known) => known === kind);
  const takesSlope = kind !== "hard" || slope === undefined;
  if (kinds.length === 0 || more.length > 0 || !takesSlope || !(lambda > 0 && lambda < Number.POSITIVE_INFINITY))
    throw new DynnError(
      "attack/config",
      `${where}, gates: got ${JSON.stringify(written)}, expected ${[...possible, BEST].join(", ")}. All but hard may end with a slope above 0, such as "soft:2".`,
      { written },
    );
  return { written: written ?? DEFAULT, surrogates: kinds.map((one) => ({ kind: one, slope: lambda })) };
}

/** The method with its gradients through gates. */
export function passingGates(start: Method["start"], { surrogates }: Passing): Method["start"] {
  if (surrogates.length === 1) return (tasks) => asking(start(tasks), surrogates[0]);
  return (tasks) => strongest(tasks, surrogates, start);
}

/** The same search, whose questions name a surrogate. */
function* asking<Found>(search: Search<Found>, through: Surrogate): Search<Found> {
  let step = search.next();
  while (!step.done) {
    const questions: readonly Question[] = step.value.map((question) => ({ ...question, through }));
    step = search.next(yield questions);
  }
  return step.value;
}

/** Runs the search with each surrogate. The strongest image counts. It is judged with hard gates
 * and after rounding to 8 bits. */
function* strongest(
  tasks: readonly Task[],
  surrogates: readonly Surrogate[],
  start: Method["start"],
): Search<readonly FoundImage[]> {
  const runs: (readonly FoundImage[])[] = [];
  for (const through of surrogates) runs.push(yield* asking(start(tasks), through));
  const found: FoundImage[] = [];
  for (const [i, task] of tasks.entries()) {
    const own = runs.map((run) => run[i]);
    let best: Ranked | undefined;
    for (const one of own) {
      const ranked: Ranked = yield* rankOf(task, one);
      if (best === undefined || isStronger(ranked, best)) best = ranked;
    }
    found.push({ ...(best as Ranked).found, reached: own.map(({ success }) => success) });
  }
  return found;
}

/** An image with its strength: success after rounding, success, and what ranks equals. */
interface Ranked {
  readonly found: FoundImage;
  readonly strength: readonly number[];
}

const isStronger = (a: Ranked, b: Ranked): boolean => {
  const differs = a.strength.findIndex((v, k) => v !== b.strength[k]);
  return differs >= 0 && a.strength[differs] > b.strength[differs];
};

function* rankOf(task: Task, found: FoundImage): Search<Ranked> {
  const { goal, sample, budget } = task;
  const [loss] = goal.starts(sample);
  const own: Evaluation = yield* evaluate(task, found.image, loss, false, { sample });
  const rounded = found.success && (yield* survivesRounding(task, found.image, loss, { sample }));
  const rank =
    budget.radius === undefined
      ? -NORMS[budget.norm].distance(found.image, sample.pixels)
      : (goal.score?.(sample, own) ?? own.loss);
  return { found, strength: [Number(rounded), Number(found.success), rank] };
}
