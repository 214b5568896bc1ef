/** @file What an attack on one image did, in sentences. */
import type { ExitAnswer } from "../../dynamic/route/exit-answers.js";
import type { AttackedImage, ImageGoal } from "../../studies/attack-image.js";
import { classOf } from "../shared/exit-answers.js";
import { percent } from "../shared/table.js";

interface Asked {
  readonly goal: ImageGoal;
  readonly radius: number;
  /** The true class, by name. */
  readonly trueClass: string;
}

/** What happened: the exit, the answer and the cost before and after, and whether the goal was
 * reached. */
export function sentences(found: AttackedImage, asked: Asked): string {
  if (!found.eligible) return NOTHING[asked.goal](found, asked);
  const [before, after] = [stopOf(found.before), stopOf(found.after)];
  return [
    `Before, the network ${wayOf(before)} and answers ${classOf(before)}, at ${percent(before.costFraction)} of the cost.`,
    `After, it ${wayOf(after)} and answers ${classOf(after)}, at ${percent(after.costFraction)} of the cost.`,
    found.success ? REACHED[asked.goal](found, asked) : `The attack did not reach its goal. ${NEXT}`,
    `No pixel changed by more than ${inBytes(found.changed)} (${inBytes(asked.radius)} was allowed).`,
  ].join("\n");
}

/** The final exit is the whole network. */
const wayOf = ({ exit, costFraction }: ExitAnswer): string =>
  costFraction === 1 ? "runs to its end" : `stops at ${exit}`;

const NEXT = "A larger --eps or more --steps may.";

const stopOf = (answers: readonly ExitAnswer[]): ExitAnswer =>
  answers.find(({ stops }) => stops) ?? (answers.at(-1) as ExitAnswer);

const finalOf = (answers: readonly ExitAnswer[]): ExitAnswer => answers.at(-1) as ExitAnswer;

/** "8/255", or "7.65/255" where it is no whole number of steps. */
const inBytes = (change: number): string => `${Number((255 * change).toFixed(2))}/255`;

type Say = (found: AttackedImage, asked: Asked) => string;

const REACHED: Readonly<Record<ImageGoal, Say>> = {
  wrong: (_, { trueClass }) => `The attack reached its goal: the answer is wrong, since the class is ${trueClass}.`,
  early: ({ after }) =>
    `The attack reached its goal: an early exit answers wrongly, and the final exit still says ${classOf(finalOf(after))}. A check of the full network sees nothing.`,
  slowdown: () =>
    "The attack reached its goal: no early exit is confident enough, so the work of the whole network is done.",
};

const NOTHING: Readonly<Record<ImageGoal, Say>> = {
  wrong: (_, { trueClass }) =>
    `Nothing to attack: the network's answer is wrong already, since the class is ${trueClass}.`,
  early: ({ before }, { trueClass }) =>
    classOf(finalOf(before)) === trueClass
      ? "Nothing to attack: an early exit answers wrongly already, and the final exit is right."
      : `Nothing to attack: the final exit is wrong already, since the class is ${trueClass}. The attack needs a final exit that is right.`,
  slowdown: ({ before }) =>
    `Nothing to attack: on this image the network runs to its end already, at ${percent(finalOf(before).costFraction)} of the cost.`,
};
